"""Signing in and out, and one's own account.

In: names and secrets from forms. Out: sessions as cookies.
"""
