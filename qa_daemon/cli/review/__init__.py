"""What people say of findings: issues that recur, decisions, undo.

In: the store of a service. Out: tables, and rows with their audit entry.
"""
