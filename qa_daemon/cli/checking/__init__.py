"""`qa-daemon check`: files, folders and archives, without a service.

In: paths. Out: reports for people or one JSON document. Knows no spool and no queue.
"""
