"""Pages of people who have signed in, each a module with its routes.

In: requests behind the gate. Out: pages and parts of pages.
"""
