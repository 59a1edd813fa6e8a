"""What an object of a class must have, without conditions: types 1 and 2 of PS3.3, edition 2026b.

In: a SOP Class UID. Out: keywords with type and module. `modules.csv` and `iods.csv` are derived
by `tests/dicom/iod_tables.py` from the module maps in the library highdicom.
"""
