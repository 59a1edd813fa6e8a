"""Order messages that come in over MLLP.

In: connections. Out: orders in the store, and an answer once they are committed.
"""
