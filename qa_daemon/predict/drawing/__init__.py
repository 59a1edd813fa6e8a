"""Pictures for people, drawn where pixels are opened anyway.

In: an object as bytes and frame numbers. Out: shades of grey, or why there are none.
"""
