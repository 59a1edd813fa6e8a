"""Body parts: what term, code and words name, against each other and against the picture.

In: the facts of a series. Out: hits, or why there is no verdict.
"""
