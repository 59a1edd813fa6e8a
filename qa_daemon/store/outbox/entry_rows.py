"""Change sets and their ways out, written with the decision and withdrawn with it."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, insert, select, update

from qa_daemon.records.change_set import ChangeSet, EntryState
from qa_daemon.store import documents
from qa_daemon.store.database import Transaction
from qa_daemon.store.outbox.tables import change_sets, outbox

#: What an undone act has nothing to fear of.
_GONE = (EntryState.WITHDRAWN.value, EntryState.SUPERSEDED.value, EntryState.DROPPED.value)


def put(
    connection: Transaction,
    act_id: int,
    decided: Sequence[tuple[int, ChangeSet]],
    channels: Sequence[str],
    due_at: datetime,
) -> None:
    """Let change sets, with the decision of each, leave by every channel, no sooner than due."""
    if not decided or not channels:
        return
    now = max(change_set.decided_at for _, change_set in decided)
    sets = [
        {
            "uid": change_set.uid,
            "act_id": act_id,
            "decision_id": decision_id,
            "series_key": change_set.series_key,
            "document": documents.written(change_set),
        }
        for decision_id, change_set in decided
    ]
    entries = [
        {
            "change_set_uid": change_set.uid,
            "channel": channel,
            "state": EntryState.QUEUED.value,
            "due_at": due_at,
            "attempts": 0,
            "lease_until": None,
            "lease_fence": 0,
            "changed_at": now,
            "answer": "",
        }
        for _, change_set in decided
        for channel in channels
    ]
    connection.execute(insert(change_sets), sets)
    connection.execute(insert(outbox), entries)


def withdraw(connection: Transaction, act_id: int, now: datetime) -> bool:
    """Keep what an act wanted to send from leaving; False if any of it may have left."""
    own = select(change_sets.c.uid).where(change_sets.c.act_id == act_id)
    untouched = (
        outbox.c.change_set_uid.in_(own),
        outbox.c.state == EntryState.QUEUED.value,
        outbox.c.attempts == 0,
        outbox.c.lease_until.is_(None),
    )
    values = {"state": EntryState.WITHDRAWN.value, "changed_at": now}
    connection.execute(update(outbox).where(*untouched).values(values))
    left = (
        select(func.count())
        .select_from(outbox)
        .where(outbox.c.change_set_uid.in_(own), outbox.c.state.not_in(_GONE))
    )
    return connection.scalar(left) == 0


def change_set_of(connection: Transaction, decision_id: int) -> ChangeSet | None:
    """Return what a decision wants to be written; None where nothing leaves."""
    statement = select(change_sets.c.document).where(change_sets.c.decision_id == decision_id)
    text = connection.scalar(statement)
    return None if text is None else documents.read(text, ChangeSet)
