"""Acts: what a person did at one blow, so that it is done once and undone as a whole."""

from datetime import datetime
from typing import Any

from attrs import frozen
from sqlalchemy import RowMapping, insert, select, update

from qa_daemon.records.decision import Verb
from qa_daemon.store.database import Transaction
from qa_daemon.store.review.tables import acts
from qa_daemon.store.tables import request_key


@frozen(kw_only=True)
class Act:
    """What a person did at one blow.

    Attributes
    ----------
    closes_at
        When it can no longer be undone, because what it sends leaves; None = nothing leaves.
    undone_at, undone_by
        None and "" while it stands.
    """

    id: int
    who: str
    at: datetime
    verb: Verb
    closes_at: datetime | None
    undone_at: datetime | None
    undone_by: str

    def is_closed(self, now: datetime) -> bool:
        """Whether its undo window is over."""
        return self.closes_at is not None and now >= self.closes_at


@frozen(kw_only=True)
class Request:
    """A wish of a person, as the client numbered it: repeated, it is the same wish."""

    who: str
    number: str
    at: datetime

    @property
    def key(self) -> str:
        """Return what tells it from all others."""
        return request_key(self.who, self.number)


def begin(connection: Transaction, request: Request, verb: Verb, closes_at: datetime | None) -> int:
    """Note an act; return its number."""
    values = {
        "request_key": request.key,
        "who": request.who,
        "at": request.at,
        "verb": verb.value,
        "closes_at": closes_at,
        "undone_by": "",
        "undone_request_key": "",
    }
    key = connection.execute(insert(acts).values(values)).inserted_primary_key
    assert key is not None
    return int(key.id)


def act_of(connection: Transaction, act_id: int) -> Act | None:
    """Return an act; None if there is none of this number."""
    return _one(connection, acts.c.id == act_id)


def done_by(connection: Transaction, request: Request) -> Act | None:
    """Return the act that this request made when it came before."""
    return _one(connection, acts.c.request_key == request.key)


def undone_by(connection: Transaction, request: Request) -> Act | None:
    """Return the act that this request took back when it came before."""
    return _one(connection, acts.c.undone_request_key == request.key)


def standing_acts(
    connection: Transaction, who: str, since: datetime, count_max: int
) -> tuple[Act, ...]:
    """Return what a person did since then and nobody took back, the latest first."""
    statement = (
        select(acts)
        .where(acts.c.who == who, acts.c.at >= since, acts.c.undone_at.is_(None))
        .order_by(acts.c.at.desc(), acts.c.id.desc())
        .limit(count_max)
    )
    return tuple(_act(row) for row in connection.execute(statement).mappings())


def take_back(connection: Transaction, act_id: int, request: Request) -> None:
    """Note that an act was undone."""
    values = {
        "undone_at": request.at,
        "undone_by": request.who,
        "undone_request_key": request.key,
    }
    connection.execute(update(acts).where(acts.c.id == act_id).values(values))


def _one(connection: Transaction, condition: Any) -> Act | None:
    row = connection.execute(select(acts).where(condition)).mappings().one_or_none()
    return None if row is None else _act(row)


def _act(row: RowMapping) -> Act:
    return Act(
        id=row["id"],
        who=row["who"],
        at=row["at"],
        verb=Verb(row["verb"]),
        closes_at=row["closes_at"],
        undone_at=row["undone_at"],
        undone_by=row["undone_by"],
    )
