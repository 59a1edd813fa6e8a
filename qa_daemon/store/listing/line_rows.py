"""Lines of the queue: the findings of one issue that stand alike, a page at a time."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from attrs import frozen
from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    Subquery,
    Table,
    and_,
    case,
    false,
    func,
    literal,
    or_,
    select,
    tuple_,
)

from qa_daemon.errors import InputError
from qa_daemon.habits.trend import BEFORE, RECENT
from qa_daemon.language.wording import Wording
from qa_daemon.records.finding import Severity
from qa_daemon.records.issue import Practice, Ruling, Sightings
from qa_daemon.store import documents
from qa_daemon.store.database import Store
from qa_daemon.store.listing.listed_rows import Person, sought
from qa_daemon.store.listing.tables import lines, listed
from qa_daemon.store.listing.wanted import Sort, State, Wanted
from qa_daemon.store.tables import Utc, issues, series

#: Days of the small bars.
BARS: Final = 7
#: Row numbers and counts fit 64 bits.
NUMBER_MAX: Final = 2**63 - 1
#: Standings, as the table has them, of what waits for an answer.
OPEN_STANDINGS: Final = ("open", "asked")


@frozen(kw_only=True)
class LineRow:
    """One line: an issue, or a single finding.

    Attributes
    ----------
    finding_id
        The newest of them, which stands for all.
    revision
        Of its series, as far as it has come; 0 for findings of a whole study.
    count, first_at
        Of the findings in the line, by the filter.
    bars
        Findings of the issue on each of the last seven days, today last.
    sightings
        Of the issue, decided findings too; the state of the issue follows from them.
    message
        What the rule said of the first of them, for rules that no catalogue knows.
    """

    issue_key: str
    finding_id: int
    series_key: str
    revision: int
    rank: int
    severity: Severity
    confidence: float | None
    rule: str
    practice: Practice
    calling_ae: str
    person: Person
    wording: Wording
    message: str
    standing: str
    asked: str
    look_first: bool
    count: int
    first_at: datetime
    bars: tuple[int, ...]
    sightings: Sightings
    ruling: Ruling | None


@frozen(kw_only=True)
class Page:
    """Some lines; `after` asks for those that follow, "" at the end."""

    lines: tuple[LineRow, ...]
    after: str


@frozen(kw_only=True)
class Tally:
    """How many lines and findings a filter lets through, and how many of those come first."""

    lines: int = 0
    findings: int = 0
    first_lines: int = 0
    first_findings: int = 0


def page_of(store: Store, wanted: Wanted, now: datetime, after: str, count_max: int) -> Page:
    """Return up to `count_max` lines behind the one that `after` names.

    Raises
    ------
    InputError
        If `after` is none of ours.
    """
    found = _lines(wanted, now)
    keys = _order(wanted.sort, found)
    statement = select(found, *(key.label(f"at_{n}") for n, key in enumerate(keys)))
    if after:
        statement = statement.where(
            tuple_(*keys) > tuple_(*map(literal, _read_cursor(after, keys)))
        )
    statement = statement.order_by(*keys).limit(count_max + 1)
    with store.reading() as connection:
        read = connection.execute(statement).mappings().all()
        shown = read[:count_max]
        rows = _filled(connection, shown, now)
    is_more = len(read) > count_max
    cursor = _cursor([shown[-1][f"at_{n}"] for n in range(len(keys))]) if is_more else ""
    return Page(lines=rows, after=cursor)


def tally_of(store: Store, wanted: Wanted, now: datetime) -> Tally:
    """Return how much a filter lets through."""
    found = _lines(wanted, now)
    is_first = case((found.c.rank == 0, 1), else_=0)
    statement = select(
        func.count(),
        func.coalesce(func.sum(found.c.count), 0),
        func.coalesce(func.sum(is_first), 0),
        func.coalesce(func.sum(is_first * found.c.count), 0),
    ).select_from(found)
    with store.reading() as connection:
        row = connection.execute(statement).one()
    return Tally(
        lines=int(row[0]),
        findings=int(row[1]),
        first_lines=int(row[2]),
        first_findings=int(row[3]),
    )


def ids_of(
    store: Store, wanted: Wanted, issue_keys: Sequence[str], now: datetime, count_max: int
) -> tuple[int, ...]:
    """Return the findings of some lines, the oldest first."""
    statement = (
        select(listed.c.finding_id)
        .join(issues, issues.c.issue_key == listed.c.issue_key)
        .where(
            *_found(listed, wanted, now),
            *_searched(wanted),
            *_ruled(wanted, now),
            listed.c.issue_key.in_(issue_keys),
        )
        .order_by(listed.c.found_at, listed.c.finding_id)
        .limit(count_max)
    )
    with store.reading() as connection:
        return tuple(connection.scalars(statement))


def findings_of(
    store: Store, issue_key: str, state: State, now: datetime, count_max: int
) -> tuple[LineRow, ...]:
    """Return the findings of one issue as lines of their own, the newest first."""
    statement = (
        _each()
        .where(listed.c.issue_key == issue_key, *_stands(listed, state, now))
        .order_by(listed.c.finding_id.desc())
        .limit(count_max)
    )
    with store.reading() as connection:
        return tuple(_row(row, 1, _NOTHING) for row in connection.execute(statement).mappings())


def line_of_issue(store: Store, issue_key: str, now: datetime) -> LineRow | None:
    """Return an issue as a line of all its findings, however they stand; None if none is listed."""
    newest = select(func.max(listed.c.finding_id)).where(listed.c.issue_key == issue_key)
    with store.reading() as connection:
        statement = _each().where(listed.c.finding_id == newest.scalar_subquery())
        row = connection.execute(statement).mappings().one_or_none()
        if row is None:
            return None
        return _row(row, 1, _seen(connection, [issue_key], now).get(issue_key, _NOTHING))


def listed_finding(store: Store, finding_id: int) -> LineRow | None:
    """Return one finding as a line; None if it is not listed."""
    statement = _each().where(listed.c.finding_id == finding_id)
    with store.reading() as connection:
        row = connection.execute(statement).mappings().one_or_none()
    return None if row is None else _row(row, 1, _NOTHING)


# --- which -------------------------------------------------------------------------------------


def _stands(source: Table, state: State, now: datetime) -> list[ColumnElement[bool]]:
    standing, wake_at = source.c.standing, source.c.wake_at
    if state in {State.OPEN, State.MUTED}:
        is_awake = or_(wake_at.is_(None), wake_at <= now)
        return [or_(standing.in_(OPEN_STANDINGS), and_(standing == State.DEFERRED.value, is_awake))]
    if state is State.DEFERRED:
        return [standing == State.DEFERRED.value, wake_at > now]
    return [standing == state.value]


def _found(source: Table, wanted: Wanted, now: datetime) -> list[ColumnElement[bool]]:
    """Return the conditions that findings meet, or rows of `lines`, which are alike in these."""
    conditions = _stands(source, wanted.state, now)
    if wanted.aes:
        conditions.append(source.c.calling_ae.in_(wanted.aes))
    if wanted.asked:
        conditions.append(source.c.asked.in_(wanted.asked))
    if wanted.only_safety:
        conditions.append(source.c.rank == 0)
    if wanted.severities:
        conditions.append(source.c.severity.in_([each.value for each in wanted.severities]))
    return conditions


def _searched(wanted: Wanted) -> list[ColumnElement[bool]]:
    words = sought(wanted.search).split()
    if wanted.search and not words:
        return [false()]
    return [listed.c.sought.contains(word, autoescape=True) for word in words]


def _ruled(wanted: Wanted, now: datetime) -> list[ColumnElement[bool]]:
    """Return the conditions that issues meet."""
    until = issues.c.muted_until
    is_muted = until > now
    muted = is_muted if wanted.state is State.MUTED else or_(until.is_(None), until <= now)
    conditions: list[ColumnElement[bool]] = [muted]
    for column, values in (
        (issues.c.modality, wanted.modalities),
        (issues.c.station, wanted.stations),
        (issues.c.rule, wanted.rules),
    ):
        if values:
            conditions.append(column.in_(values))
    return conditions


def _counted(wanted: Wanted, now: datetime) -> Select[Any]:
    """Return findings counted by issue: from the kept counts, or one by one where one searches."""
    count: ColumnElement[int]
    if wanted.search:
        own = listed.c
        count, first_at, last_at = func.count(), own.found_at, own.found_at
        statement = select(own.issue_key).where(*_searched(wanted))
        source = listed
    else:
        own = lines.c
        count, first_at, last_at = func.sum(own.count), own.first_at, own.last_at
        statement = select(own.issue_key)
        source = lines
    return (
        statement.add_columns(
            count.label("count"),
            func.min(own.rank).label("rank"),
            func.max(own.severity).label("severity"),
            func.min(first_at).label("first_at"),
            func.max(last_at).label("last_at"),
            func.max(own.finding_id).label("finding_id"),
            func.max(own.look_first).label("look_first"),
        )
        .where(*_found(source, wanted, now))
        .group_by(own.issue_key)
    )


def _lines(wanted: Wanted, now: datetime) -> Subquery:
    """Return one row a line: an issue's findings that meet the conditions, counted."""
    groups = _counted(wanted, now).subquery("groups")
    is_regressed = case(
        (and_(issues.c.resolved_at.is_not(None), groups.c.last_at > issues.c.resolved_at), 1),
        else_=0,
    )
    statement = (
        select(groups, is_regressed.label("regressed"))
        .join(issues, issues.c.issue_key == groups.c.issue_key)
        .where(*_ruled(wanted, now))
    )
    if wanted.only_regressed:
        statement = statement.where(is_regressed == 1)
    return statement.subquery("shown")


def _order(sort: Sort, found: Subquery) -> list[ColumnElement[Any]]:
    """Return what lines are sorted by, all of it upwards, so that one comparison pages."""
    own = found.c
    first: dict[Sort, list[ColumnElement[Any]]] = {
        Sort.SAFETY: [own.rank, -own.look_first, -own.regressed, -own.severity, own.first_at],
        Sort.SEVERITY: [-own.severity, own.first_at],
        Sort.OLDEST: [own.first_at],
        Sort.NEWEST: [-own.finding_id],
        Sort.COUNT: [-own.count],
    }
    return [*first[sort], own.issue_key]


def _cursor(values: Sequence[Any]) -> str:
    told = [value.isoformat() if isinstance(value, datetime) else value for value in values]
    return json.dumps(told, separators=(",", ":"))


def _read_cursor(text: str, keys: Sequence[ColumnElement[Any]]) -> list[Any]:
    try:
        values = list(json.loads(text))
        *ordered, last = zip(keys, values, strict=True)
        return [_read_value(*each) for each in ordered] + [str(last[1])]
    except (ValueError, TypeError) as error:
        raise InputError("after: not the end of a page of this list; open it anew") from error


def _read_value(key: ColumnElement[Any], value: object) -> datetime | int:
    """Return what a line is sorted by; raises ValueError or TypeError if it is something else."""
    if isinstance(key.type, Utc):
        at = datetime.fromisoformat(str(value))
        if at.tzinfo is None:
            raise ValueError
        return at
    if not isinstance(value, int) or abs(value) > NUMBER_MAX:
        raise TypeError
    return value


# --- what a line says -----------------------------------------------------------------------------

_NOTHING: Final[Mapping[Any, Any]] = {}


def _each() -> Select[Any]:
    return (
        select(listed, series.c.revision, issues.c.message, issues.c.ruling)
        .join(issues, issues.c.issue_key == listed.c.issue_key)
        .outerjoin(series, series.c.series_key == listed.c.series_key)
    )


def _filled(connection: Connection, shown: Sequence[Any], now: datetime) -> tuple[LineRow, ...]:
    ids = [row["finding_id"] for row in shown]
    details = {
        row["finding_id"]: row
        for row in connection.execute(_each().where(listed.c.finding_id.in_(ids))).mappings()
    }
    seen = _seen(connection, [row["issue_key"] for row in shown], now)
    return tuple(
        _row(
            dict(details[row["finding_id"]]) | dict(row),
            row["count"],
            seen.get(row["issue_key"], _NOTHING),
        )
        for row in shown
        if row["finding_id"] in details
    )


def _seen(
    connection: Connection, keys: Sequence[str], now: datetime
) -> dict[str, Mapping[Any, Any]]:
    """Count the findings of some issues by day, decided ones too."""
    at = listed.c.found_at
    midnight = now.astimezone().replace(hour=0, minute=0, second=0, microsecond=0)
    starts = [midnight - timedelta(days=BARS - 1 - day) for day in range(BARS)]
    ends = [*starts[1:], midnight + timedelta(days=1)]
    bars = [
        func.sum(case((and_(at >= start, at < end), 1), else_=0)).label(f"bar_{day}")
        for day, (start, end) in enumerate(zip(starts, ends, strict=True))
    ]
    recent_from = now - RECENT
    recent = func.sum(case((at >= recent_from, 1), else_=0)).label("recent_count")
    before = func.sum(case((at < recent_from, 1), else_=0)).label("before_count")
    statement = (
        select(listed.c.issue_key, func.max(at).label("seen_at"), recent, before, *bars)
        .where(listed.c.issue_key.in_(keys), at >= recent_from - BEFORE)
        .group_by(listed.c.issue_key)
    )
    return {row["issue_key"]: row for row in connection.execute(statement).mappings()}


def _row(row: Mapping[Any, Any], count: int, seen: Mapping[Any, Any]) -> LineRow:
    first_at = row.get("first_at", row["found_at"])
    bars = tuple(int(seen[f"bar_{day}"]) for day in range(BARS)) if seen else (0,) * BARS
    return LineRow(
        issue_key=row["issue_key"],
        finding_id=row["finding_id"],
        series_key=row["series_key"] or "",
        revision=row["revision"] or 0,
        rank=row["rank"],
        severity=Severity(row["severity"]),
        confidence=row["confidence"],
        rule=row["rule"],
        practice=Practice(row["modality"], row["station"], row["protocol"]),
        calling_ae=row["calling_ae"],
        person=Person(
            name=row["patient_name"], patient_id=row["patient_id"], accession=row["accession"]
        ),
        wording=documents.read(row["wording"], Wording),
        message=row["message"],
        standing=row["standing"],
        asked=row["asked"],
        look_first=bool(row["look_first"]),
        count=count,
        first_at=first_at,
        bars=bars,
        sightings=Sightings(
            count=count,
            first_at=first_at,
            last_at=row.get("last_at", row["found_at"]),
            recent_count=int(seen["recent_count"]) if seen else 0,
            before_count=int(seen["before_count"]) if seen else 0,
        ),
        ruling=documents.read(row["ruling"], Ruling) if row["ruling"] else None,
    )
