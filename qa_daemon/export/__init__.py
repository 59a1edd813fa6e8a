"""What was decided, carried out: change sets as files and messages to those who act on them.

In: decisions from the outbox. Out: files, messages, their answers. Knows no HTTP server, no models.
"""
