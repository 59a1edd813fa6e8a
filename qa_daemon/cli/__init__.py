"""The command line.

In: arguments. Out: tables for people, JSON for machines, exit statuses.
"""
