"""The database: every state of the product. SQL is spoken here only.

In and out: values. SQLite by default, PostgreSQL by setting. Judges nothing.
"""
