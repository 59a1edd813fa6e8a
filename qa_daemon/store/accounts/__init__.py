"""Rows of people who sign in: users, sessions, tokens, one-time links.

In: keyed digests, never a secret itself. Out: rows. Knows no passwords, no cookies.
"""
