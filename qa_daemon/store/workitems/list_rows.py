"""The worklist: which findings stand in which state as work items."""

from datetime import datetime
from typing import Any

from attrs import frozen
from sqlalchemy import ColumnElement, and_, func, or_, select

from qa_daemon.records.decision import Standing
from qa_daemon.records.finding import Severity
from qa_daemon.store import tables
from qa_daemon.store.database import Store
from qa_daemon.store.tables import findings, series
from qa_daemon.store.workitems.tables import workitems


@frozen(kw_only=True)
class WorklistFilter:
    """Which work items to list; what is None or empty does not matter."""

    states: tuple[str, ...] = ()
    finding_ids: tuple[int, ...] | None = None
    severities: tuple[Severity, ...] = ()
    study_instance_uid: str | None = None
    made_from: datetime | None = None
    made_until: datetime | None = None


@frozen
class Page:
    """Some findings in the order of their numbers, and how many come after them."""

    finding_ids: tuple[int, ...]
    remaining: int


def worklist(store: Store, wanted: WorklistFilter, offset: int, limit: int) -> Page:
    """Return the findings of a page of the worklist, those of current revisions only."""
    joined = findings.outerjoin(series, series.c.series_key == findings.c.series_key).outerjoin(
        workitems, workitems.c.finding_id == findings.c.id
    )
    conditions = [
        findings.c.severity > Severity.INFO.value,
        or_(findings.c.series_key.is_(None), findings.c.revision == series.c.revision),
        *_conditions(wanted),
    ]
    page = (
        select(findings.c.id)
        .select_from(joined)
        .where(*conditions)
        .order_by(findings.c.id)
        .offset(offset)
        .limit(limit)
    )
    count = select(func.count()).select_from(joined).where(*conditions)
    with store.reading() as connection:
        ids = tuple(connection.scalars(page))
        total = connection.scalar(count) or 0
    return Page(ids, max(0, total - offset - len(ids)))


def _conditions(wanted: WorklistFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if wanted.states:
        conditions.append(or_(*(_is_in(state) for state in wanted.states)))
    if wanted.finding_ids is not None:
        conditions.append(findings.c.id.in_(wanted.finding_ids))
    if wanted.severities:
        conditions.append(findings.c.severity.in_([each.value for each in wanted.severities]))
    if wanted.study_instance_uid is not None:
        key = tables.study_key(wanted.study_instance_uid)
        conditions.append(findings.c.study_key == key)
    if wanted.made_from is not None:
        conditions.append(findings.c.created_at >= wanted.made_from)
    if wanted.made_until is not None:
        conditions.append(findings.c.created_at <= wanted.made_until)
    return conditions


def _is_in(state: str) -> Any:
    """Return the condition that says the same as `queue.workitems.service.state_of`."""
    own = func.coalesce(workitems.c.state, "")
    is_decided = findings.c.standing == Standing.DECIDED.value
    is_ended = own.in_(("COMPLETED", "CANCELED"))
    if state == "COMPLETED":
        return or_(own == state, and_(~is_ended, is_decided))
    if state == "CANCELED":
        return own == state
    return and_(own == ("" if state == "SCHEDULED" else state), ~is_decided)
