"""The demo: real and drawn images, some made wrong on purpose, sent to a real service.

In: the packages pydicom and pydicom-data. Out: objects to send, and what must be found in each.
"""
