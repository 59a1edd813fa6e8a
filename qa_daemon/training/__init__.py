"""Data, networks, fitting, conversion and evaluation. TensorFlow lives here only.

In: folders of labelled images. Out: model packages for models/.
"""
