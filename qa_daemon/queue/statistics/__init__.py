"""Statistics of the queue: facts read from the store now and then, cuts through them, the digest.

The cuts themselves are counted by `trends`, which knows no store.
"""
