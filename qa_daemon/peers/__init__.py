"""Other systems that are asked: worklist and archive, by C-FIND.

In: what is wanted of whom, within which time. Out: orders. Stores nothing, judges nothing.
"""
