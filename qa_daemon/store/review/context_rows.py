"""What stands around a finding: earlier answers to its like, the series that holds an object."""

from datetime import datetime

from attrs import frozen
from sqlalchemy import and_, or_, select

from qa_daemon.records.decision import FINAL, Decision, Verb
from qa_daemon.records.finding import Severity
from qa_daemon.records.issue import Practice
from qa_daemon.store import documents
from qa_daemon.store.database import Store
from qa_daemon.store.review.decision_rows import is_open
from qa_daemon.store.tables import decisions, findings, instances, issues, series, sop_key


@frozen
class Answered:
    """One answer in force to a finding of this rule, station and protocol."""

    verb: Verb
    at: datetime


@frozen
class Recurring:
    """What a finding has in common with its like; the answers to them, the newest last."""

    practice: Practice
    answered: tuple[Answered, ...] = ()


@frozen
class Neighbours:
    """Where a finding stands among those that wait, in the order of the queue."""

    before: int | None
    after: tuple[int, ...]
    place: int
    count: int


def recurring(store: Store, finding_id: int, count_max: int) -> Recurring:
    """Return the last final answers to findings of one rule, station and protocol."""
    own = (
        select(issues)
        .join(findings, findings.c.issue_key == issues.c.issue_key)
        .where(findings.c.id == finding_id)
    )
    with store.reading() as connection:
        issue = connection.execute(own).one_or_none()
        if issue is None:
            return Recurring(Practice())
        alike = and_(
            issues.c.rule == issue.rule,
            issues.c.modality == issue.modality,
            issues.c.station == issue.station,
            issues.c.protocol == issue.protocol,
        )
        last = (
            select(decisions.c.document)
            .join(issues, issues.c.issue_key == decisions.c.issue_key)
            .where(alike, decisions.c.verb.in_(FINAL), decisions.c.undone_at.is_(None))
            .order_by(decisions.c.id.desc())
            .limit(count_max)
        )
        said = [documents.read(text, Decision) for text in connection.scalars(last)]
    practice = Practice(issue.modality, issue.station, issue.protocol)
    return Recurring(practice, tuple(Answered(each.verb, each.at) for each in reversed(said)))


def holder_of(store: Store, sop_instance_uid: str) -> tuple[str, int] | None:
    """Return key and revision of the series that an object lies in; None if it lies nowhere."""
    statement = (
        select(series.c.series_key, series.c.revision)
        .join(instances, instances.c.series_key == series.c.series_key)
        .where(instances.c.sop_key == sop_key(sop_instance_uid))
        .order_by(instances.c.received_at)
        .limit(1)
    )
    with store.reading() as connection:
        row = connection.execute(statement).one_or_none()
    return None if row is None else (row.series_key, row.revision)


def neighbours(store: Store, finding_id: int, now: datetime, after_max: int = 2) -> Neighbours:
    """Return what comes before and after a finding among those that wait, the worst first."""
    muted = select(issues.c.issue_key).where(issues.c.muted_until > now)
    waiting = (
        select(findings.c.id)
        .select_from(findings.outerjoin(series, series.c.series_key == findings.c.series_key))
        .where(
            or_(findings.c.series_key.is_(None), findings.c.revision == series.c.revision),
            findings.c.severity > Severity.INFO.value,
            findings.c.issue_key.not_in(muted),
            is_open(),
        )
        .order_by(findings.c.severity.desc(), findings.c.created_at.desc(), findings.c.id)
    )
    with store.reading() as connection:
        ids = list(connection.scalars(waiting))
    if finding_id not in ids:
        return Neighbours(None, tuple(ids[:after_max]), 0, len(ids))
    at = ids.index(finding_id)
    before = ids[at - 1] if at else None
    return Neighbours(before, tuple(ids[at + 1 : at + 1 + after_max]), at + 1, len(ids))
