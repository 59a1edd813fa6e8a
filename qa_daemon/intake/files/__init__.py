"""What the watched folder knows of files: which lie still, and where they go afterwards.

In: directory entries. Out: files to take, and moved ones. Opens no file's content.
"""
