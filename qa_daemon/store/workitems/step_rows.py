"""Work items that somebody has claimed: read and written within one transaction."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from attrs import frozen
from sqlalchemy import Connection, delete, func, insert, select

from qa_daemon.store.database import Store
from qa_daemon.store.workitems.tables import workitem_events, workitems

#: Events that are kept; a listener that was away longer asks for the list anew.
EVENTS_MAX: Final = 10_000


@frozen(kw_only=True)
class StepRow:
    """What a performer has done with a work item."""

    finding_id: int
    state: str
    transaction_uid: str
    who: str
    performed: str
    progress: str
    changed_at: datetime


@frozen(kw_only=True)
class EventRow:
    """Something that happened to a work item.

    Attributes
    ----------
    kind
        `state`, `progress` or `cancel`.
    """

    id: int
    finding_id: int
    kind: str
    document: str
    at: datetime


_COLUMNS: Final = tuple(column.name for column in workitems.c)


def step_of(connection: Connection, finding_id: int) -> StepRow | None:
    """Return what was done with a work item; None if nothing was."""
    own = select(workitems).where(workitems.c.finding_id == finding_id)
    row = connection.execute(own).mappings().one_or_none()
    return None if row is None else _step(row)


def steps_of(store: Store, finding_ids: Sequence[int]) -> dict[int, StepRow]:
    """Return what was done with some work items, by finding; at most a page of them."""
    own = select(workitems).where(workitems.c.finding_id.in_(finding_ids))
    with store.reading() as connection:
        return {row["finding_id"]: _step(row) for row in connection.execute(own).mappings()}


def keep(connection: Connection, step: StepRow) -> None:
    """Write a work item in place of what stood there."""
    connection.execute(delete(workitems).where(workitems.c.finding_id == step.finding_id))
    connection.execute(insert(workitems).values({name: getattr(step, name) for name in _COLUMNS}))


def tell(connection: Connection, finding_id: int, kind: str, document: str, at: datetime) -> None:
    """Keep an event for those who listen; the oldest go."""
    values = {"finding_id": finding_id, "kind": kind, "document": document, "at": at}
    made = connection.execute(insert(workitem_events).values(values)).inserted_primary_key
    assert made is not None
    gone = workitem_events.c.id <= made.id - EVENTS_MAX
    connection.execute(delete(workitem_events).where(gone))


def last_event(store: Store) -> int:
    """Return the number of the latest event, 0 before the first."""
    with store.reading() as connection:
        return connection.scalar(select(func.max(workitem_events.c.id))) or 0


def events_after(store: Store, number: int, count_max: int) -> tuple[EventRow, ...]:
    """Return events after one, in their order."""
    statement = (
        select(workitem_events)
        .where(workitem_events.c.id > number)
        .order_by(workitem_events.c.id)
        .limit(count_max)
    )
    with store.reading() as connection:
        return tuple(EventRow(**row) for row in connection.execute(statement).mappings())


def _step(row: Any) -> StepRow:
    return StepRow(**{name: row[name] for name in _COLUMNS})
