"""What recurs: issues of one fingerprint with what people said of them, and habits of stations.

In: values. Out: values. Counted from rows of findings and series at each reading, so that a step
that is repeated counts nothing twice.
"""
