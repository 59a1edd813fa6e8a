"""Between people and the store: who they are, what they may do, what they see and decide.

In: a visitor and what he asks for. Out: values to show, rows with their audit. Knows no HTTP, no
pixels, no models.
"""
