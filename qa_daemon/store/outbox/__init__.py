"""What leaves: change sets as they were decided, and a row for each place that they go to.

In and out: values. A row never leaves before its time, and never while it is undone.
"""
