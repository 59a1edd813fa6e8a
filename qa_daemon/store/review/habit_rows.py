"""What each series wrote in habitual attributes, and what was usual before it."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, delete, func, insert, select

from qa_daemon.records.issue import Habit, Observation, Practice
from qa_daemon.store.database import Store
from qa_daemon.store.tables import observations, practice_key

#: A hostile sender may write another value each time; a habit has one or two.
VALUES_MAX = 1000


def replace(
    connection: Connection,
    series_key: str,
    practice: Practice,
    observed: Sequence[Observation],
    at: datetime,
) -> None:
    """Keep what a series writes, in place of what an earlier judgement of it left."""
    connection.execute(delete(observations).where(observations.c.series_key == series_key))
    rows = [
        {
            "series_key": series_key,
            "keyword": observation.keyword,
            "practice_key": practice_key(practice),
            "value": observation.value,
            "at": at,
        }
        for observation in observed
    ]
    if rows:
        connection.execute(insert(observations), rows)


def habits_of(
    store: Store, practice: Practice, since: datetime, *, besides: str
) -> tuple[Habit, ...]:
    """Return what other series of one practice wrote since then.

    Parameters
    ----------
    besides
        The series that is judged; it is no witness of its own habit.
    """
    own = observations.c
    statement = (
        select(own.keyword, own.value, func.count().label("series_count"))
        .where(
            own.practice_key == practice_key(practice),
            own.at >= since,
            own.series_key != besides,
        )
        .group_by(own.keyword, own.value)
        .order_by(func.count().desc(), own.keyword, own.value)
        .limit(VALUES_MAX)
    )
    counts: dict[str, dict[str, int]] = {}
    with store.reading() as connection:
        for row in connection.execute(statement):
            counts.setdefault(row.keyword, {})[row.value] = row.series_count
    return tuple(Habit(keyword, values) for keyword, values in sorted(counts.items()))
