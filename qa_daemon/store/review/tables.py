"""The tables of what people do with findings, beside the decisions themselves."""

from typing import Final

from sqlalchemy import Column, ForeignKey, Index, Table

from qa_daemon.store.tables import WIDE, Received, Utc, metadata, received, row_number, text, time

#: What a person did at one blow, with one request of the client: of one finding or of many.
acts: Final = Table(
    "acts",
    metadata,
    row_number(),
    text("request_key", unique=True),
    received("who"),
    time("at"),
    text("verb"),
    Column("closes_at", Utc),  # when it can no longer be undone; NULL = nothing of it leaves
    Column("undone_at", Utc),
    received("undone_by"),
    text("undone_request_key", index=True),  # "" while it stands
    Index(None, "who", "at"),
    sqlite_autoincrement=True,
)

#: Who has a finding before them; a row that nobody renews means nothing.
presences: Final = Table(
    "presences",
    metadata,
    Column("finding_id", WIDE, ForeignKey("findings.id", ondelete="CASCADE"), primary_key=True),
    Column("who", Received, primary_key=True),
    time("since"),
    Column("seen_at", Utc, nullable=False, index=True),
)
