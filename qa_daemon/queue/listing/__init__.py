"""What the inbox shows: filters as addresses, counts, lines as a role may see them.

In: a visitor, a filter. Out: values to show. Knows no HTTP and no SQL.
"""
