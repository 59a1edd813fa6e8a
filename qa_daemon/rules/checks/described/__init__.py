"""What people wrote about a series, read by the lexicon, against its tags and its pictures.

In: the facts of a series. Out: hits, or why there is no verdict.
"""
