"""The listener, and what tells that it lives.

In: an application and where to listen. Out: answers over HTTP or HTTPS; health.
"""
