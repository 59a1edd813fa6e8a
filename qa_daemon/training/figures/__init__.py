"""Numbers about answers: intervals, calibration, curves, and what every card reports.

In: examples, probabilities and truth. Out: figures, thresholds, curves. Knows no target.
"""
