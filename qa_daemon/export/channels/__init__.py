"""The places that change sets go to.

In: a package. Out: the answer of the place. Each tells the same change set by the same name.
"""
