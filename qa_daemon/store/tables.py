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


def request_key(who: str, number: str) -> str:
    """Return the key of what a client asked once, whatever it calls its requests."""
    return _key("request", storable(who), storable(number))


def note_key(kind: str, name: tuple[str, ...]) -> str:
    """Return the key of the name under which series leave notes of one kind."""
    return _key("note", kind, *map(storable, name))


def person_key(name: str, birth_date: str) -> str:
    """Return the key of a person by name and birth date, whatever the number."""
    return _key("person", storable(name), storable(birth_date))


metadata: Final = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
    }
)


def text(name: str, **options: Any) -> Column[str]:
    """Return a column of our own words."""
    return Column(name, Text, nullable=False, **options)


def received(name: str) -> Column[str]:
    """Return a column of text from outside, which may hold anything."""
    return Column(name, Received, nullable=False)


def count(name: str, **options: Any) -> Column[int]:
    """Return a column of a number of things."""
    return Column(name, Integer, nullable=False, **options)


def time(name: str) -> Column[datetime]:
    """Return a column of a point in time that is always known."""
    return Column(name, Utc, nullable=False)


#: SQLite numbers rows by itself only where the type is INTEGER.
WIDE: Final = BigInteger().with_variant(Integer, "sqlite")


def row_number() -> Column[int]:
    """Return the column `id`, which numbers rows and never gives a number twice."""
    return Column("id", WIDE, primary_key=True, autoincrement=True)


def series_reference(**options: Any) -> Column[str]:
    """Return a column that names a series, and goes with it."""
    return Column(
        "series_key", Text, ForeignKey("series.series_key", ondelete="CASCADE"), **options
    )


associations: Final = Table(
    "associations",
    metadata,
    Column("id", Received, primary_key=True),
    received("calling_ae"),
    received("called_ae"),
    received("peer_address"),
    time("opened_at"),
    Column("ended_at", Utc),
)

series: Final = Table(
    "series",
    metadata,
    text("series_key", primary_key=True),
    text("study_key", index=True),
    text("visit_key", index=True, server_default=""),  # "" where patient or day are unknown
    text("patient_key", index=True, server_default=""),  # "" where the patient is unknown
    text("study_date", server_default=""),
    received("study_instance_uid"),
    received("series_instance_uid"),
    received("modality"),
    received("calling_ae"),
    text("state"),
    Column("state_since", Utc, nullable=False),
    count("revision"),
    time("first_received_at"),
    time("begun_at"),  # of this revision
    time("last_received_at"),
    count("instance_count"),
    Column("lease_until", Utc),
    count("lease_fence"),
    count("attempts"),
    received("reason"),
    Index(None, "state", "last_received_at"),
)

#: Who brought objects of a revision; "" for files.
series_associations: Final = Table(
    "series_associations",
    metadata,
    series_reference(primary_key=True),
    Column("revision", Integer, primary_key=True, autoincrement=False),
    Column("association_id", Received, primary_key=True),
)

#: One row per spooled object. `header` is the Instance, or NULL for an object that cannot be read.
instances: Final = Table(
    "instances",
    metadata,
    text("spool_key", primary_key=True),
    text("content_key", unique=True),
    text("sop_key", index=True),
    series_reference(index=True),
    count("revision"),
    received("sop_instance_uid"),
    text("digest"),
    Column("length", BigInteger, nullable=False),
    text("origin"),
    received("calling_ae"),
    received("peer_address"),
    received("association_id"),
    received("file_name"),
    time("received_at"),
    Column("header", Text),
    text("reason"),
    text("kind"),
    count("repeat_count"),
)

#: Spool records that are to go; they stand here until they are gone.
removals: Final = Table("removals", metadata, text("spool_key", primary_key=True), time("at"))

rejections: Final = Table(
    "rejections",
    metadata,
    row_number(),
    time("received_at"),
    text("origin"),
    received("calling_ae"),
    received("peer_address"),
    received("path"),
    text("reason"),
    text("kind"),
    received("message"),
    text("spool_key"),  # "" where nothing was spooled
    text("quarantine_key"),  # "" where nothing was set aside
    sqlite_autoincrement=True,
)

results: Final = Table(
    "results",
    metadata,
    series_reference(primary_key=True),
    Column("revision", Integer, primary_key=True, autoincrement=False),
    text("inference"),
    text("outcomes"),
    text("models"),
    text("rule_pack"),
    Column("predicted_at", Utc),
    Column("judged_at", Utc),
    Column("reported_at", Utc),  # of the judgement that the report files show
)

#: The pictures of a series. The document is the `Previews`, "" before they are drawn first.
previews: Final = Table(
    "previews",
    metadata,
    series_reference(primary_key=True),
    count("revision"),
    text("document"),
    Column("bytes", BigInteger, nullable=False),
    count("attempts"),  # begun and not finished
    Column("judged_at", Utc),  # the judgement that they show; NULL = to be drawn again
    Column("drawn_at", Utc, nullable=False, index=True),
)

study_results: Final = Table(
    "study_results",
    metadata,
    text("study_key", primary_key=True),
    text("outcomes"),
    text("rule_pack"),
    time("judged_at"),
)

#: `series_key` is NULL for findings of a whole study; the document holds all but the suggestions.
findings: Final = Table(
    "findings",
    metadata,
    row_number(),
    text("study_key", index=True),
    series_reference(index=True),
    count("revision"),
    text("fingerprint"),  # of the whole finding
    text("issue_key", index=True, server_default=""),  # what recurs has one; "" of older rows
    text("rule"),
    text("topic"),
    count("severity"),
    text("level"),
    received("message"),
    Column("confidence", Float),
    text("document"),
    time("created_at"),
    # How it stands with people, kept with each decision so that no list has to ask for it.
    text("standing", index=True, server_default="open"),
    Column("wake_at", Utc),  # of a deferred one: when it is back
    Column("asked", Received, nullable=False, server_default=""),  # account or role asked to look
    sqlite_autoincrement=True,
)

suggestions: Final = Table(
    "suggestions",
    metadata,
    row_number(),
    Column(
        "finding_id",
        ForeignKey("findings.id", ondelete="CASCADE"),
        nullable=False,
        index=True,
    ),
    count("rank"),  # 0 is the likeliest
    Column("hypothesis", Text),
    Column("confidence", Float),
    text("state"),
    text("document"),
    time("changed_at"),
    sqlite_autoincrement=True,
)

#: What findings of one key have in common, and what a person said of it; "" = nothing.
issues: Final = Table(
    "issues",
    metadata,
    text("issue_key", primary_key=True),
    received("rule"),
    received("modality"),
    received("station"),
    received("protocol"),
    received("change"),
    count("severity"),
    received("message"),
    text("ruling"),
    Column("muted_until", Utc),
    Column("muted_left", Integer),  # findings that a mute still hides; NULL = any number
    count("muted_rises", server_default="0"),  # 1: until the issue escalates
    Column("resolved_at", Utc),
    time("noted_at"),
)

#: What each series wrote in attributes that stations fill by habit, under the key of the practice;
#: and the notes by which later series find it (`note_rows`), under the key of their name.
observations: Final = Table(
    "observations",
    metadata,
    series_reference(primary_key=True),
    text("keyword", primary_key=True),
    text("practice_key"),
    received("value"),
    time("at"),
    Index(None, "practice_key", "at"),
)

#: Every decision, those taken back too: they are history. One of a finding is in force at most,
#: beside the answer of the first of two persons.
decisions: Final = Table(
    "decisions",
    metadata,
    row_number(),
    # A finding may vanish when rules change; what was decided about it stays.
    Column("finding_id", ForeignKey("findings.id", ondelete="SET NULL"), index=True),
    text("study_key", index=True),
    series_reference(index=True),
    text("issue_key", index=True),
    text("rule"),
    text("verb"),
    time("at"),
    received("who"),
    text("document"),
    Column("undone_at", Utc),
    received("undone_by"),  # "" while it is in force
    Column("act_id", WIDE, ForeignKey("acts.id"), index=True),
    # Whoever undoes that act brings this decision back.
    Column("ended_by_act_id", WIDE, ForeignKey("acts.id"), index=True),
    Column("is_first", Integer, nullable=False, server_default="0"),  # 1: a second one must answer
    sqlite_autoincrement=True,
)

#: Only ever appended to. `previous` is unique, so that the chain cannot fork.
audit: Final = Table(
    "audit",
    metadata,
    row_number(),
    time("at"),
    received("who"),
    text("action"),
    text("subject"),
    received("detail"),
    text("address", server_default=""),
    Column("outcome", Integer, nullable=False, server_default="0"),
    text("patient_id", server_default=""),
    text("patient_name", server_default=""),
    text("study_instance_uid", server_default=""),
    Column("previous", Text),  # NULL in rows that are older than the chain
    Column("chain", Text),
    Index(None, "previous", unique=True),
    sqlite_autoincrement=True,
)

#: How far the audit has gone elsewhere, per receiver of it.
audit_shipped: Final = Table(
    "audit_shipped",
    metadata,
    text("target", primary_key=True),
    Column("last_id", BigInteger, nullable=False),
    time("at"),
)

#: What worklist, messages and archive told of orders. The document is the `Order`.
orders: Final = Table(
    "orders",
    metadata,
    text("order_key", primary_key=True),
    text("patient_key", index=True),
    text("day"),
    text("source"),
    text("document"),
    Column("told_at", Utc, nullable=False, index=True),
)

#: Whose orders of which day were told of since that patient's series were judged; "" = any day.
order_news: Final = Table(
    "order_news",
    metadata,
    text("patient_key", primary_key=True),
    text("day", primary_key=True),
    Column("told_at", Utc, nullable=False, index=True),
)

#: When somebody was asked about a visit's orders, and when the next time is.
order_lookups: Final = Table(
    "order_lookups",
    metadata,
    text("visit_key", primary_key=True),
    time("asked_at"),
    time("due_at"),
    count("attempts"),
)
