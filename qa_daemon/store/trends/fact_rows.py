"""Findings with what became of them, and judged series, as statistics read them."""

from datetime import datetime
from typing import Any, Final

from sqlalchemy import JSON, ColumnElement, and_, cast, func, or_, select, type_coerce

from qa_daemon.records.decision import FINAL, RejectReason, Verb
from qa_daemon.records.finding import Severity
from qa_daemon.store.database import Store
from qa_daemon.store.tables import decisions, findings, issues, observations, results, series
from qa_daemon.trends.facts import FindingFact, Outcome, SeriesFact
from qa_daemon.trends.overview import Revision

#: Rejected for one of these the alarm was not for nothing: something was there, or a test was.
NOT_FALSE: Final = frozenset((RejectReason.OTHER_FAULT, RejectReason.TEST))
#: Where a series tells its body part; a habit of the station (`habits.usual`).
_BODY_PART: Final = "BodyPartExamined"
#: Rule packs and models that a plot may show; a site changes them some times a year.
REVISIONS_MAX: Final = 100


def finding_facts(
    store: Store, since: datetime, now: datetime, count_max: int
) -> tuple[FindingFact, ...]:
    """Return findings that somebody must decide, made since then, or open: the latest first.

    Of current revisions only: what a late instance has taken back is nobody's work.
    """
    made_or_open = or_(findings.c.created_at >= since, decisions.c.id.is_(None))
    statement = (
        select(
            findings.c.created_at,
            findings.c.rule,
            series.c.calling_ae,
            series.c.modality,
            issues.c.station,
            issues.c.protocol,
            issues.c.modality.label("practice_modality"),
            issues.c.muted_until,
            observations.c.value.label("body_part"),
            decisions.c.verb,
            decisions.c.at.label("decided_at"),
            _reason(store).label("reason"),
        )
        .select_from(_joined())
        .where(
            findings.c.severity > Severity.INFO.value,
            or_(findings.c.series_key.is_(None), findings.c.revision == series.c.revision),
            made_or_open,
        )
        .order_by(findings.c.id.desc())
        .limit(count_max)
    )
    with store.reading() as connection:
        return tuple(_fact(row, now) for row in connection.execute(statement))


def series_facts(store: Store, since: datetime, count_max: int) -> tuple[SeriesFact, ...]:
    """Return the series that were judged since then, the latest first."""
    seen = and_(
        observations.c.series_key == series.c.series_key, observations.c.keyword == _BODY_PART
    )
    statement = (
        select(
            results.c.judged_at,
            series.c.calling_ae,
            series.c.modality,
            observations.c.value.label("body_part"),
        )
        .select_from(
            results.join(
                series,
                and_(
                    series.c.series_key == results.c.series_key,
                    series.c.revision == results.c.revision,
                ),
            ).outerjoin(observations, seen)
        )
        .where(results.c.judged_at >= since)
        .order_by(results.c.judged_at.desc())
        .limit(count_max)
    )
    with store.reading() as connection:
        return tuple(
            SeriesFact(
                judged_at=row.judged_at,
                ae=row.calling_ae,
                body_part=row.body_part or "",
                modality=row.modality,
            )
            for row in connection.execute(statement)
        )


def rule_revisions(store: Store) -> tuple[Revision, ...]:
    """Return when each rule pack first judged something, the earliest first."""
    first = func.min(results.c.judged_at)
    statement = (
        select(results.c.rule_pack, first.label("at"))
        .where(results.c.judged_at.is_not(None), results.c.rule_pack != "")
        .group_by(results.c.rule_pack)
        .order_by(first.desc())
        .limit(REVISIONS_MAX)
    )
    with store.reading() as connection:
        rows = connection.execute(statement).all()
    return tuple(Revision(kind="rules", name=row.rule_pack, at=row.at) for row in reversed(rows))


def _joined() -> Any:
    of_series = series.c.series_key == findings.c.series_key
    of_issue = issues.c.issue_key == findings.c.issue_key
    seen = and_(
        observations.c.series_key == findings.c.series_key, observations.c.keyword == _BODY_PART
    )
    in_force = and_(
        decisions.c.finding_id == findings.c.id,
        decisions.c.undone_at.is_(None),
        decisions.c.verb.in_(FINAL),
        decisions.c.is_first == 0,  # the answer of the first of two persons settles nothing
    )
    return (
        findings.outerjoin(series, of_series)
        .outerjoin(issues, of_issue)
        .outerjoin(observations, seen)
        .outerjoin(decisions, in_force)
    )


def _reason(store: Store) -> ColumnElement[str]:
    """Return why a finding was rejected, out of the decision's document."""
    document = decisions.c.document
    held = cast(document, JSON) if store.is_postgresql else type_coerce(document, JSON)
    reason: ColumnElement[str] = held["reason"].as_string()
    return reason


def _fact(row: Any, now: datetime) -> FindingFact:
    return FindingFact(
        made_at=row.created_at,
        rule=row.rule,
        outcome=_outcome(row, now),
        decided_at=row.decided_at,
        station=row.station or "",
        ae=row.calling_ae or "",
        protocol=row.protocol or "",
        body_part=row.body_part or "",
        modality=row.modality or row.practice_modality or "",
    )


def _outcome(row: Any, now: datetime) -> Outcome:
    if row.verb is None:
        is_muted = row.muted_until is not None and row.muted_until > now
        return Outcome.MUTED if is_muted else Outcome.OPEN
    if row.verb != Verb.REJECT:
        return Outcome.ACCEPTED
    return Outcome.REJECTED if row.reason in NOT_FALSE else Outcome.FALSE_ALARM
