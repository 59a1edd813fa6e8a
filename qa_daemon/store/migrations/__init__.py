"""The schema's history (Alembic), and the calls that make, check and upgrade a database.

In: a URL. Out: a database with the schema that this release speaks, or the reason why not.
"""
