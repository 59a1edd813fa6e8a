"""The only way in: C-STORE and the watched folder, both through one door.

In: what peers send. Out: spool records and index rows. Opens no pixels, judges nothing.
"""
