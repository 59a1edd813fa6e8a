"""Objects, refused ones too, and the associations that brought them: noted and fetched again."""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import Any, Final

import attrs
from sqlalchemy import delete, func, insert, select, update

from qa_daemon.records.finding import Rejection
from qa_daemon.records.instance import Instance
from qa_daemon.records.receipt import Origin, Recorded
from qa_daemon.store import documents
from qa_daemon.store.database import Store, parts
from qa_daemon.store.tables import (
    KEYS_PER_QUERY,
    associations,
    instances,
    rejections,
    removals,
    series,
)

#: Rows kept of refused objects: a sender that is refused all night does not fill the disk.
REJECTION_ROWS_MAX: Final = 100_000


@attrs.frozen(kw_only=True)
class Association:
    """One association, as the receiver accepted it."""

    id: str
    calling_ae: str
    called_ae: str
    peer_address: str
    opened_at: datetime


@attrs.frozen(kw_only=True)
class Refusal:
    """An object that was not taken in; `spool_key` is set for those that were kept all the same."""

    rejection: Rejection
    received_at: datetime
    origin: Origin
    calling_ae: str = ""
    peer_address: str = ""
    spool_key: str = ""
    quarantine_key: str = ""


# --- associations --------------------------------------------------------------------------------


def association_opened(store: Store, association: Association) -> None:
    """Note an accepted association; noting it again changes nothing."""
    with store.writing() as connection:
        known = select(associations.c.id).where(associations.c.id == association.id)
        if connection.execute(known).first() is None:
            connection.execute(insert(associations).values(**attrs.asdict(association)))


def association_ended(store: Store, association_id: str, now: datetime) -> None:
    """Note the end of an association, by release, abort or loss."""
    with store.writing() as connection:
        connection.execute(
            update(associations)
            .where(associations.c.id == association_id, associations.c.ended_at.is_(None))
            .values(ended_at=now)
        )


def end_open_associations(store: Store, now: datetime) -> int:
    """Note that all have ended, at the start after a crash; return how many had not."""
    with store.writing() as connection:
        ended = connection.execute(
            update(associations).where(associations.c.ended_at.is_(None)).values(ended_at=now)
        )
        return ended.rowcount


# --- refused objects -----------------------------------------------------------------------------


def record_refusal(store: Store, refusal: Refusal) -> None:
    """Note an object that was refused, or kept but not readable; the oldest notes go first."""
    values = attrs.asdict(refusal, recurse=False) | attrs.asdict(refusal.rejection)
    del values["rejection"]
    with store.writing() as connection:
        noted = connection.execute(insert(rejections).values(**values))
        key = noted.inserted_primary_key
        assert key is not None
        connection.execute(delete(rejections).where(rejections.c.id <= key.id - REJECTION_ROWS_MAX))


def refusals(store: Store, count_max: int) -> tuple[Refusal, ...]:
    """Return the latest refused objects, the latest first."""
    statement = select(rejections).order_by(rejections.c.id.desc()).limit(count_max)
    with store.reading() as connection:
        return tuple(_refusal(row) for row in connection.execute(statement).mappings())


def _refusal(row: Any) -> Refusal:
    return Refusal(
        rejection=Rejection(row["path"], row["reason"], row["message"], row["kind"]),
        received_at=row["received_at"],
        origin=Origin(row["origin"]),
        calling_ae=row["calling_ae"],
        peer_address=row["peer_address"],
        spool_key=row["spool_key"],
        quarantine_key=row["quarantine_key"],
    )


# --- spool and rows ------------------------------------------------------------------------------


def unknown_keys(store: Store, keys: Iterable[str]) -> Iterator[str]:
    """Yield those spool keys that have no row and are not on their way out: adopt them."""
    for part in parts(keys):
        with store.reading() as connection:
            rows = select(instances.c.spool_key).where(instances.c.spool_key.in_(part))
            going = select(removals.c.spool_key).where(removals.c.spool_key.in_(part))
            known = set(connection.scalars(rows.union_all(going)))
        yield from (key for key in part if key not in known)


def rows_without_record(store: Store, has_record: Callable[[str], bool]) -> Iterator[str]:
    """Yield the spool keys of rows whose record is missing: each is an alarm."""
    last = ""
    while True:
        following = (
            select(instances.c.spool_key)
            .where(instances.c.spool_key > last)
            .order_by(instances.c.spool_key)
            .limit(KEYS_PER_QUERY)
        )
        with store.reading() as connection:
            keys = list(connection.scalars(following))
        if not keys:
            return
        yield from (key for key in keys if not has_record(key))
        last = keys[-1]


def removals_due(store: Store, before: datetime | None = None) -> tuple[str, ...]:
    """Return the spool keys that are to be removed: repeats, and objects that were deleted.

    Parameters
    ----------
    before
        Only those that were let go before this time; None = all.
    """
    due = select(removals.c.spool_key)
    if before is not None:
        due = due.where(removals.c.at < before)
    with store.reading() as connection:
        return tuple(connection.scalars(due))


def removed(store: Store, keys: Iterable[str]) -> None:
    """Note that these records are gone from the spool for good."""
    with store.writing() as connection:
        for part in parts(keys):
            connection.execute(delete(removals).where(removals.c.spool_key.in_(part)))


def stand_in(store: Store, repeat: Recorded) -> bool:
    """Let the copy that a repeat brought take the place of a record that is missing.

    For a repeat whose `kept_key` the spool has no more; the copy is then not to be removed.
    Return whether there was such a row.
    """
    with store.taking_turns() as connection:
        moved = connection.execute(
            update(instances)
            .where(instances.c.spool_key == repeat.kept_key)
            .values(spool_key=repeat.spool_key)
        )
        connection.execute(delete(removals).where(removals.c.spool_key == repeat.spool_key))
        return moved.rowcount == 1


def instances_of(store: Store, key: str, revision: int) -> tuple[Instance, ...]:
    """Return the readable instances of a series up to `revision`, in the order of arrival.

    `source` is the spool key, `digest` the SHA-256 of the data set. Those of a settled revision
    never change: what comes later belongs to the next one.
    """
    statement = (
        select(instances.c.spool_key, instances.c.header)
        .where(instances.c.series_key == key, instances.c.revision <= revision)
        .order_by(instances.c.spool_key)
    )
    with store.reading() as connection:
        rows = connection.execute(statement).all()
    return tuple(
        attrs.evolve(documents.read(row.header, Instance), source=row.spool_key) for row in rows
    )


def first_instance_of(store: Store, key: str) -> Instance | None:
    """Return one object of a series, to say whose it is; None if none can be read."""
    statement = (
        select(instances.c.header)
        .where(instances.c.series_key == key, instances.c.header.is_not(None))
        .order_by(instances.c.received_at, instances.c.spool_key)
        .limit(1)
    )
    with store.reading() as connection:
        header = connection.scalar(statement)
    return None if header is None else documents.read(header, Instance)


def held_elsewhere(store: Store, key: str, count_max: int) -> tuple[str, ...]:
    """Return SOP Instance UIDs of a series that other studies hold in another series, too."""
    own, other = instances.alias("own"), instances.alias("other")
    here, there = series.alias("here"), series.alias("there")
    statement = (
        select(own.c.sop_instance_uid)
        .join(other, own.c.sop_key == other.c.sop_key)
        .join(here, here.c.series_key == own.c.series_key)
        .join(there, there.c.series_key == other.c.series_key)
        .where(
            own.c.series_key == key,
            there.c.study_key != here.c.study_key,
            there.c.series_instance_uid != here.c.series_instance_uid,
        )
        .distinct()
        .order_by(own.c.sop_instance_uid)
        .limit(count_max)
    )
    with store.reading() as connection:
        return tuple(connection.scalars(statement))


def repeats_of(store: Store, key: str) -> int:
    """Return how many times objects of a series came again, byte for byte."""
    statement = select(func.coalesce(func.sum(instances.c.repeat_count), 0)).where(
        instances.c.series_key == key
    )
    with store.reading() as connection:
        return int(connection.execute(statement).scalar_one())
