"""Issues: noted with the findings of a judgement, counted when they are read, ruled by people."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from attrs import evolve, frozen
from sqlalchemy import Connection, Select, and_, func, insert, or_, select, update

from qa_daemon.habits.trend import BEFORE, RECENT, is_rising
from qa_daemon.records.finding import Finding, Severity
from qa_daemon.records.issue import Fingerprint, Issue, Practice, Ruling, RulingKind, Sightings
from qa_daemon.store import documents
from qa_daemon.store.audit.entries import Operator, note_audit
from qa_daemon.store.database import Store
from qa_daemon.store.review import decision_rows
from qa_daemon.store.tables import findings, issue_key, issues, series

#: As many findings of an issue as are counted one by one; a mute says "10,000" of more.
COUNTED_MAX: Final = 10_000


@frozen(kw_only=True)
class Spans:
    """Over which times sightings are counted apart: the last `recent`, and `before` before that."""

    now: datetime
    recent: timedelta
    before: timedelta


def note(connection: Connection, found: Finding, fingerprint: Fingerprint, now: datetime) -> str:
    """Make sure that the issue of a finding has its row; return its key."""
    key = issue_key(fingerprint)
    if connection.scalar(select(issues.c.issue_key).where(issues.c.issue_key == key)) is None:
        practice = fingerprint.practice
        values = {
            "issue_key": key,
            "rule": fingerprint.rule,
            "modality": practice.modality,
            "station": practice.station,
            "protocol": practice.protocol,
            "change": fingerprint.change,
            "severity": found.severity.value,
            "message": _message(found),
            "ruling": "",
            "muted_until": None,
            "noted_at": now,
        }
        connection.execute(insert(issues).values(values))
    return key


def _message(found: Finding) -> str:
    """Return what an issue is called; of one visit only its kind, for the rest is one patient's."""
    told = found.assignment
    return found.message if told is None else f"Images and orders of a visit: {told.kind}"


def note_sighting(connection: Connection, key: str, now: datetime) -> None:
    """Count a new finding against the mute of its issue, which may end by it."""
    own = issues.c.issue_key == key
    muted = select(issues.c.muted_left, issues.c.muted_rises, issues.c.ruling).where(
        own, issues.c.muted_until > now
    )
    row = connection.execute(muted).one_or_none()
    if row is None:
        return
    left = None if row.muted_left is None else row.muted_left - 1
    is_over = left is not None and left < 0
    if row.muted_rises:
        is_over = is_over or is_rising(_sightings_of(connection, key, now))
    if is_over:
        ended = evolve(documents.read(row.ruling, Ruling), until=now)
        values = {"ruling": documents.written(ended), "muted_until": now}
    else:
        values = {"muted_left": left}
    connection.execute(update(issues).where(own).values(values))


def _sightings_of(connection: Connection, key: str, now: datetime) -> Sightings:
    counted = _counted(Spans(now=now, recent=RECENT, before=BEFORE))
    row = connection.execute(counted.where(issues.c.issue_key == key)).mappings().one()
    return _issue(row).sightings


def issue_of(store: Store, key: str, now: datetime) -> Issue | None:
    """Return one issue; None if there is none, or nothing of it is found any more."""
    spans = Spans(now=now, recent=RECENT, before=BEFORE)
    with store.reading() as connection:
        statement = _counted(spans).where(issues.c.issue_key == key)
        row = connection.execute(statement).mappings().one_or_none()
    return None if row is None else _issue(row)


def muted_list(store: Store, now: datetime, count_max: int) -> tuple[Issue, ...]:
    """Return the issues that are muted now, those whose mute ends first before the others."""
    counted = _counted(Spans(now=now, recent=RECENT, before=BEFORE))
    statement = (
        counted.where(issues.c.muted_until > now)
        .order_by(None)
        .order_by(issues.c.muted_until, issues.c.issue_key)
        .limit(count_max)
    )
    with store.reading() as connection:
        return tuple(_issue(row) for row in connection.execute(statement).mappings())


def issue_list(store: Store, spans: Spans, count_max: int) -> tuple[Issue, ...]:
    """Return the issues that have findings, the worst first, then the most frequent."""
    statement = _counted(spans).limit(count_max)
    with store.reading() as connection:
        return tuple(_issue(row) for row in connection.execute(statement).mappings())


def issue_key_like(store: Store, beginning: str) -> str | None:
    """Return the one key that begins like this; None if there is none, or several."""
    alike = issues.c.issue_key.startswith(beginning, autoescape=True)
    with store.reading() as connection:
        keys = connection.scalars(select(issues.c.issue_key).where(alike).limit(2)).all()
    return keys[0] if len(keys) == 1 else None


def rule_on(store: Store, key: str, ruling: Ruling) -> bool:
    """Keep what a person said of an issue, with its audit entry; False if there is none."""
    with store.writing() as connection:
        said = (
            update(issues)
            .where(issues.c.issue_key == key)
            .values(
                ruling=documents.written(ruling),
                muted_until=ruling.until,
                muted_left=ruling.more,
                muted_rises=int(ruling.until_rising),
                resolved_at=ruling.at if ruling.kind is RulingKind.RESOLVE else None,
            )
        )
        if connection.execute(said).rowcount == 0:
            return False
        who = Operator(ruling.who, ruling.at)
        note_audit(connection, who, f"issue {ruling.kind.value}", key, ruling.reason)
    return True


def lift_mute(store: Store, key: str, operator: Operator) -> bool:
    """End the mute of an issue before its time; False if it is not muted."""
    with store.writing() as connection:
        muted = (issues.c.issue_key == key, issues.c.muted_until > operator.at)
        text = connection.scalar(select(issues.c.ruling).where(*muted))
        if text is None:
            return False
        ended = evolve(documents.read(text, Ruling), until=operator.at)
        values = {"ruling": documents.written(ended), "muted_until": operator.at}
        connection.execute(update(issues).where(*muted).values(values))
        note_audit(connection, operator, "issue unmute", key)
    return True


def _counted(spans: Spans) -> Select[Any]:
    recent_from = spans.now - spans.recent
    before_from = recent_from - spans.before
    at = findings.c.created_at
    recent = func.count().filter(at >= recent_from)
    before = func.count().filter(and_(at >= before_from, at < recent_from))
    count = func.count()
    return (
        select(
            issues,
            count.label("count"),
            func.min(at).label("first_at"),
            func.max(at).label("last_at"),
            recent.label("recent_count"),
            before.label("before_count"),
        )
        .select_from(issues.join(findings, findings.c.issue_key == issues.c.issue_key))
        .outerjoin(series, series.c.series_key == findings.c.series_key)
        .where(or_(findings.c.series_key.is_(None), findings.c.revision == series.c.revision))
        .group_by(*issues.c)
        .order_by(issues.c.severity.desc(), count.desc(), issues.c.issue_key)
    )


def _issue(row: Mapping[Any, Any]) -> Issue:
    practice = Practice(row["modality"], row["station"], row["protocol"])
    return Issue(
        key=row["issue_key"],
        fingerprint=Fingerprint(row["rule"], practice, row["change"]),
        severity=Severity(row["severity"]),
        message=row["message"],
        sightings=Sightings(
            count=row["count"],
            first_at=row["first_at"],
            last_at=row["last_at"],
            recent_count=row["recent_count"],
            before_count=row["before_count"],
        ),
        ruling=documents.read(row["ruling"], Ruling) if row["ruling"] else None,
    )


@frozen(kw_only=True)
class IssueThere:
    """An issue of one rule at one station.

    Attributes
    ----------
    open_count
        Findings of current revisions that nobody has decided.
    """

    key: str
    protocol: str
    open_count: int


def issues_at(store: Store, rule: str, station: str, count_max: int) -> tuple[IssueThere, ...]:
    """Return the issues of one rule at one station, under whatever protocol and change."""
    is_current = or_(findings.c.series_key.is_(None), findings.c.revision == series.c.revision)
    is_counted = and_(is_current, findings.c.id.is_not(None), decision_rows.is_open())
    statement = (
        select(issues.c.issue_key, issues.c.protocol, func.count().filter(is_counted).label("open"))
        .select_from(
            issues.outerjoin(findings, findings.c.issue_key == issues.c.issue_key).outerjoin(
                series, series.c.series_key == findings.c.series_key
            )
        )
        .where(issues.c.rule == rule, issues.c.station == station)
        .group_by(issues.c.issue_key, issues.c.protocol)
        .order_by(issues.c.issue_key)
        .limit(count_max)
    )
    with store.reading() as connection:
        return tuple(
            IssueThere(key=row.issue_key, protocol=row.protocol, open_count=row.open)
            for row in connection.execute(statement)
        )
