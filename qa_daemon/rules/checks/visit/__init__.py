"""Checks of a whole visit: its images against its orders.

In: the facts of a visit. Out: hits, or why there is no verdict.
"""
