"""The pages on which people decide, and the API: HTTP in, HTTP out, nothing else.

In: requests. Out: pages, fragments, JSON. Asks `queue` and `store`; opens no pixels, models, spool
or peers.
"""
