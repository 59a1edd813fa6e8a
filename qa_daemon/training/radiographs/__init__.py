"""Labelled radiographs, what may differ between two of one part, and pictures that are none.

In: a data folder. Out: examples and random variants of them. It knows no target.
"""
