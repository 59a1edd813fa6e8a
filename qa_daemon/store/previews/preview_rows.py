"""Pictures of series: what is due, what lies there, and what has to give way."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from attrs import frozen
from sqlalchemy import and_, delete, exists, func, insert, or_, select, update

from qa_daemon.records.finding import Severity
from qa_daemon.records.preview import Previews
from qa_daemon.store import documents
from qa_daemon.store.database import Store
from qa_daemon.store.tables import findings, previews, results, series


@frozen(kw_only=True)
class Due:
    """A judged series whose pictures do not show its judgement yet.

    Attributes
    ----------
    attempts
        How often drawing was begun before and not finished.
    has_findings
        Whether somebody will look at more than one picture of it.
    """

    series_key: str
    revision: int
    judged_at: datetime
    attempts: int
    has_findings: bool


def next_due(store: Store) -> Due | None:
    """Return the series to be drawn next: those with findings first, then the oldest judgement."""
    above_info = exists().where(
        findings.c.series_key == series.c.series_key,
        findings.c.revision == series.c.revision,
        findings.c.severity > Severity.INFO.value,
    )
    current = and_(
        results.c.series_key == series.c.series_key, results.c.revision == series.c.revision
    )
    shown = previews.c.judged_at
    statement = (
        select(
            series.c.series_key,
            series.c.revision,
            results.c.judged_at,
            previews.c.judged_at.label("shown"),
            func.coalesce(previews.c.attempts, 0).label("attempts"),
            above_info.label("has_findings"),
        )
        .select_from(series)
        .join(results, current)
        .outerjoin(previews, previews.c.series_key == series.c.series_key)
        .where(
            results.c.judged_at.is_not(None),
            or_(shown.is_(None), shown < results.c.judged_at, previews.c.attempts > 0),
        )
        .order_by(above_info.desc(), results.c.judged_at, series.c.series_key)
        .limit(1)
    )
    with store.reading() as connection:
        row = connection.execute(statement).one_or_none()
    if row is None:
        return None
    return Due(
        series_key=row.series_key,
        revision=row.revision,
        judged_at=row.judged_at,
        attempts=row.attempts if row.shown == row.judged_at else 0,
        has_findings=bool(row.has_findings),
    )


def begin(store: Store, due: Due, now: datetime) -> None:
    """Note that drawing begins: a series over which the worker dies is not begun for ever."""
    _keep(store, due, {"attempts": due.attempts + 1, "drawn_at": now})


def save(store: Store, due: Due, drawn: Previews, byte_count: int, now: datetime) -> None:
    """Keep what was drawn, in place of what lay there."""
    document = documents.written(drawn)
    values = {"document": document, "bytes": byte_count, "attempts": 0, "drawn_at": now}
    _keep(store, due, values)


def _keep(store: Store, due: Due, values: dict[str, Any]) -> None:
    own = previews.c.series_key == due.series_key
    said = values | {"revision": due.revision, "judged_at": due.judged_at}
    with store.writing() as connection:
        if connection.execute(update(previews).where(own).values(**said)).rowcount:
            return
        here = select(series.c.series_key).where(series.c.series_key == due.series_key)
        if connection.execute(here).first() is not None:  # else it was deleted meanwhile
            row = {"series_key": due.series_key, "document": "", "bytes": 0} | said
            connection.execute(insert(previews).values(row))


def previews_of(store: Store, series_key: str) -> Previews | None:
    """Return the pictures of a series; None while there are none yet."""
    own = select(previews.c.document).where(previews.c.series_key == series_key)
    with store.reading() as connection:
        document = connection.scalar(own)
    return documents.read(document, Previews) if document else None


def drawn_among(store: Store, series_keys: Collection[str]) -> frozenset[str]:
    """Return those of the series that have pictures."""
    own = previews.c.series_key.in_(series_keys)
    with store.reading() as connection:
        return frozenset(
            connection.scalars(select(previews.c.series_key).where(own, previews.c.bytes > 0))
        )


def draw_again(store: Store, series_key: str | None = None) -> int:
    """Let pictures be drawn again, of one series or of all; return of how many."""
    again = update(previews).values(judged_at=None, attempts=0)
    if series_key is not None:
        again = again.where(previews.c.series_key == series_key)
    with store.writing() as connection:
        return connection.execute(again).rowcount


def bytes_kept(store: Store) -> int:
    """Return how much all pictures take."""
    with store.reading() as connection:
        return int(connection.scalar(select(func.coalesce(func.sum(previews.c.bytes), 0))) or 0)


def oldest(store: Store, *, besides: str) -> str | None:
    """Return the series whose pictures were drawn the longest ago; None if no other has any."""
    statement = (
        select(previews.c.series_key)
        .where(previews.c.bytes > 0, previews.c.series_key != besides)
        .order_by(previews.c.drawn_at, previews.c.series_key)
        .limit(1)
    )
    with store.reading() as connection:
        return connection.scalar(statement)


def give_way(store: Store, series_key: str, reason: str) -> None:
    """Note that the pictures of a series are removed, and why."""
    document = documents.written(Previews(reason=reason))
    own = previews.c.series_key == series_key
    with store.writing() as connection:
        connection.execute(update(previews).where(own).values(document=document, bytes=0))


def known_keys(store: Store) -> frozenset[str]:
    """Return the keys of all series that have pictures."""
    with store.reading() as connection:
        return frozenset(connection.scalars(select(previews.c.series_key)))


def forget(store: Store, series_key: str) -> None:
    """Drop what is known of a series' pictures."""
    with store.writing() as connection:
        connection.execute(delete(previews).where(previews.c.series_key == series_key))
