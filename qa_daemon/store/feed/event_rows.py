"""What happened in the queue, in order: findings made, and what people said of them.

Both are read where they are kept, findings and the audit, so that nothing can be told that did not
happen. Their numbers grow in the order of their commits, as one transaction at a time makes them.
"""

import heapq
import re
from collections.abc import Iterator
from datetime import datetime
from typing import Final

from attrs import frozen
from sqlalchemy import Connection, func, select

from qa_daemon.records.decision import Verb
from qa_daemon.store.database import Store
from qa_daemon.store.tables import audit, findings

#: Lines of the audit that are told; who signed in is nobody's business.
_ACTIONS: Final = (*(verb.value for verb in Verb), "undo", "issue mute", "issue resolve")
_FINDING: Final = re.compile(r"finding ([0-9]{1,18})")


@frozen
class Position:
    """Up to where somebody has heard: the last finding and the last line of the audit."""

    finding_id: int = 0
    audit_id: int = 0


@frozen(kw_only=True)
class Event:
    """Something that happened.

    Attributes
    ----------
    kind
        `finding.made`, `decision.accept` and the other verbs, `decision.undo`, `issue.mute`,
        `issue.resolve`.
    after
        Where who has heard it stands.
    """

    kind: str
    at: datetime
    after: Position
    finding_id: int | None = None
    issue_key: str | None = None
    who: str | None = None


def latest(store: Store) -> Position:
    """Return where the feed ends now."""
    with store.reading() as connection:
        finding_id = connection.scalar(select(func.max(findings.c.id))) or 0
        audit_id = connection.scalar(select(func.max(audit.c.id))) or 0
    return Position(finding_id, audit_id)


def feed_after(store: Store, position: Position, count_max: int) -> tuple[Event, ...]:
    """Return what happened after a position, the earliest first."""
    with store.reading() as connection:
        made = list(_made(connection, position, count_max))
        said = list(_said(connection, position, count_max))
    told = []
    for event in heapq.merge(made, said, key=lambda each: each.at):
        if event.kind == "finding.made":
            position = Position(event.after.finding_id, position.audit_id)
        else:
            position = Position(position.finding_id, event.after.audit_id)
        told.append(
            Event(
                kind=event.kind,
                at=event.at,
                after=position,
                finding_id=event.finding_id,
                issue_key=event.issue_key,
                who=event.who,
            )
        )
    return tuple(told[:count_max])


def _made(connection: Connection, position: Position, count_max: int) -> Iterator[Event]:
    statement = (
        select(findings.c.id, findings.c.created_at)
        .where(findings.c.id > position.finding_id)
        .order_by(findings.c.id)
        .limit(count_max)
    )
    for row in connection.execute(statement):
        yield Event(
            kind="finding.made",
            at=row.created_at,
            after=Position(row.id, 0),
            finding_id=row.id,
        )


def _said(connection: Connection, position: Position, count_max: int) -> Iterator[Event]:
    statement = (
        select(audit.c.id, audit.c.at, audit.c.who, audit.c.action, audit.c.subject)
        .where(audit.c.id > position.audit_id, audit.c.action.in_(_ACTIONS))
        .order_by(audit.c.id)
        .limit(count_max)
    )
    for row in connection.execute(statement):
        of_issue = row.action.startswith("issue ")
        named = _FINDING.fullmatch(row.subject)
        yield Event(
            kind=row.action.replace(" ", ".") if of_issue else f"decision.{row.action}",
            at=row.at,
            after=Position(0, row.id),
            finding_id=None if named is None else int(named[1]),
            issue_key=row.subject if of_issue else None,
            who=row.who,
        )
