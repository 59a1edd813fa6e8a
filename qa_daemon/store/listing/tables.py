"""Tables of what lists show, and of how people like them."""

from typing import Final

from sqlalchemy import BigInteger, Column, Float, ForeignKey, Index, Integer, Table

from qa_daemon.store.tables import (
    Received,
    Utc,
    count,
    metadata,
    received,
    row_number,
    series_reference,
    text,
    time,
)

#: Of each finding of a current revision that somebody must decide, what lists show. Narrow, and
#: apart from `findings`, whose documents a count would have to step over.
listed: Final = Table(
    "listed",
    metadata,
    Column("finding_id", ForeignKey("findings.id", ondelete="CASCADE"), primary_key=True),
    text("issue_key"),
    series_reference(index=True),
    text("standing"),
    Column("wake_at", Utc),
    text("asked"),
    count("rank"),  # 0 is looked at first
    count("look_first"),  # 1: a model of chests sorts it up
    count("severity"),
    Column("confidence", Float),
    text("rule"),
    received("modality"),
    received("station"),
    received("protocol"),
    received("calling_ae"),
    received("patient_name"),
    received("patient_id"),
    received("accession"),
    received("sought"),  # name, ID and accession without case
    text("wording"),
    time("found_at"),
    Index("ix_listed_issue", "issue_key", "found_at"),
)

#: `listed`, counted by issue and by what lists are filtered by: kept, as a queue of fifty thousand
#: findings is counted anew with every page otherwise. Written by `listed_rows.recount` only.
lines: Final = Table(
    "lines",
    metadata,
    row_number(),
    text("issue_key", index=True),
    text("standing"),
    Column("wake_at", Utc),
    text("asked"),
    count("rank"),
    count("severity"),
    received("calling_ae"),
    count("count"),
    count("look_first"),
    time("first_at"),
    time("last_at"),
    Column("finding_id", BigInteger().with_variant(Integer, "sqlite"), nullable=False),
)

#: How each person likes the queue: language, theme, keys, views of their own.
preferences: Final = Table(
    "preferences",
    metadata,
    Column("who", Received, primary_key=True),
    text("document"),
    time("changed_at"),
)
