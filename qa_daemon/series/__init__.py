"""What the instances of a series share, their order, and when a series has settled.

In: instances and times. Out: a `Series`, or how long to wait. Keeps no state.
"""
