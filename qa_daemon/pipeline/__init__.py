"""One function per transition of a series: read, call the core once, commit once.

In: leased series. Out: predictions, findings, suggestions, the next state.
"""
