"""Which series have pictures for people, and which are due.

In and out: `Previews` and keys of series. The files themselves lie beside the database.
"""
