"""The commands about orders: what words mean, and which images belong to which order.

In: arguments. Out: tables or JSON on standard output, an exit status.
"""
