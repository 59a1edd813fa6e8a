"""The audit on its way to the hospital's audit repository: syslog over TLS.

In: entries of the audit, behind the last that was sent. Out: messages, each once, in their order.
"""
