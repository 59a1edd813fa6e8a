"""Names of log events, and the filter that keeps patient values out of the log.

In: events. Out: JSON lines or coloured text. Knows no other room.
"""
