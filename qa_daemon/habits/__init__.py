"""What recurs at a station: fingerprints of findings, their trend, and what it usually writes.

In: values of findings and series, counts. Out: values. Knows no store, clock or rule.
"""
