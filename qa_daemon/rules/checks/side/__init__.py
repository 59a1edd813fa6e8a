"""Left and right: where an object states a side, and whether the statements agree.

In: the facts of a series. Out: hits, or why there is no verdict. No side is ever picked silently.
"""
