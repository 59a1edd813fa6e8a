"""Coded concepts: the items of code sequences, and what those of sides, views and parts mean.

In: elements of an instance. Out: codes, sides, groups of views. Knows no rule.
"""
