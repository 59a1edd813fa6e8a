"""Grey values, sizes and completeness of images, as far as their tags say them.

In: the facts of a series. Out: hits, or why there is no verdict.
"""
