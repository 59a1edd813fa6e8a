"""The audit: what people did, each entry sealed with the one before it.

In: an operator and a deed, within the transaction in which it is done. Out: entries, in order.
"""
