"""Visits and their orders: what was told of them, and when to ask again.

In: orders, keys and times. Out: rows as values. Judges nothing.
"""
