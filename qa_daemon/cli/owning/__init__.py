"""`qa-daemon rules`: for those who own the rules, to write, test and try them.

In: rule folders, files, and what was received. Out: tables, pages, and what would change.
"""
