"""Series: those that come in, those that lie there, and what operators do with them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from attrs import field, frozen
from sqlalchemy import (
    Column,
    Connection,
    Select,
    delete,
    exists,
    func,
    insert,
    literal,
    select,
    update,
)

from qa_daemon.records.receipt import Arrival
from qa_daemon.records.states import SeriesEvent, SeriesState, SuggestionState, sources
from qa_daemon.store.audit.entries import Deed, Operator, append, concerned_by, note_audit
from qa_daemon.store.database import Store
from qa_daemon.store.listing import listed_rows
from qa_daemon.store.tables import (
    associations,
    findings,
    instances,
    removals,
    series,
    series_associations,
    sop_key,
    study_results,
    suggestions,
)


@frozen(kw_only=True)
class SeriesRow:
    """A series as it stands."""

    series_key: str
    study_instance_uid: str
    series_instance_uid: str
    modality: str
    calling_ae: str
    state: SeriesState
    state_since: datetime
    revision: int
    first_received_at: datetime
    last_received_at: datetime
    instance_count: int
    attempts: int
    reason: str


@frozen(kw_only=True)
class SeriesFilter:
    """Which series to list; what is None or empty does not matter."""

    states: tuple[SeriesState, ...] = ()
    study_instance_uid: str | None = None
    series_instance_uid: str | None = None
    modality: str | None = None
    calling_ae: str | None = None
    received_since: datetime | None = None


@frozen(kw_only=True)
class Counts:
    """How much of what there is, for metrics and for the start of a session."""

    series: Mapping[SeriesState, int] = field(factory=dict)
    instances: int = 0
    unreadable: int = 0
    repeats: int = 0
    suggestions: Mapping[SuggestionState, int] = field(factory=dict)


# --- settling ------------------------------------------------------------------------------------


def arrivals(store: Store) -> tuple[Arrival, ...]:
    """Return every series that is being received, the longest quiet first."""
    later = series.alias("later").c
    later_begun = (
        select(func.max(later.begun_at))
        .where(
            later.study_key == series.c.study_key,
            later.calling_ae == series.c.calling_ae,
            later.series_key != series.c.series_key,
            later.begun_at > series.c.begun_at,
        )
        .scalar_subquery()
    )
    brought = series_associations.c
    # An association without a row (its note is still to come, or it is a file's) has not ended.
    is_open = exists(
        select(literal(1))
        .select_from(
            series_associations.outerjoin(associations, associations.c.id == brought.association_id)
        )
        .where(
            brought.series_key == series.c.series_key,
            brought.revision == series.c.revision,
            associations.c.ended_at.is_(None),
        )
    )
    statement = (
        select(
            series,
            later_begun.label("later_series_begun_at"),
            is_open.label("is_open"),
        )
        .where(series.c.state == SeriesState.RECEIVING)
        .order_by(series.c.last_received_at, series.c.series_key)
    )
    with store.reading() as connection:
        return tuple(_arrival(row) for row in connection.execute(statement).mappings())


def _arrival(row: Any) -> Arrival:
    return Arrival(
        series_key=row["series_key"],
        study_instance_uid=row["study_instance_uid"],
        series_instance_uid=row["series_instance_uid"],
        modality=row["modality"],
        revision=row["revision"],
        calling_ae=row["calling_ae"],
        begun_at=row["begun_at"],
        last_received_at=row["last_received_at"],
        instance_count=row["instance_count"],
        associations_ended=not row["is_open"],
        later_series_begun_at=row["later_series_begun_at"],
    )


def settle(store: Store, arrival: Arrival, now: datetime) -> bool:
    """Close the series as `arrival` saw it; False if something has come since."""
    unchanged = (
        update(series)
        .where(
            series.c.series_key == arrival.series_key,
            series.c.state == SeriesState.RECEIVING,
            series.c.revision == arrival.revision,
            series.c.instance_count == arrival.instance_count,
            series.c.last_received_at == arrival.last_received_at,
        )
        .values(state=SeriesState.SETTLED.value, state_since=now, attempts=0, lease_until=None)
    )
    with store.writing() as connection:
        return connection.execute(unchanged).rowcount == 1


# --- looking -------------------------------------------------------------------------------------


def series_list(store: Store, wanted: SeriesFilter, count_max: int) -> tuple[SeriesRow, ...]:
    """Return the series that meet all of `wanted`, the latest arrival first."""
    order = (series.c.last_received_at.desc(), series.c.series_key)
    statement = _filtered(select(series), wanted).order_by(*order).limit(count_max)
    with store.reading() as connection:
        return tuple(_row(row) for row in connection.execute(statement).mappings())


def _filtered(statement: Select[Any], wanted: SeriesFilter) -> Select[Any]:
    if wanted.states:
        statement = statement.where(series.c.state.in_(wanted.states))
    if wanted.received_since is not None:
        statement = statement.where(series.c.last_received_at >= wanted.received_since)
    for name in ("study_instance_uid", "series_instance_uid", "modality", "calling_ae"):
        value = getattr(wanted, name)
        if value is not None:
            statement = statement.where(series.c[name] == value)
    return statement


def series_row(store: Store, key: str) -> SeriesRow | None:
    """Return the series whose key begins with `key`; None if there is none, or more than one."""
    statement = select(series).where(series.c.series_key.startswith(key, autoescape=True)).limit(2)
    with store.reading() as connection:
        rows = connection.execute(statement).mappings().all()
    return _row(rows[0]) if len(rows) == 1 else None


def series_with(store: Store, sop_instance_uid: str) -> SeriesRow | None:
    """Return the series that holds an instance; of several the first by key, None if none does."""
    holding = (
        select(series)
        .join(instances, instances.c.series_key == series.c.series_key)
        .where(instances.c.sop_key == sop_key(sop_instance_uid))
        .order_by(series.c.series_key)
        .limit(1)
    )
    with store.reading() as connection:
        row = connection.execute(holding).mappings().one_or_none()
    return None if row is None else _row(row)


def siblings(store: Store, key: str, count_max: int) -> tuple[SeriesRow, ...]:
    """Return other series of the same study, the first `count_max` in the order of arrival."""
    own = select(series.c.study_key).where(series.c.series_key == key).scalar_subquery()
    statement = (
        select(series)
        .where(series.c.study_key == own, series.c.series_key != key)
        .order_by(series.c.first_received_at, series.c.series_key)
        .limit(count_max)
    )
    with store.reading() as connection:
        return tuple(_row(row) for row in connection.execute(statement).mappings())


def _row(row: Any) -> SeriesRow:
    names = SeriesRow.__attrs_attrs__
    values = {name.name: row[name.name] for name in names}
    return SeriesRow(**values | {"state": SeriesState(row["state"])})


def counts(store: Store) -> Counts:
    """Count everything once."""
    by_state = select(series.c.state, func.count()).group_by(series.c.state)
    objects = select(
        func.count(),
        func.count().filter(instances.c.header.is_(None)),
        func.coalesce(func.sum(instances.c.repeat_count), 0),
    ).select_from(instances)
    by_decision = select(suggestions.c.state, func.count()).group_by(suggestions.c.state)
    with store.reading() as connection:
        all_objects, unreadable, repeats = connection.execute(objects).one()
        return Counts(
            series={SeriesState(state): count for state, count in connection.execute(by_state)},
            instances=all_objects,
            unreadable=unreadable,
            repeats=int(repeats),
            suggestions={
                SuggestionState(state): count for state, count in connection.execute(by_decision)
            },
        )


# --- operators -----------------------------------------------------------------------------------


def requeue(store: Store, key: str, operator: Operator) -> bool:
    """Try a quarantined series again; False if there is no such series in quarantine."""
    with store.writing() as connection:
        moved = _resettle(connection, SeriesEvent.REQUEUE, [series.c.series_key == key], operator)
        for moved_key in moved:
            concerned = concerned_by(connection, moved_key)
            append(
                connection, operator, Deed(action="requeue", subject=moved_key, concerned=concerned)
            )
    return bool(moved)


def recheck(
    store: Store, wanted: SeriesFilter, operator: Operator, key: str | None = None
) -> tuple[str, ...]:
    """Judge again, with the rules and models of today, what nobody has decided; return the keys.

    The revision stays; findings that come out the same keep their ids and states.
    """
    chosen = _filtered(select(series.c.series_key), wanted)
    if key is not None:
        chosen = chosen.where(series.c.series_key == key)
    with store.writing() as connection:
        condition = [series.c.series_key.in_(chosen)]
        moved = _resettle(connection, SeriesEvent.RECHECK, condition, operator)
        for moved_key in moved:
            concerned = concerned_by(connection, moved_key)
            append(
                connection, operator, Deed(action="recheck", subject=moved_key, concerned=concerned)
            )
    return moved


def _resettle(
    connection: Connection, happening: SeriesEvent, conditions: Sequence[Any], operator: Operator
) -> tuple[str, ...]:
    moved = (
        update(series)
        .where(series.c.state.in_(sources(happening)), *conditions)
        .values(
            state=SeriesState.SETTLED.value,
            state_since=operator.at,
            attempts=0,
            lease_until=None,
            lease_fence=series.c.lease_fence + 1,
            reason="",
        )
        .returning(series.c.series_key)
    )
    return tuple(sorted(connection.scalars(moved)))


def remove_series(store: Store, key: str, operator: Operator) -> tuple[str, ...]:
    """Delete a series with all that was said about it; return the spool keys to remove.

    They stand among `removals_due` until `removed` is called, so that a crash in between does not
    bring the objects back.
    """
    with store.taking_turns() as connection:
        own = series.c.series_key == key
        larger = connection.execute(
            select(series.c.study_key, series.c.visit_key).where(own).with_for_update()
        ).first()
        if larger is None:
            return ()
        concerned = concerned_by(connection, key)
        held = select(instances.c.spool_key).where(instances.c.series_key == key)
        keys = tuple(connection.scalars(held.order_by(instances.c.spool_key)))
        _let_go(connection, keys, operator)
        listed_rows.supersede(connection, [key])
        connection.execute(delete(series).where(own))
        for column, of_larger in zip((series.c.study_key, series.c.visit_key), larger, strict=True):
            _end(connection, column, of_larger)
        deleted = Deed(
            action="delete", subject=key, detail=f"{len(keys)} objects", concerned=concerned
        )
        append(connection, operator, deleted)
    return keys


def _end(connection: Connection, column: Column[str], key: str) -> None:
    """Forget what is said of a study or a visit that has no series any more."""
    left = select(literal(1)).where(column == key).limit(1)
    if connection.execute(left).first() is None:
        listed_rows.forget(connection, key)
        connection.execute(delete(findings).where(findings.c.study_key == key))
        connection.execute(delete(study_results).where(study_results.c.study_key == key))


def remove_unreadable(store: Store, spool_key: str, operator: Operator) -> tuple[str, ...]:
    """Delete one object that belongs to no series; return the spool keys to remove, as above."""
    with store.taking_turns() as connection:
        own = (instances.c.spool_key == spool_key, instances.c.series_key.is_(None))
        if connection.execute(delete(instances).where(*own)).rowcount == 0:
            return ()
        _let_go(connection, (spool_key,), operator)
        note_audit(connection, operator, "delete", spool_key)
    return (spool_key,)


def _let_go(connection: Connection, keys: Sequence[str], operator: Operator) -> None:
    if keys:
        rows = [{"spool_key": key, "at": operator.at} for key in keys]
        connection.execute(insert(removals), rows)
