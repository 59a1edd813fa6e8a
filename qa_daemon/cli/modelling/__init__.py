"""`qa-daemon models`: which models there are, which are in force, what another would change.

In: model packages, what was chosen in the state folder, results in the store. Knows no receiver.
"""
