"""PS3.5 at the level of bytes: dictionary, character sets, file meta, the bounded walk.

In: the bytes of one object. Out: tokens (tag, VR, offset, length), text, irregularities.
"""
