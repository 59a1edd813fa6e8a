"""The tables of accounts. Secrets stand in them as digests only."""

from typing import Final

from sqlalchemy import Column, ForeignKey, Table, Text

from qa_daemon.store.tables import Utc, count, metadata, received, row_number, text, time


def _user_reference(name: str = "user_id") -> Column[int]:
    return Column(name, ForeignKey("users.id", ondelete="CASCADE"), nullable=False, index=True)


#: People. Never deleted, only disabled: what they decided names them.
users: Final = Table(
    "users",
    metadata,
    row_number(),
    text("name_key", unique=True),  # case and width folded: two people never look the same
    received("name"),
    received("full_name"),
    text("role"),
    text("password"),  # argon2; "" where an identity provider vouches
    Column("identity_key", Text, unique=True),  # of issuer and subject, NULL for local users
    text("language"),  # "" = as the browser asks
    time("created_at"),
    Column("disabled_at", Utc),
    count("failures"),  # since the last success
    Column("locked_until", Utc),
    sqlite_autoincrement=True,
)

sessions: Final = Table(
    "sessions",
    metadata,
    text("session_key", primary_key=True),
    _user_reference(),
    time("opened_at"),
    time("seen_at"),
    received("address"),
    received("agent"),
)

tokens: Final = Table(
    "tokens",
    metadata,
    row_number(),
    text("token_key", unique=True),
    _user_reference(),
    received("label"),
    text("scopes"),
    time("created_at"),
    Column("expires_at", Utc),
    Column("used_at", Utc),
    Column("revoked_at", Utc),
    sqlite_autoincrement=True,
)

#: Links that work once: to make the first admin, to set a password.
links: Final = Table(
    "links",
    metadata,
    text("link_key", primary_key=True),
    text("purpose"),
    Column("user_id", ForeignKey("users.id", ondelete="CASCADE"), index=True),
    time("created_at"),
    time("expires_at"),
    Column("used_at", Utc),
)
