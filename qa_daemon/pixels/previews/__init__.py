"""What a person looks at in the queue.

In: a decoded frame. Out: shades of grey as stored, small enough for a page, and their file.
"""
