"""The audit as others read it: DICOM audit messages (PS3.15 A.5).

In: entries as they lie in the store. Out: XML, with the codes of the standard.
"""
