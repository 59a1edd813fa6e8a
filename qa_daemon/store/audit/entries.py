"""Entries of the audit: appended in the transaction of the deed, read in order, never changed.

Appending takes turns, here and on other machines, until the transaction ends: note it last.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Final

import attrs
from attrs import frozen
from sqlalchemy import Connection, RowMapping, func, insert, select, text, update

from qa_daemon.records.element import first_text
from qa_daemon.records.instance import Instance
from qa_daemon.store import documents
from qa_daemon.store.audit.chain import BEGINNING, AuditEntry, Sealed, digest
from qa_daemon.store.database import Store
from qa_daemon.store.tables import audit, audit_shipped, findings, instances, series, storable

#: Names the advisory lock under which PostgreSQL appends, one at a time.
AUDIT_LOCK: Final = 0x51AD_0002
#: Entries fetched at once: a site's audit of years does not fit in memory.
ENTRIES_PER_QUERY: Final = 1000
#: A name of 64 KB is kept elsewhere; here it is cut.
TEXT_LENGTH_MAX: Final = 1024


@frozen
class Operator:
    """Who acts, when, and from which address."""

    who: str
    at: datetime
    address: str = ""


@frozen(kw_only=True)
class Concerned:
    """The patient and the study that a deed is about."""

    patient_id: str = ""
    patient_name: str = ""
    study_instance_uid: str = ""


NOBODY: Final = Concerned()


@frozen(kw_only=True)
class Deed:
    """What was done, to what, and whom it concerns; the fields are those of `AuditEntry`."""

    action: str
    subject: str
    detail: str = ""
    concerned: Concerned = NOBODY
    outcome: int = 0


def append(connection: Connection, operator: Operator, deed: Deed) -> None:
    """Keep what somebody did, in the transaction in which it is done, as its last statement."""
    entry = AuditEntry(
        at=operator.at,
        who=_kept(operator.who),
        action=deed.action,
        subject=_kept(deed.subject),
        detail=_kept(deed.detail),
        address=_kept(operator.address),
        outcome=deed.outcome,
        patient_id=_kept(deed.concerned.patient_id),
        patient_name=_kept(deed.concerned.patient_name),
        study_instance_uid=_kept(deed.concerned.study_instance_uid),
    )
    if connection.dialect.name == "postgresql":
        connection.execute(text(f"SELECT pg_advisory_xact_lock({AUDIT_LOCK})"))
    last = select(audit.c.chain).order_by(audit.c.id.desc()).limit(1)
    previous = connection.scalar(last) or BEGINNING
    sealed = {"previous": previous, "chain": digest(entry, previous)}
    connection.execute(insert(audit).values(**attrs.asdict(entry), **sealed))


def note_audit(
    connection: Connection, operator: Operator, action: str, subject: str, detail: str = ""
) -> None:
    """Keep, as `append` does, a deed that concerns no patient."""
    append(connection, operator, Deed(action=action, subject=subject, detail=detail))


def note(store: Store, operator: Operator, deed: Deed) -> None:
    """Keep a deed that writes nothing else: an export, a failed sign-in."""
    with store.writing() as connection:
        append(connection, operator, deed)


def note_view(store: Store, operator: Operator, series_key: str) -> None:
    """Keep that somebody was shown a series."""
    with store.writing() as connection:
        concerned = concerned_by(connection, series_key)
        append(connection, operator, Deed(action="view", subject=series_key, concerned=concerned))


def concerned_by(connection: Connection, series_key: str | None) -> Concerned:
    """Return whom a series shows, as its objects say it."""
    if not series_key:
        return NOBODY
    of_series = series.c.series_key == series_key
    study = connection.scalar(select(series.c.study_instance_uid).where(of_series)) or ""
    readable = (instances.c.series_key == series_key, instances.c.header.is_not(None))
    header = connection.scalar(select(instances.c.header).where(*readable).limit(1))
    if header is None:
        return Concerned(study_instance_uid=study)
    elements = documents.read(header, Instance).elements
    return Concerned(
        patient_id=first_text(elements, "PatientID"),
        patient_name=first_text(elements, "PatientName"),
        study_instance_uid=study,
    )


def concerned_by_finding(connection: Connection, finding_id: int) -> Concerned:
    """Return whom a finding is about; of a whole study's, by one of its series."""
    of_finding = findings.c.id == finding_id
    key = connection.scalar(select(findings.c.series_key).where(of_finding))
    if key is None:
        study = select(findings.c.study_key).where(of_finding).scalar_subquery()
        of_study = select(series.c.series_key).where(series.c.study_key == study)
        key = connection.scalar(of_study.order_by(series.c.series_key).limit(1))
    return concerned_by(connection, key)


def audit_entries(store: Store, count_max: int) -> tuple[AuditEntry, ...]:
    """Return what people did, the latest first."""
    statement = select(audit).order_by(audit.c.id.desc()).limit(count_max)
    with store.reading() as connection:
        return tuple(_sealed(row).entry for row in connection.execute(statement).mappings())


def last_detail(store: Store, action: str) -> str:
    """Return what was last said of a deed; "" if it never was done."""
    wanted = select(audit.c.detail).where(audit.c.action == action).order_by(audit.c.id.desc())
    with store.reading() as connection:
        return connection.scalar(wanted.limit(1)) or ""


def entries_after(store: Store, last_id: int = 0) -> Iterator[Sealed]:
    """Yield the entries behind one, in their order, a handful at a time."""
    while True:
        behind = select(audit).where(audit.c.id > last_id).order_by(audit.c.id)
        with store.reading() as connection:
            rows = connection.execute(behind.limit(ENTRIES_PER_QUERY)).mappings().all()
        yield from (_sealed(row) for row in rows)
        if len(rows) < ENTRIES_PER_QUERY:
            return
        last_id = rows[-1]["id"]


def shipped(store: Store, target: str) -> int:
    """Return the number of the last entry that has gone to `target`, 0 before the first."""
    wanted = select(audit_shipped.c.last_id).where(audit_shipped.c.target == target)
    with store.reading() as connection:
        return connection.scalar(wanted) or 0


def note_shipped(store: Store, target: str, last_id: int, now: datetime) -> None:
    """Keep how far the audit has gone to `target`."""
    own = audit_shipped.c.target == target
    with store.writing() as connection:
        moved = connection.execute(update(audit_shipped).where(own).values(last_id=last_id, at=now))
        if moved.rowcount == 0:
            values = {"target": target, "last_id": last_id, "at": now}
            connection.execute(insert(audit_shipped).values(values))


def count_after(store: Store, last_id: int) -> int:
    """Return how many entries stand behind one."""
    wanted = select(func.count()).select_from(audit).where(audit.c.id > last_id)
    with store.reading() as connection:
        return connection.scalar(wanted) or 0


def _sealed(row: RowMapping) -> Sealed:
    names = [attribute.name for attribute in attrs.fields(AuditEntry)]
    return Sealed(
        row["id"], AuditEntry(**{name: row[name] for name in names}), row["previous"], row["chain"]
    )


def _kept(given: str) -> str:
    """Return text as the database will give it back, or the digest would be of other words."""
    return storable(given)[:TEXT_LENGTH_MAX]
