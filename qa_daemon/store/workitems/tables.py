"""The tables of work items."""

from typing import Final

from sqlalchemy import Column, ForeignKey, Table

from qa_daemon.store.tables import WIDE, Received, metadata, received, row_number, text, time

#: Work items that somebody has claimed, or canceled unclaimed.
workitems: Final = Table(
    "workitems",
    metadata,
    Column(
        "finding_id",
        WIDE,
        ForeignKey("findings.id", ondelete="CASCADE"),
        primary_key=True,
        autoincrement=False,
    ),
    text("state"),
    text("transaction_uid"),  # the performer's lock; never given away
    received("who"),
    text("performed"),  # data set of the DICOM JSON model
    text("progress"),
    time("changed_at"),
)

#: What happened to them, for those who listen. The finding may be gone when it is read.
workitem_events: Final = Table(
    "workitem_events",
    metadata,
    row_number(),
    Column("finding_id", WIDE, nullable=False, index=True),
    text("kind"),
    text("document"),
    time("at"),
    sqlite_autoincrement=True,
)

#: Who listens to which work item; `finding_id` 0 = to all of them, later ones too.
workitem_subscriptions: Final = Table(
    "workitem_subscriptions",
    metadata,
    Column("ae_title", Received, primary_key=True),
    Column("finding_id", WIDE, primary_key=True, autoincrement=False),
    Column("user_id", WIDE, ForeignKey("users.id", ondelete="CASCADE"), nullable=False, index=True),
    time("at"),
)
