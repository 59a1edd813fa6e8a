"""What performers have done with work items, and who wants to hear of it.

In: numbers of findings, states, data sets as JSON text. Out: rows. A finding that nobody has
claimed has no row.
"""
