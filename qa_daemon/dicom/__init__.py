"""From bytes to an Instance: the bounded scan, values, character sets, tables of the standard.

In: the bytes of one object. Out: an `Instance` or an `InputError`. Knows no file and no database.
"""
