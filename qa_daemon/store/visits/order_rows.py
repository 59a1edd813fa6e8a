"""Orders as they were told, by patient; and which visits are due to be asked about."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from attrs import frozen
from sqlalchemy import delete, func, insert, or_, select, update

from qa_daemon.records.order import Order, Told
from qa_daemon.store import documents, tables
from qa_daemon.store.database import Store
from qa_daemon.store.tables import order_lookups, orders, series
from qa_daemon.store.visits import news_rows


@frozen(kw_only=True)
class DueVisit:
    """A visit whose orders are to be asked for.

    Attributes
    ----------
    series_key, revision
        One of its series, which names the patient and the day.
    attempts
        How often in a row nobody answered.
    """

    visit_key: str
    series_key: str
    revision: int
    attempts: int


def keep(store: Store, told: Sequence[Order], now: datetime) -> tuple[str, ...]:
    """Keep orders, the latest word of each source; return the keys of those that are news.

    With news a note is committed that the patient's series are to be judged again
    (`news_rows.carry_out`): whoever tells of orders need not know who judges, and when.
    """
    news: list[str] = []
    with store.taking_turns() as connection:
        for order in told:
            values = _values(order)
            own = orders.c.order_key == values["order_key"]
            lying = connection.execute(select(orders.c.document, orders.c.day).where(own)).first()
            if lying is None:
                connection.execute(insert(orders).values(values | {"told_at": now}))
            elif lying.document == values["document"]:
                connection.execute(update(orders).where(own).values(told_at=now))
                continue
            else:
                connection.execute(update(orders).where(own).values(values | {"told_at": now}))
            days = {values["day"], values["day"] if lying is None else lying.day}
            for day in sorted(days):
                news_rows.note(connection, values["patient_key"], day, now)
            news.append(values["order_key"])
    return tuple(news)


def _values(order: Order) -> dict[str, Any]:
    day = next((step.date for step in order.steps if step.date), "")
    return {
        "order_key": tables.order_key(
            order.source.value,
            order.patient_id,
            order.key.issuer.namespace,
            order.key.accession_number,
            order.requested_procedure_id,
        ),
        "patient_key": tables.patient_key(order.patient_id),
        "day": day[:8],
        "source": order.source.value,
        "document": documents.written(order),
    }


def orders_of(store: Store, patient_id: str, day: str, issuer: str = "") -> tuple[Told, ...]:
    """Return what was told of a patient's orders of a day, and of those without a day.

    Parameters
    ----------
    day
        DA, eight digits.
    issuer
        Of the patient's number; another issuer's patient of the same number is somebody else.
    """
    statement = (
        select(orders.c.document, orders.c.told_at)
        .where(
            orders.c.patient_key == tables.patient_key(patient_id),
            or_(orders.c.day == day, orders.c.day == ""),
        )
        .order_by(orders.c.order_key)
    )
    with store.reading() as connection:
        rows = connection.execute(statement).all()
    found = (Told(documents.read(row.document, Order), row.told_at) for row in rows)
    return tuple(
        told
        for told in found
        if told.order.patient_id == tables.storable(patient_id)
        and ({"", issuer} & {told.order.issuer_of_patient_id} or not issuer)
    )


def forget(store: Store, before: datetime) -> int:
    """Remove orders that nobody has spoken of since, and lookups as old; return how many."""
    with store.taking_turns() as connection:
        connection.execute(delete(order_lookups).where(order_lookups.c.asked_at < before))
        return connection.execute(delete(orders).where(orders.c.told_at < before)).rowcount


def due(store: Store, since: datetime, now: datetime, count_max: int) -> tuple[DueVisit, ...]:
    """Return visits with images since then that nobody was asked about, or that are due again."""
    newest = (
        select(series.c.visit_key, func.max(series.c.series_key).label("series_key"))
        .where(series.c.last_received_at >= since, series.c.visit_key != "")
        .group_by(series.c.visit_key)
        .subquery()
    )
    statement = (
        select(
            newest.c.visit_key, series.c.series_key, series.c.revision,
            func.coalesce(order_lookups.c.attempts, 0).label("attempts"),
        )
        .join(series, series.c.series_key == newest.c.series_key)
        .outerjoin(order_lookups, order_lookups.c.visit_key == newest.c.visit_key)
        .where(or_(order_lookups.c.due_at.is_(None), order_lookups.c.due_at <= now))
        .order_by(newest.c.visit_key)
        .limit(count_max)
    )  # fmt: skip
    with store.reading() as connection:
        return tuple(DueVisit(**row) for row in connection.execute(statement).mappings())


def asked(store: Store, visit_key: str, now: datetime, due_at: datetime, attempts: int) -> None:
    """Note that a visit was asked about, and when it is due again."""
    values = {"asked_at": now, "due_at": due_at, "attempts": attempts}
    with store.taking_turns() as connection:
        own = update(order_lookups).where(order_lookups.c.visit_key == visit_key)
        if connection.execute(own.values(values)).rowcount == 0:
            connection.execute(insert(order_lookups).values(values | {"visit_key": visit_key}))


def members(store: Store, series_key: str, count_max: int) -> tuple[tuple[str, int], ...]:
    """Return key and revision of the series of the same visit, in the order of arrival.

    None where patient or day are unknown.
    """
    own = select(series.c.visit_key).where(series.c.series_key == series_key).scalar_subquery()
    statement = (
        select(series.c.series_key, series.c.revision)
        .where(series.c.visit_key == own, series.c.visit_key != "")
        .order_by(series.c.first_received_at, series.c.series_key)
        .limit(count_max)
    )
    with store.reading() as connection:
        return tuple((row.series_key, row.revision) for row in connection.execute(statement))
