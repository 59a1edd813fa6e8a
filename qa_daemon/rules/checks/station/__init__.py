"""What a station does.

In: the facts of a series, and what was usual before it. Out: hits, or why there is no verdict.
"""
