"""What procedure words mean, and which images belong to which order.

In: texts, codes, and values of series, predictions and orders. Out: regions with sides and weights.
Knows no database, no socket, no clock.
"""
