"""Direction cosines, the eight axial classes and their algebra, planes, stacks.

In: numbers. Out: numbers. Knows nothing of DICOM objects beyond the terms of PS3.3 C.7.6.2.
"""
