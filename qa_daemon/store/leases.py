"""Who works on which series, and until when.

A lease carries a fence: a number that grows with every claim. Whoever finishes with an older one
writes nothing, however long it slept.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from attrs import evolve, frozen
from sqlalchemy import Connection, Update, select, update

from qa_daemon.records.states import TRANSITIONS, SeriesEvent, SeriesState
from qa_daemon.store.database import Store
from qa_daemon.store.tables import series


@frozen(kw_only=True)
class Lease:
    """The right to take one series one step further, at one revision, for a while."""

    series_key: str
    study_instance_uid: str
    series_instance_uid: str
    revision: int
    state: SeriesState
    fence: int
    attempts: int
    until: datetime


@frozen(kw_only=True)
class Terms:
    """The bounds of a lease: how long it holds, and how often a step is tried."""

    lease_s: float
    attempts_max: int


def claim(store: Store, states: Sequence[SeriesState], terms: Terms, now: datetime) -> Lease | None:
    """Lease the series that has waited longest in one of `states`; None if there is none.

    A series whose step was begun `attempts_max` times is left to `give_up_exhausted`.
    """
    candidates = series.alias("candidates").c
    candidate = (
        select(candidates.series_key)
        .where(
            candidates.state.in_(states),
            candidates.lease_until.is_(None) | (candidates.lease_until <= now),
            candidates.attempts < terms.attempts_max,
        )
        .order_by(candidates.last_received_at, candidates.series_key)
        .limit(1)
        .with_for_update(skip_locked=True)
        .scalar_subquery()
    )
    taken = series.c
    # Compared with `=`: with `IN`, PostgreSQL may evaluate the subquery again and claim several.
    statement = (
        update(series)
        .where(taken.series_key == candidate)
        .values(
            lease_until=now + timedelta(seconds=terms.lease_s),
            lease_fence=taken.lease_fence + 1,
            attempts=taken.attempts + 1,
        )
        .returning(
            taken.series_key,
            taken.study_instance_uid,
            taken.series_instance_uid,
            taken.revision,
            taken.state,
            taken.lease_fence,
            taken.attempts,
            taken.lease_until,
        )
    )
    with store.writing() as connection:
        row = connection.execute(statement).one_or_none()
    if row is None:
        return None
    return Lease(
        series_key=row.series_key,
        study_instance_uid=row.study_instance_uid,
        series_instance_uid=row.series_instance_uid,
        revision=row.revision,
        state=SeriesState(row.state),
        fence=row.lease_fence,
        attempts=row.attempts,
        until=row.lease_until,
    )


def renew(store: Store, lease: Lease, terms: Terms, now: datetime) -> Lease | None:
    """Return the lease with a later end; None if it was lost: stop."""
    until = now + timedelta(seconds=terms.lease_s)
    with store.writing() as connection:
        held = connection.execute(_held(lease).values(lease_until=until)).rowcount == 1
    return evolve(lease, until=until) if held else None


def fail(
    store: Store, lease: Lease, reason: str, terms: Terms, now: datetime
) -> SeriesState | None:
    """Note that a step failed for a cause that time may mend; return where the series stands now.

    It is offered again after `lease_s`; after `attempts_max` attempts it is quarantined. None:
    the lease was lost, and nothing was written.
    """
    if lease.attempts >= terms.attempts_max:
        return give_up(store, lease, reason, now)
    again = _held(lease).values(
        lease_until=now + timedelta(seconds=terms.lease_s),
        lease_fence=series.c.lease_fence + 1,
        reason=reason,
    )
    with store.writing() as connection:
        return lease.state if connection.execute(again).rowcount == 1 else None


def give_up(store: Store, lease: Lease, reason: str, now: datetime) -> SeriesState | None:
    """Quarantine a series whose step will never succeed; None if the lease was lost."""
    with store.writing() as connection:
        if advance(connection, lease, SeriesEvent.GIVE_UP, now):
            connection.execute(
                update(series).where(series.c.series_key == lease.series_key).values(reason=reason)
            )
            return SeriesState.QUARANTINED
    return None


def give_up_exhausted(
    store: Store, states: Sequence[SeriesState], terms: Terms, now: datetime
) -> tuple[str, ...]:
    """Quarantine series whose workers died without a word `attempts_max` times; return their keys.

    Such a series would take every worker with it for ever.
    """
    exhausted = (
        update(series)
        .where(
            series.c.state.in_(states),
            series.c.lease_until <= now,
            series.c.attempts >= terms.attempts_max,
        )
        .values(
            state=SeriesState.QUARANTINED.value,
            state_since=now,
            lease_until=None,
            lease_fence=series.c.lease_fence + 1,
            attempts=0,
            reason="the step ended its process every time",
        )
        .returning(series.c.series_key)
    )
    with store.writing() as connection:
        return tuple(connection.scalars(exhausted))


def advance(connection: Connection, lease: Lease, event: SeriesEvent, now: datetime) -> bool:
    """Take the leased series to its next state and end the lease; False if it was lost."""
    moved = _held(lease).values(
        state=TRANSITIONS[lease.state, event].value,
        state_since=now,
        lease_until=None,
        attempts=0,
        reason="",
    )
    return connection.execute(moved).rowcount == 1


def _held(lease: Lease) -> Update:
    return update(series).where(
        series.c.series_key == lease.series_key,
        series.c.lease_fence == lease.fence,
        series.c.state == lease.state,
    )
