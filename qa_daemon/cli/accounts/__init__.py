"""Users, tokens and the audit, from the command line.

In: the store of a service, running or not. Out: tables, secrets shown once, what became of it.
"""
