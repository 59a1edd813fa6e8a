"""What people work on: issues of one fingerprint, habits of stations, decisions.

In: values. Out: values. Issues and habits are counted from rows of findings and series at each
reading, so that a step that is repeated counts nothing twice.
"""
