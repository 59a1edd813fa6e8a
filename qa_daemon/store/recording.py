"""Recording: what a batch of receipts changes in objects and series, in one transaction."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import attrs
from sqlalchemy import Connection, bindparam, insert, select, update

from qa_daemon.records.element import first_text
from qa_daemon.records.instance import Instance
from qa_daemon.records.receipt import Receipt, Recorded, Recording
from qa_daemon.records.states import SUPERSEDABLE, SeriesState, SuggestionState
from qa_daemon.store import documents, tables
from qa_daemon.store.database import Store, parts
from qa_daemon.store.listing import listed_rows
from qa_daemon.store.tables import (
    findings,
    instances,
    removals,
    series,
    series_associations,
    suggestions,
)


@attrs.define
class _Series:
    """The row of a series while a batch is worked through."""

    row: dict[str, Any]
    is_new: bool = False
    is_reopened: bool = False
    is_changed: bool = False
    associations: set[tuple[int, str]] = attrs.field(factory=set)


@attrs.define
class _Batch:
    """What the database knows of a batch of receipts, and what the batch adds to it."""

    now: datetime
    known: set[str]  # spool keys with a row, or on their way out
    kept: dict[str, tuple[str, str]]  # content key -> spool key, series key
    sops: set[str]
    series: dict[str, _Series]
    new_rows: list[dict[str, Any]] = attrs.field(factory=list)
    repeats: dict[str, int] = attrs.field(factory=dict)  # spool key kept -> how often again
    removable: list[str] = attrs.field(factory=list)


def record(store: Store, receipts: Sequence[Receipt], now: datetime) -> tuple[Recorded, ...]:
    """Give every receipt its row, in one transaction; a receipt recorded before changes nothing.

    A repeat (same SOP Instance UID, transfer syntax and bytes) is counted, and its spool key put
    among `removals`: take it out of the spool, then call `removed`. A readable object makes or
    extends its series; a series that had settled is received anew under the next revision, and
    what was suggested for the older one is superseded.

    Parameters
    ----------
    now
        Becomes the time of the series' last arrival, so that a late row delays the settling.
    """
    answers: list[Recorded] = []
    with store.taking_turns() as connection:
        for part in parts(receipts):
            batch = _known(connection, part, now)
            answers += [_place(batch, receipt) for receipt in part]
            _write(connection, batch)
    return tuple(answers)


def _uid(receipt: Receipt) -> str:
    instance = receipt.instance
    return receipt.envelope.sop_instance_uid if instance is None else instance.sop_instance_uid


def _content_key(receipt: Receipt) -> str:
    instance, envelope = receipt.instance, receipt.envelope
    syntax = envelope.transfer_syntax_uid if instance is None else instance.transfer_syntax_uid
    return tables.content_key(_uid(receipt), syntax, receipt.record.data_set_sha256)


def _series_key(instance: Instance) -> str:
    return tables.series_key(instance.study_instance_uid, instance.series_instance_uid)


def _known(connection: Connection, receipts: Sequence[Receipt], now: datetime) -> _Batch:
    keys = [receipt.record.key for receipt in receipts]
    contents = [_content_key(receipt) for receipt in receipts]
    sops = [tables.sop_key(_uid(receipt)) for receipt in receipts]
    wanted = {_series_key(receipt.instance) for receipt in receipts if receipt.instance}
    lying = connection.execute(
        select(instances.c.content_key, instances.c.spool_key, instances.c.series_key).where(
            instances.c.content_key.in_(contents) | instances.c.spool_key.in_(keys)
        )
    ).all()
    going = select(removals.c.spool_key).where(removals.c.spool_key.in_(keys))
    rows = connection.execute(
        select(series)
        .where(series.c.series_key.in_(wanted))
        .order_by(series.c.series_key)
        .with_for_update()
    ).mappings()
    return _Batch(
        now=now,
        known={row.spool_key for row in lying} | set(connection.scalars(going)),
        kept={row.content_key: (row.spool_key, row.series_key or "") for row in lying},
        sops=set(
            connection.scalars(
                select(instances.c.sop_key).where(instances.c.sop_key.in_(sops)).distinct()
            )
        ),
        series={row["series_key"]: _Series(dict(row)) for row in rows},
    )


def _place(batch: _Batch, receipt: Receipt) -> Recorded:
    key, content = receipt.record.key, _content_key(receipt)
    if key in batch.known:
        kept, of_series = batch.kept.get(content, (key, ""))
        return _answer(batch, Recorded(key, Recording.KNOWN, kept, of_series))
    batch.known.add(key)
    if content in batch.kept:
        kept, of_series = batch.kept[content]
        batch.repeats[kept] = batch.repeats.get(kept, 0) + 1
        batch.removable.append(key)
        _seen_again(batch, of_series)
        return _answer(batch, Recorded(key, Recording.REPEAT, kept, of_series))
    sop = tables.sop_key(_uid(receipt))
    outcome = Recording.COLLIDING if sop in batch.sops else Recording.NEW
    batch.sops.add(sop)
    if receipt.instance is None:
        of_series, revision = "", 0
    else:
        of_series, revision = _extend(batch, receipt, receipt.instance)
    batch.kept[content] = (key, of_series)
    batch.new_rows.append(_row(receipt, of_series, revision))
    return Recorded(key, outcome, key, of_series, revision)


def _answer(batch: _Batch, recorded: Recorded) -> Recorded:
    found = batch.series.get(recorded.series_key)
    return attrs.evolve(recorded, revision=found.row["revision"]) if found else recorded


def _seen_again(batch: _Batch, of_series: str) -> None:
    """Let a series that is being received wait: a sender that repeats is still at it."""
    found = batch.series.get(of_series)
    if found is not None and found.row["state"] == SeriesState.RECEIVING:
        found.row["last_received_at"] = max(found.row["last_received_at"], batch.now)
        found.is_changed = True


def _extend(batch: _Batch, receipt: Receipt, instance: Instance) -> tuple[str, int]:
    key, envelope = _series_key(instance), receipt.envelope
    found = batch.series.get(key)
    if found is None:
        row = _new_series(key, receipt, instance, batch.now)
        found = batch.series[key] = _Series(row, is_new=True)
    row = found.row
    if row["state"] != SeriesState.RECEIVING:
        found.is_reopened = True
        row |= {
            "state": SeriesState.RECEIVING.value,
            "state_since": batch.now,
            "revision": row["revision"] + 1,
            "begun_at": envelope.received_at,
            "calling_ae": envelope.calling_ae,
            "lease_until": None,
            # Whoever is at work on the older revision writes nothing any more.
            "lease_fence": row["lease_fence"] + 1,
            "attempts": 0,
            "reason": "",
        }
    row["instance_count"] += 1
    row["begun_at"] = min(row["begun_at"], envelope.received_at)
    row["first_received_at"] = min(row["first_received_at"], envelope.received_at)
    row["last_received_at"] = max(row["last_received_at"], envelope.received_at, batch.now)
    found.associations.add((row["revision"], tables.storable(envelope.association_id)))
    found.is_changed = True
    return key, row["revision"]


def _visit(instance: Instance) -> dict[str, str]:
    """Return what a series is found by when orders of its patient are told."""
    patient = first_text(instance.elements, "PatientID")
    day = first_text(instance.elements, "StudyDate")
    issuer = first_text(instance.elements, "IssuerOfPatientID")
    return {
        "visit_key": tables.visit_key(patient, issuer, day) if patient and day else "",
        "patient_key": tables.patient_key(patient) if patient else "",
        "study_date": tables.storable(day),
    }


def _new_series(key: str, receipt: Receipt, instance: Instance, now: datetime) -> dict[str, Any]:
    received_at = receipt.envelope.received_at
    return {
        "series_key": key,
        "study_key": tables.study_key(instance.study_instance_uid),
        **_visit(instance),
        "study_instance_uid": instance.study_instance_uid,
        "series_instance_uid": instance.series_instance_uid,
        "modality": first_text(instance.elements, "Modality"),
        "calling_ae": receipt.envelope.calling_ae,
        "state": SeriesState.RECEIVING.value,
        "state_since": now,
        "revision": 1,
        "first_received_at": received_at,
        "begun_at": received_at,
        "last_received_at": received_at,
        "instance_count": 0,
        "lease_until": None,
        "lease_fence": 0,
        "attempts": 0,
        "reason": "",
    }


def _row(receipt: Receipt, of_series: str, revision: int) -> dict[str, Any]:
    envelope, instance, rejection = receipt.envelope, receipt.instance, receipt.rejection
    header = None
    if instance is not None:
        digest = receipt.record.data_set_sha256
        header = documents.written(attrs.evolve(instance, source=receipt.record.key, digest=digest))
    return {
        "spool_key": receipt.record.key,
        "content_key": _content_key(receipt),
        "sop_key": tables.sop_key(_uid(receipt)),
        "series_key": of_series or None,
        "revision": revision,
        "sop_instance_uid": _uid(receipt),
        "digest": receipt.record.data_set_sha256,
        "length": receipt.record.length,
        "origin": envelope.origin.value,
        "calling_ae": envelope.calling_ae,
        "peer_address": envelope.peer_address,
        "association_id": envelope.association_id,
        "file_name": envelope.file_name,
        "received_at": envelope.received_at,
        "header": header,
        "reason": rejection.reason if rejection else "",
        "kind": rejection.kind if rejection else "",
        "repeat_count": 0,
    }


def _write(connection: Connection, batch: _Batch) -> None:
    _write_series(connection, batch)
    if batch.new_rows:
        connection.execute(insert(instances), batch.new_rows)
    for key, times in batch.repeats.items():
        connection.execute(
            update(instances)
            .where(instances.c.spool_key == key)
            .values(repeat_count=instances.c.repeat_count + times)
        )
    if batch.removable:
        connection.execute(
            insert(removals), [{"spool_key": key, "at": batch.now} for key in batch.removable]
        )


def _write_series(connection: Connection, batch: _Batch) -> None:
    # In one order, so that two transactions never wait for each other in a circle.
    changed = [found for _, found in sorted(batch.series.items()) if found.is_changed]
    new = [found.row for found in changed if found.is_new]
    if new:
        connection.execute(insert(series), new)
    older = [found.row for found in changed if not found.is_new]
    if older:
        names = [column.name for column in series.c if column.name != "series_key"]
        statement = (
            update(series)
            .where(series.c.series_key == bindparam("of_key"))
            .values({name: bindparam(f"new_{name}") for name in names})
        )
        connection.execute(
            statement,
            [
                {"of_key": row["series_key"]} | {f"new_{name}": row[name] for name in names}
                for row in older
            ],
        )
    reopened = [found.row["series_key"] for found in changed if found.is_reopened]
    if reopened:
        supersede(connection, reopened, batch.now)
    _note_associations(connection, changed)


def _note_associations(connection: Connection, changed: Sequence[_Series]) -> None:
    noted = series_associations.c
    rows = [
        {"series_key": found.row["series_key"], "revision": revision, "association_id": brought_by}
        for found in changed
        for revision, brought_by in found.associations
    ]
    keys = [found.row["series_key"] for found in changed]
    lying = {
        tuple(row)
        for row in connection.execute(select(series_associations).where(noted.series_key.in_(keys)))
    }
    new = [row for row in rows if tuple(row.values()) not in lying]
    if new:
        connection.execute(insert(series_associations), new)


def supersede(connection: Connection, series_keys: Sequence[str], now: datetime) -> None:
    """Take back what was suggested for these series and nobody has decided."""
    of_series = select(findings.c.id).where(findings.c.series_key.in_(series_keys))
    connection.execute(
        update(suggestions)
        .where(suggestions.c.finding_id.in_(of_series), suggestions.c.state.in_(SUPERSEDABLE))
        .values(state=SuggestionState.SUPERSEDED.value, changed_at=now)
    )
    listed_rows.supersede(connection, series_keys)
