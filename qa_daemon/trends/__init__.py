"""How rules, stations and models fare: counts, rates, ages, drift, and their plots.

In: values of findings, verdicts and scores. Out: values, SVG and CSV text. Knows no store, no
clock and no page.
"""
