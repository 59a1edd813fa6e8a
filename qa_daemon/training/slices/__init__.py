"""Labelled CT and MR slices: read, varied as hospitals vary, and measured as series.

In: `volumes/` and `volumes_other/` of a data folder. Out: slices, pictures of them, figures.
"""
