"""A site's own pictures: a folder of DICOM and a table of labels.

In: the folder. Out: labelled pictures, decoded and prepared by the service's own functions, or one
error that names all that is wrong.
"""
