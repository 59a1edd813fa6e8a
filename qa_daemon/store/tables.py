"""The tables, their column types, and the keys by which rows find each other.

Every key that an index holds is a hash: a UID from outside may have any length, and PostgreSQL
refuses to index more than 2,704 bytes.
"""

import hashlib
import json
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    Dialect,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    TypeDecorator,
)

from qa_daemon.records.issue import Fingerprint, Practice

#: Hex digits of a key: 96 bits, so that a hostile sender finds no second UID with the same key.
KEY_LENGTH: Final = 24
#: Keys in one `IN (...)`; PostgreSQL and SQLite take more, but plan worse.
KEYS_PER_QUERY: Final = 500


class Utc(TypeDecorator[datetime]):
    """A time with its zone; kept in UTC, also by SQLite, which knows no zones."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse a time without a zone, turn any other to UTC."""
        if value is None:
            return None
        assert value.tzinfo is not None
        utc = value.astimezone(UTC)
        return utc.replace(tzinfo=None) if dialect.name == "sqlite" else utc

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return the time in UTC, with its zone."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if dialect.name == "sqlite" else value.astimezone(UTC)


class Received(TypeDecorator[str]):
    """Text from outside: what a database cannot hold (NUL, lone surrogates) becomes U+FFFD."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:  # noqa: ARG002  SQLAlchemy's signature
        """Return text that both engines take."""
        return None if value is None else storable(value)


def storable(text: str) -> str:
    """Return `text` with U+FFFD for every character that a database cannot hold."""
    # UTF-16 knows each lone surrogate as one unit; UTF-8 would make three of it.
    clean = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return clean.replace("\0", "\ufffd")


def _key(*parts: str) -> str:
    # JSON keeps ("a", "b") and ("ab", "") apart and takes any character.
    return hashlib.sha256(json.dumps(parts).encode("ascii")).hexdigest()[:KEY_LENGTH]


def study_key(study_instance_uid: str) -> str:
    """Return the key of a study."""
    return _key("study", study_instance_uid)


def series_key(study_instance_uid: str, series_instance_uid: str) -> str:
    """Return the key of a series: 24 hex digits, the same again after a rebuild."""
    return _key("series", study_instance_uid, series_instance_uid)


def visit_key(patient_id: str, issuer: str, day: str) -> str:
    """Return the key of a visit: a patient's images of one day."""
    return _key("visit", patient_id, issuer, day)


def patient_key(patient_id: str) -> str:
    """Return the key under which all orders of a patient are found."""
    return _key("patient", storable(patient_id))


def order_key(*parts: str) -> str:
    """Return the key of one order as one source tells it."""
    return _key("order", *map(storable, parts))


def sop_key(sop_instance_uid: str) -> str:
    """Return the key under which all objects with one SOP Instance UID are found."""
    return _key("instance", sop_instance_uid)


def content_key(sop_instance_uid: str, transfer_syntax_uid: str, digest: str) -> str:
    """Return the key of one object: equal for a repetition, and for nothing else.

    The transfer syntax takes part: the same bytes read otherwise are another object.
    """
    return _key("content", sop_instance_uid, transfer_syntax_uid, digest)


def issue_key(fingerprint: Fingerprint) -> str:
    """Return the key of the issue that findings of one fingerprint belong to."""
    practice = fingerprint.practice
    named = (practice.modality, practice.station, practice.protocol)
    return _key("issue", fingerprint.rule, *named, fingerprint.change)


def practice_key(practice: Practice) -> str:
    """Return the key of what one station does under one protocol."""
    return _key("practice", practice.modality, practice.station, practice.protocol)


metadata: Final = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
    }
)


def _text(name: str, **options: Any) -> Column[str]:
    return Column(name, Text, nullable=False, **options)


def _received(name: str) -> Column[str]:
    return Column(name, Received, nullable=False)


def _count(name: str) -> Column[int]:
    return Column(name, Integer, nullable=False)


def _time(name: str) -> Column[datetime]:
    return Column(name, Utc, nullable=False)


def _row_number() -> Column[int]:
    # SQLite numbers rows by itself only where the type is INTEGER.
    wide = BigInteger().with_variant(Integer, "sqlite")
    return Column("id", wide, primary_key=True, autoincrement=True)


def _series_reference(**options: Any) -> Column[str]:
    return Column(
        "series_key", Text, ForeignKey("series.series_key", ondelete="CASCADE"), **options
    )


associations: Final = Table(
    "associations",
    metadata,
    Column("id", Received, primary_key=True),
    _received("calling_ae"),
    _received("called_ae"),
    _received("peer_address"),
    _time("opened_at"),
    Column("ended_at", Utc),
)

series: Final = Table(
    "series",
    metadata,
    _text("series_key", primary_key=True),
    _text("study_key", index=True),
    _text("visit_key", index=True, server_default=""),  # "" where patient or day are unknown
    _received("study_instance_uid"),
    _received("series_instance_uid"),
    _received("modality"),
    _received("calling_ae"),
    _text("state"),
    Column("state_since", Utc, nullable=False),
    _count("revision"),
    _time("first_received_at"),
    _time("begun_at"),  # of this revision
    _time("last_received_at"),
    _count("instance_count"),
    Column("lease_until", Utc),
    _count("lease_fence"),
    _count("attempts"),
    _received("reason"),
    Index(None, "state", "last_received_at"),
)

#: Who brought objects of a revision; "" for files.
series_associations: Final = Table(
    "series_associations",
    metadata,
    _series_reference(primary_key=True),
    Column("revision", Integer, primary_key=True, autoincrement=False),
    Column("association_id", Received, primary_key=True),
)

#: One row per spooled object. `header` is the Instance, or NULL for an object that cannot be read.
instances: Final = Table(
    "instances",
    metadata,
    _text("spool_key", primary_key=True),
    _text("content_key", unique=True),
    _text("sop_key", index=True),
    _series_reference(index=True),
    _count("revision"),
    _received("sop_instance_uid"),
    _text("digest"),
    Column("length", BigInteger, nullable=False),
    _text("origin"),
    _received("calling_ae"),
    _received("peer_address"),
    _received("association_id"),
    _received("file_name"),
    _time("received_at"),
    Column("header", Text),
    _text("reason"),
    _text("kind"),
    _count("repeat_count"),
)

#: Spool records that are to go; they stand here until they are gone.
removals: Final = Table("removals", metadata, _text("spool_key", primary_key=True), _time("at"))

rejections: Final = Table(
    "rejections",
    metadata,
    _row_number(),
    _time("received_at"),
    _text("origin"),
    _received("calling_ae"),
    _received("peer_address"),
    _received("path"),
    _text("reason"),
    _text("kind"),
    _received("message"),
    _text("spool_key"),  # "" where nothing was spooled
    _text("quarantine_key"),  # "" where nothing was set aside
    sqlite_autoincrement=True,
)

results: Final = Table(
    "results",
    metadata,
    _series_reference(primary_key=True),
    Column("revision", Integer, primary_key=True, autoincrement=False),
    _text("inference"),
    _text("outcomes"),
    _text("models"),
    _text("rule_pack"),
    Column("predicted_at", Utc),
    Column("judged_at", Utc),
    Column("reported_at", Utc),  # of the judgement that the report files show
)

#: The pictures of a series. The document is the `Previews`, "" before they are drawn first.
previews: Final = Table(
    "previews",
    metadata,
    _series_reference(primary_key=True),
    _count("revision"),
    _text("document"),
    Column("bytes", BigInteger, nullable=False),
    _count("attempts"),  # begun and not finished
    Column("judged_at", Utc),  # the judgement that they show; NULL = to be drawn again
    Column("drawn_at", Utc, nullable=False, index=True),
)

study_results: Final = Table(
    "study_results",
    metadata,
    _text("study_key", primary_key=True),
    _text("outcomes"),
    _text("rule_pack"),
    _time("judged_at"),
)

#: `series_key` is NULL for findings of a whole study; the document holds all but the suggestions.
findings: Final = Table(
    "findings",
    metadata,
    _row_number(),
    _text("study_key", index=True),
    _series_reference(index=True),
    _count("revision"),
    _text("fingerprint"),  # of the whole finding
    _text("issue_key", index=True, server_default=""),  # what recurs has one; "" of older rows
    _text("rule"),
    _text("topic"),
    _count("severity"),
    _text("level"),
    _received("message"),
    Column("confidence", Float),
    _text("document"),
    _time("created_at"),
    sqlite_autoincrement=True,
)

suggestions: Final = Table(
    "suggestions",
    metadata,
    _row_number(),
    Column(
        "finding_id",
        ForeignKey("findings.id", ondelete="CASCADE"),
        nullable=False,
        index=True,
    ),
    _count("rank"),  # 0 is the likeliest
    Column("hypothesis", Text),
    Column("confidence", Float),
    _text("state"),
    _text("document"),
    _time("changed_at"),
    sqlite_autoincrement=True,
)

#: What findings of one key have in common, and what a person said of it; "" = nothing.
issues: Final = Table(
    "issues",
    metadata,
    _text("issue_key", primary_key=True),
    _received("rule"),
    _received("modality"),
    _received("station"),
    _received("protocol"),
    _received("change"),
    _count("severity"),
    _received("message"),
    _text("ruling"),
    Column("muted_until", Utc),
    _time("noted_at"),
)

#: What each series wrote in attributes that stations fill by habit.
observations: Final = Table(
    "observations",
    metadata,
    _series_reference(primary_key=True),
    _text("keyword", primary_key=True),
    _text("practice_key"),
    _received("value"),
    _time("at"),
    Index(None, "practice_key", "at"),
)

#: Every decision, those taken back too: they are history. One of a finding is in force at most.
decisions: Final = Table(
    "decisions",
    metadata,
    _row_number(),
    # A finding may vanish when rules change; what was decided about it stays.
    Column("finding_id", ForeignKey("findings.id", ondelete="SET NULL"), index=True),
    _text("study_key", index=True),
    _series_reference(index=True),
    _text("issue_key", index=True),
    _text("rule"),
    _text("verb"),
    _time("at"),
    _received("who"),
    _text("document"),
    Column("undone_at", Utc),
    _received("undone_by"),  # "" while it is in force
    sqlite_autoincrement=True,
)

audit: Final = Table(
    "audit",
    metadata,
    _row_number(),
    _time("at"),
    _received("who"),
    _text("action"),
    _text("subject"),
    _received("detail"),
    sqlite_autoincrement=True,
)

#: What worklist, messages and archive told of orders. The document is the `Order`.
orders: Final = Table(
    "orders",
    metadata,
    _text("order_key", primary_key=True),
    _text("patient_key", index=True),
    _text("day"),
    _text("source"),
    _text("document"),
    Column("told_at", Utc, nullable=False, index=True),
)

#: When somebody was asked about a visit's orders, and when the next time is.
order_lookups: Final = Table(
    "order_lookups",
    metadata,
    _text("visit_key", primary_key=True),
    _time("asked_at"),
    _time("due_at"),
    _count("attempts"),
)
