"""The list of what waits: its page, filters, views, events, and several lines at one blow.

In: requests. Out: the page and its parts.
"""
