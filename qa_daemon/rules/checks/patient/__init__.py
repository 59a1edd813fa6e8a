"""Who was examined and when: identity, age, dates, and the order that says so.

In: the facts of a series or a study. Out: hits, or why there is no verdict.
"""
