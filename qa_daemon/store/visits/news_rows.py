"""News of orders: whose series are to be judged again because orders were told of.

Written in the transaction that keeps the orders, carried out in one by the worker. So a process may
die anywhere, and a message that comes twice changes nothing.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import ColumnElement, Connection, and_, delete, insert, select, update

from qa_daemon.records.states import TRANSITIONS, SeriesEvent, sources
from qa_daemon.store.database import Store
from qa_daemon.store.tables import order_news, series

#: An order without a day is one of every day; only of so many is it worth while to judge again.
ANY_DAY_BEFORE: Final = timedelta(days=7)


def note(connection: Connection, patient_key: str, day: str, now: datetime) -> None:
    """Note, in the transaction that keeps them, that a patient's orders of a day are news.

    Parameters
    ----------
    day
        DA; "" for any day.
    """
    own = and_(order_news.c.patient_key == patient_key, order_news.c.day == day)
    if connection.scalar(select(order_news.c.day).where(own)) is None:
        values = {"patient_key": patient_key, "day": day, "told_at": now}
        connection.execute(insert(order_news).values(values))


def carry_out(store: Store, now: datetime, count_max: int) -> tuple[int, tuple[str, ...]]:
    """Have the series judged again that news concern, the oldest news first.

    Series that are still to be judged read the orders then; what a person has decided stays.

    Returns
    -------
    count
        Of the news that are done with; there may be more where it is `count_max`.
    keys
        Of the series that are judged again.
    """
    moved: list[str] = []
    with store.taking_turns() as connection:
        oldest = select(order_news).order_by(order_news.c.told_at).limit(count_max)
        rows = connection.execute(oldest).all()
        for row in rows:
            moved += _judge_again(connection, row.patient_key, row.day, now)
            own = and_(order_news.c.patient_key == row.patient_key, order_news.c.day == row.day)
            connection.execute(delete(order_news).where(own))
    return len(rows), tuple(sorted(moved))


def moved_otherwise(
    connection: Connection, visit_key: str, moves: Iterable[str], now: datetime
) -> None:
    """Have series of a visit judged again that a verdict about the visit moves, or no longer does.

    Their own findings are the visit's children then, or stand for themselves again.
    """
    uids = sorted(moves)
    if uids:
        _again(connection, now, series.c.visit_key == visit_key,
               series.c.series_instance_uid.in_(uids))  # fmt: skip


def _judge_again(connection: Connection, patient_key: str, day: str, now: datetime) -> list[str]:
    of_day = (
        series.c.study_date == day if day else series.c.last_received_at >= now - ANY_DAY_BEFORE
    )
    return _again(connection, now, series.c.patient_key == patient_key, of_day)


def _again(connection: Connection, now: datetime, *condition: ColumnElement[bool]) -> list[str]:
    event = SeriesEvent.VISIT_NEWS
    (following,) = {TRANSITIONS[state, event] for state in sources(event)}
    # A new fence: a worker that is judging has read the orders of before, and may write nothing.
    again = (
        update(series)
        .where(*condition, series.c.state.in_(sources(event)))
        .values(
            state=following.value,
            state_since=now,
            lease_until=None,
            lease_fence=series.c.lease_fence + 1,
        )
        .returning(series.c.series_key)
    )
    return list(connection.scalars(again))
