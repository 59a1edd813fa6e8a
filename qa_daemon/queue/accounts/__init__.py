"""Who may do what: roles, passwords, signing in, sessions.

In: names and secrets that people give. Out: visitors, or the reason of a refusal.
"""
