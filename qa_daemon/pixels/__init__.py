"""From encoded Pixel Data to what a model looks at.

In: the bytes of an object. Out: frames as grey values and tensors. Shared with training.
"""
