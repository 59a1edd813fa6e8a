"""How many findings stand behind each view, and what can be filtered by: one pass for all."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from attrs import field, frozen
from sqlalchemy import and_, case, func, or_, select

from qa_daemon.store.database import Store
from qa_daemon.store.listing.line_rows import OPEN_STANDINGS
from qa_daemon.store.listing.tables import lines, listed
from qa_daemon.store.tables import audit, findings, issues, series


@frozen(kw_only=True)
class Facets:
    """Findings that wait, by what lists are filtered by.

    Attributes
    ----------
    open, safety, regressed
        Of those that are not muted.
    modalities, stations, rules
        Open findings by value.
    """

    open: int = 0
    safety: int = 0
    regressed: int = 0
    muted: int = 0
    deferred: int = 0
    awaiting: int = 0
    modalities: Mapping[str, int] = field(factory=dict)
    stations: Mapping[str, int] = field(factory=dict)
    rules: Mapping[str, int] = field(factory=dict)


@frozen
class Stamp:
    """Changes with every finding that comes and with everything that a person does."""

    finding_id: int
    audit_id: int

    def __str__(self) -> str:
        """Return the id of an event."""
        return f"{self.finding_id}-{self.audit_id}"


def stamp(store: Store) -> Stamp:
    """Return where the queue stands; two reads of an index."""
    with store.reading() as connection:
        finding_id = connection.scalar(select(func.max(listed.c.finding_id)))
        audit_id = connection.scalar(select(func.max(audit.c.id)))
    return Stamp(finding_id or 0, audit_id or 0)


def arrived(store: Store, finding_id: int) -> int:
    """Return how many findings that wait have come since the one of that number."""
    statement = select(func.count()).where(
        listed.c.finding_id > finding_id, listed.c.standing.in_(OPEN_STANDINGS)
    )
    with store.reading() as connection:
        return connection.scalar(statement) or 0


def last_times(store: Store) -> tuple[datetime | None, datetime | None]:
    """Return when the last finding and the last images came; None where there are none."""
    with store.reading() as connection:
        finding_at = connection.scalar(select(func.max(findings.c.created_at)))
        images_at = connection.scalar(select(func.max(series.c.last_received_at)))
    return finding_at, images_at


def asked_count(store: Store, asked: tuple[str, ...]) -> int:
    """Return how many findings some account or role was asked about."""
    statement = select(func.coalesce(func.sum(lines.c.count), 0)).where(
        lines.c.standing == "asked", lines.c.asked.in_(asked)
    )
    with store.reading() as connection:
        return connection.scalar(statement) or 0


def senders(store: Store, count_max: int) -> tuple[str, ...]:
    """Return the AE titles of which findings wait."""
    statement = (
        select(lines.c.calling_ae)
        .where(lines.c.standing.in_(OPEN_STANDINGS), lines.c.calling_ae != "")
        .distinct()
        .order_by(lines.c.calling_ae)
        .limit(count_max)
    )
    with store.reading() as connection:
        return tuple(connection.scalars(statement))


def facets_of(store: Store, now: datetime) -> Facets:
    """Return how many findings stand behind each view."""
    own = lines.c
    is_woken = and_(own.standing == "deferred", or_(own.wake_at.is_(None), own.wake_at <= now))
    standing = case((is_woken, "open"), (own.standing == "asked", "open"), else_=own.standing)
    groups = (
        select(
            own.issue_key,
            standing.label("standing"),
            func.sum(own.count).label("count"),
            func.sum((1 - own.rank) * own.count).label("safety"),
            func.max(own.last_at).label("last_at"),
        )
        .where(own.standing != "decided")
        .group_by(own.issue_key, standing)
        .subquery("groups")
    )
    regressed = and_(issues.c.resolved_at.is_not(None), groups.c.last_at > issues.c.resolved_at)
    keys = [
        groups.c.standing,
        case((issues.c.muted_until > now, 1), else_=0).label("is_muted"),
        case((regressed, 1), else_=0).label("is_regressed"),
        issues.c.modality,
        issues.c.station,
        issues.c.rule,
    ]
    statement = (
        select(*keys, func.sum(groups.c.count), func.sum(groups.c.safety))
        .join(issues, issues.c.issue_key == groups.c.issue_key)
        .group_by(*keys)
    )
    with store.reading() as connection:
        rows = connection.execute(statement).all()
    return _added(rows)


def _added(rows: Any) -> Facets:
    counts: dict[str, int] = dict.fromkeys(
        ("open", "safety", "regressed", "muted", "deferred", "awaiting"), 0
    )
    modalities: dict[str, int] = {}
    stations: dict[str, int] = {}
    rules: dict[str, int] = {}
    for standing, is_muted, is_regressed, modality, station, rule, found, safety in rows:
        count = int(found)
        if standing != "open":
            counts[standing] += count
        elif is_muted:
            counts["muted"] += count
        else:
            counts["open"] += count
            counts["safety"] += int(safety)
            counts["regressed"] += count if is_regressed else 0
            for tally, value in ((modalities, modality), (stations, station), (rules, rule)):
                tally[value] = tally.get(value, 0) + count
    return Facets(**counts, modalities=modalities, stations=stations, rules=rules)
