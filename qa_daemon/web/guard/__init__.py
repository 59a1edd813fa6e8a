"""What stands before every page: who may ask, how much, and what the browser is told to refuse.

In: raw requests. Out: requests with their visitor, body and form, or a refusal.
"""
