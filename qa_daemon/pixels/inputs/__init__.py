"""What models of single pictures look at, made the same way in training and in service.

In: grey values or levels as displayed. Out: standardised squares, whole pictures or places in them.
"""
