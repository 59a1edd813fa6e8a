"""Radiographs: the view that was taken, how the picture lies, and what the tags say of both.

In: the facts of a series. Out: hits, or why there is no verdict.
"""
