"""A change set as documents.

In: a package. Out: texts and data sets. No input or output.
"""
