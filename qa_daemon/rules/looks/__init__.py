"""What conditions look at: the names of facts, and the values that a subject has under them.

In: the name of a fact and a series, an instance, an item or a frame. Out: its values as texts, that
there is none, or why nobody knows.
"""
