"""Entries on their way: claimed by one sender at a time, with the answer that they got.

Whoever claims an entry gets a fence, as with leases of series: a sender that slept too long notes
nothing.
"""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any

from attrs import frozen
from sqlalchemy import exists, func, select, update

from qa_daemon.records.change_set import ChangeKind, ChangeSet, EntryState
from qa_daemon.records.states import SeriesEvent, SeriesState, SuggestionState
from qa_daemon.store import documents
from qa_daemon.store.audit.entries import Deed, Operator, append, concerned_by, note_audit
from qa_daemon.store.database import Store, Transaction
from qa_daemon.store.outbox.tables import change_sets, outbox
from qa_daemon.store.review import decision_rows
from qa_daemon.store.tables import decisions, findings, series, suggestions

#: As much of a peer's answer as is kept.
ANSWER_LENGTH_MAX = 500
#: Under this name the audit knows what no person does.
_WHO = "qa-daemon"
#: Event Outcome Indicator of a serious failure (PS3.15 A.5.1).
_FAILED = 8


@frozen(kw_only=True)
class Entry:
    """A change set on its way to one place."""

    id: int
    channel: str
    attempts: int
    fence: int
    change_set: ChangeSet


def claim(
    store: Store, now: datetime, lease_s: float, resting: Collection[str] = ()
) -> Entry | None:
    """Take the entry that is due longest; None if none is.

    Entries of one series go to one place in their order. What a newer revision has overtaken, or
    whose finding is gone, does not leave: it is noted as superseded.

    Parameters
    ----------
    resting
        Places that are not tried now.
    """
    with store.writing() as connection:
        while (row := _next(connection, now, lease_s, resting)) is not None:
            change_set = documents.read(row.document, ChangeSet)
            if not _is_overtaken(connection, row.decision_id, change_set):
                return Entry(
                    id=row.id,
                    channel=row.channel,
                    attempts=row.attempts,
                    fence=row.lease_fence,
                    change_set=change_set,
                )
            values = {
                "state": EntryState.SUPERSEDED.value,
                "lease_until": None,
                "changed_at": now,
            }
            connection.execute(update(outbox).where(outbox.c.id == row.id).values(values))
    return None


def _next(connection: Transaction, now: datetime, lease_s: float, resting: Collection[str]) -> Any:
    due, earlier = outbox.alias("due"), outbox.alias("earlier")
    own, other = change_sets.alias("own"), change_sets.alias("other")
    before = exists(
        select(earlier.c.id)
        .join(other, other.c.uid == earlier.c.change_set_uid)
        .where(
            earlier.c.channel == due.c.channel,
            earlier.c.state == EntryState.QUEUED.value,
            earlier.c.id < due.c.id,
            other.c.series_key == own.c.series_key,
            other.c.series_key != "",
        )
    )
    candidate = (
        select(due.c.id)
        .join(own, own.c.uid == due.c.change_set_uid)
        .where(
            due.c.state == EntryState.QUEUED.value,
            due.c.due_at <= now,
            due.c.lease_until.is_(None) | (due.c.lease_until <= now),
            due.c.channel.not_in(list(resting)),
            ~before,
        )
        .order_by(due.c.due_at, due.c.id)
        .limit(1)
        .with_for_update(skip_locked=True, of=due)
        .scalar_subquery()
    )
    taken = (
        update(outbox)
        .where(outbox.c.id == candidate)
        .values(
            lease_until=now + timedelta(seconds=lease_s),
            lease_fence=outbox.c.lease_fence + 1,
            attempts=outbox.c.attempts + 1,
            changed_at=now,
        )
        .returning(outbox.c.id)
    )
    key = connection.scalar(taken)
    if key is None:
        return None
    whole = (
        select(outbox, change_sets.c.document, change_sets.c.decision_id)
        .join(change_sets, change_sets.c.uid == outbox.c.change_set_uid)
        .where(outbox.c.id == key)
    )
    return connection.execute(whole).one()


def _is_overtaken(connection: Transaction, decision_id: int | None, change_set: ChangeSet) -> bool:
    """Whether what was decided is of yesterday; what puts back is never."""
    if change_set.kind is ChangeKind.REVERSE:
        return False
    found = (
        select(findings.c.revision, series.c.revision.label("revision_now"))
        .select_from(
            decisions.join(findings, findings.c.id == decisions.c.finding_id).outerjoin(
                series, series.c.series_key == findings.c.series_key
            )
        )
        .where(decisions.c.id == decision_id)
    )
    row = connection.execute(found).one_or_none()
    return row is None or row.revision_now not in {None, row.revision}


def sent(store: Store, entry: Entry, answer: str, now: datetime) -> bool:
    """Note that a place has it; False if another sender has the entry now."""
    with store.taking_turns() as connection:
        if not _end(connection, entry, EntryState.SENT, answer, now):
            return False
        _mark_exported(connection, entry.change_set, now)
        _audit(connection, entry, "export sent", now)
    return True


def refused(store: Store, entry: Entry, answer: str, now: datetime) -> bool:
    """Park an entry until a person looks; False if another sender has it now."""
    with store.writing() as connection:
        if not _end(connection, entry, EntryState.REFUSED, answer, now):
            return False
        _audit(connection, entry, "export refused", now)
    return True


def later(store: Store, entry: Entry, answer: str, due_at: datetime, now: datetime) -> bool:
    """Let an entry be tried again; False if another sender has it now."""
    values = {"lease_until": None, "due_at": due_at, "changed_at": now, "answer": _cut(answer)}
    with store.writing() as connection:
        return connection.execute(update(outbox).where(*_held(entry)).values(values)).rowcount == 1


def _end(
    connection: Transaction, entry: Entry, state: EntryState, answer: str, now: datetime
) -> bool:
    values = {
        "state": state.value,
        "lease_until": None,
        "changed_at": now,
        "answer": _cut(answer),
    }
    return connection.execute(update(outbox).where(*_held(entry)).values(values)).rowcount == 1


def _held(entry: Entry) -> tuple[Any, ...]:
    return (
        outbox.c.id == entry.id,
        outbox.c.lease_fence == entry.fence,
        outbox.c.state == EntryState.QUEUED.value,
    )


def _audit(connection: Transaction, entry: Entry, action: str, now: datetime) -> None:
    said = entry.change_set
    deed = Deed(
        action=action,
        subject=said.uid,
        detail=entry.channel,
        concerned=concerned_by(connection, said.series_key),
        outcome=0 if action == "export sent" else _FAILED,
    )
    append(connection, Operator(_WHO, now), deed)


def _cut(answer: str) -> str:
    return answer[:ANSWER_LENGTH_MAX]


def _mark_exported(connection: Transaction, change_set: ChangeSet, now: datetime) -> None:
    """Take suggestion and series along once every place has what was decided."""
    if change_set.kind is ChangeKind.CHANGE and not _waits(
        connection, change_sets.c.uid == change_set.uid
    ):
        own = (
            suggestions.c.finding_id == change_set.finding_id,
            suggestions.c.state == SuggestionState.ACCEPTED.value,
        )
        exported = {"state": SuggestionState.EXPORTED.value, "changed_at": now}
        connection.execute(update(suggestions).where(*own).values(exported))
    key = change_set.series_key
    if key and not _waits(connection, change_sets.c.series_key == key):
        state = connection.scalar(select(series.c.state).where(series.c.series_key == key))
        if state == SeriesState.DECIDED.value:
            decision_rows.advance(connection, key, SeriesEvent.DELIVER, now)


def _waits(connection: Transaction, condition: Any) -> bool:
    waiting = (EntryState.QUEUED.value, EntryState.REFUSED.value)
    statement = (
        select(func.count())
        .select_from(outbox.join(change_sets, change_sets.c.uid == outbox.c.change_set_uid))
        .where(condition, outbox.c.state.in_(waiting))
    )
    return bool(connection.scalar(statement))


# --- people --------------------------------------------------------------------------------------


@frozen(kw_only=True)
class EntryRow:
    """An entry as people see it."""

    id: int
    channel: str
    state: EntryState
    due_at: datetime
    attempts: int
    changed_at: datetime
    answer: str
    change_set: ChangeSet


@frozen(kw_only=True)
class Trouble:
    """What a banner says.

    Attributes
    ----------
    refused_count, retried_count
        Parked until a person looks; tried in vain and to be tried again.
    latest
        The one of them that changed last; None without trouble.
    """

    refused_count: int = 0
    retried_count: int = 0
    latest: EntryRow | None = None


def entry_list(
    store: Store, states: Collection[EntryState], count_max: int, *, before: int | None = None
) -> tuple[EntryRow, ...]:
    """Return entries in these states (of any, where none is named), the latest first.

    Parameters
    ----------
    before
        Only entries with a smaller number: the next page.
    """
    statement = _whole().order_by(outbox.c.id.desc()).limit(count_max)
    if states:
        statement = statement.where(outbox.c.state.in_([each.value for each in states]))
    if before is not None:
        statement = statement.where(outbox.c.id < before)
    with store.reading() as connection:
        return tuple(_row(row) for row in connection.execute(statement).mappings())


def entry_row(store: Store, entry_id: int) -> EntryRow | None:
    """Return one entry; None if there is none of this number."""
    with store.reading() as connection:
        statement = _whole().where(outbox.c.id == entry_id)
        row = connection.execute(statement).mappings().one_or_none()
    return None if row is None else _row(row)


def trouble(store: Store) -> Trouble:
    """Return what does not leave."""
    parked = outbox.c.state == EntryState.REFUSED.value
    retried = (outbox.c.state == EntryState.QUEUED.value) & (outbox.c.answer != "")
    with store.reading() as connection:
        counted = (
            select(func.count().filter(parked), func.count().filter(retried))
            .select_from(outbox)
            .where(parked | (outbox.c.state == EntryState.QUEUED.value))  # by the index
        )
        refused_count, retried_count = connection.execute(counted).one()
        if not refused_count + retried_count:
            return Trouble()
        last = _whole().where(parked | retried).order_by(outbox.c.changed_at.desc()).limit(1)
        row = connection.execute(last).mappings().one()
    return Trouble(refused_count=refused_count, retried_count=retried_count, latest=_row(row))


def retry(store: Store, entry_id: int, operator: Operator) -> bool:
    """Let a parked entry, or one that rests between two tries, be tried at once."""
    stuck = outbox.c.state.in_((EntryState.REFUSED.value, EntryState.QUEUED.value))
    values = {
        "state": EntryState.QUEUED.value,
        "due_at": operator.at,
        "attempts": 0,
        "changed_at": operator.at,
    }
    # One that waits for its undo window to close was never tried, and stays as it is.
    tried = (outbox.c.id == entry_id, stuck, outbox.c.answer != "", outbox.c.lease_until.is_(None))
    return _say(store, entry_id, update(outbox).where(*tried).values(values), "retry", operator)


def drop(store: Store, entry_id: int, operator: Operator) -> bool:
    """Give up an entry that has not left."""
    values = {"state": EntryState.DROPPED.value, "changed_at": operator.at}
    held = (
        outbox.c.id == entry_id,
        outbox.c.state.in_((EntryState.REFUSED.value, EntryState.QUEUED.value)),
        outbox.c.lease_until.is_(None) | (outbox.c.lease_until <= operator.at),
    )
    return _say(store, entry_id, update(outbox).where(*held).values(values), "drop", operator)


def _say(store: Store, entry_id: int, statement: Any, action: str, operator: Operator) -> bool:
    with store.writing() as connection:
        if connection.execute(statement).rowcount == 0:
            return False
        note_audit(connection, operator, action, f"outbox {entry_id}")
    return True


def _whole() -> Any:
    return select(outbox, change_sets.c.document).join(
        change_sets, change_sets.c.uid == outbox.c.change_set_uid
    )


def _row(row: Mapping[Any, Any]) -> EntryRow:
    return EntryRow(
        id=row["id"],
        channel=row["channel"],
        state=EntryState(row["state"]),
        due_at=row["due_at"],
        attempts=row["attempts"],
        changed_at=row["changed_at"],
        answer=row["answer"],
        change_set=documents.read(row["document"], ChangeSet),
    )
