"""Who has which finding before them: a hint for people, never a lock."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from attrs import frozen
from sqlalchemy import delete, insert, select, update

from qa_daemon.store.database import Store
from qa_daemon.store.review.tables import presences
from qa_daemon.store.tables import findings


@frozen
class Presence:
    """Somebody who has a finding before them."""

    who: str
    since: datetime


def come(
    store: Store, finding_id: int, who: str, now: datetime, *, alive_since: datetime
) -> tuple[Presence, ...]:
    """Note that somebody looks at a finding; return who else does.

    Parameters
    ----------
    alive_since
        Whoever was not seen since then has gone; their rows go, too.
    """
    own = (presences.c.finding_id == finding_id, presences.c.who == who)
    # In turn, so that two pages of one person do not both make the row.
    with store.taking_turns() as connection:
        connection.execute(delete(presences).where(presences.c.seen_at < alive_since))
        known = select(findings.c.id).where(findings.c.id == finding_id)
        if connection.execute(known).first() is None:
            return ()
        if connection.execute(update(presences).where(*own).values(seen_at=now)).rowcount == 0:
            values = {"finding_id": finding_id, "who": who, "since": now, "seen_at": now}
            connection.execute(insert(presences).values(values))
        others = (
            select(presences.c.who, presences.c.since)
            .where(presences.c.finding_id == finding_id, presences.c.who != who)
            .order_by(presences.c.since, presences.c.who)
        )
        return tuple(Presence(row.who, row.since) for row in connection.execute(others))


def present(
    store: Store, finding_ids: Sequence[int], alive_since: datetime
) -> Mapping[int, tuple[str, ...]]:
    """Return who has which of some findings before them, who came first before the others."""
    statement = (
        select(presences.c.finding_id, presences.c.who)
        .where(presences.c.finding_id.in_(finding_ids), presences.c.seen_at >= alive_since)
        .order_by(presences.c.since, presences.c.who)
    )
    found: dict[int, tuple[str, ...]] = {}
    with store.reading() as connection:
        for row in connection.execute(statement):
            found[row.finding_id] = (*found.get(row.finding_id, ()), row.who)
    return found


def leave(store: Store, finding_id: int, who: str) -> None:
    """Note that somebody looks at something else."""
    own = (presences.c.finding_id == finding_id, presences.c.who == who)
    with store.writing() as connection:
        connection.execute(delete(presences).where(*own))
