"""What is odd about a readable object: its values, its text, its pixels' description.

In: a `Scan`. Out: irregularities. Refuses nothing.
"""
