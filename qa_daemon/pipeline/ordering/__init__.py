"""Orders in the service: asked for on schedule, and laid beside the images of a visit.

In: store and settings. Out: orders in the store; what a judgement needs to know of a visit.
"""
