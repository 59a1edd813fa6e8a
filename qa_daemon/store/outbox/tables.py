"""The tables of what leaves."""

from typing import Final

from sqlalchemy import Column, ForeignKey, Index, Table, Text

from qa_daemon.store.tables import WIDE, Utc, count, metadata, received, row_number, text, time

#: What is to be written, as it was decided; it outlives the finding.
change_sets: Final = Table(
    "change_sets",
    metadata,
    text("uid", primary_key=True),
    Column("act_id", WIDE, ForeignKey("acts.id"), nullable=False, index=True),
    Column("decision_id", WIDE, ForeignKey("decisions.id", ondelete="SET NULL"), index=True),
    text("series_key", index=True),  # "" where no series is known
    text("document"),
)

#: One row for each place that a change set goes to.
outbox: Final = Table(
    "outbox",
    metadata,
    row_number(),
    Column("change_set_uid", Text, ForeignKey("change_sets.uid"), nullable=False, index=True),
    text("channel"),
    text("state"),
    time("due_at"),  # never before the undo window has closed
    count("attempts"),
    Column("lease_until", Utc),
    count("lease_fence"),
    time("changed_at"),
    received("answer"),  # of the peer, in its own words
    Index(None, "state", "due_at"),
    sqlite_autoincrement=True,
)
