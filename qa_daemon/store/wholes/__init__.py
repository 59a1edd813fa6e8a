"""What is said of a whole study or visit, beside what is said of its series.

In: names of studies and series. Out: verdicts.
"""
