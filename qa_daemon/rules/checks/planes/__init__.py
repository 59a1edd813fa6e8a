"""Sagittal and coronal slices: what their tags promise, and what the pixels show.

In: the facts of a series. Out: hits, or why there is no verdict.
"""
