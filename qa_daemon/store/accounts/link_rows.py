"""Links that work once: kept as a digest, used in the transaction of what they allow."""

from datetime import datetime
from typing import Final

from attrs import frozen
from sqlalchemy import ColumnElement, Connection, delete, func, insert, select, update

from qa_daemon.store.accounts.tables import links, users
from qa_daemon.store.database import Store

#: Purposes: the link that makes the first user, and the one that signs one user in.
FIRST: Final = "first user"
ENTER: Final = "enter"


@frozen(kw_only=True)
class NewLink:
    """A link that is to be offered; `link_key` is the digest of its secret."""

    link_key: str
    purpose: str
    at: datetime
    expires_at: datetime
    user_id: int | None = None


def offer(store: Store, new: NewLink) -> None:
    """Keep a link; an earlier one of its user works no more."""
    with store.writing() as connection:
        connection.execute(delete(links).where(links.c.user_id == new.user_id))
        _keep(connection, new)


def offer_first(store: Store, new: NewLink) -> bool:
    """Keep the link that makes the first user; False if there are users already."""
    with store.writing() as connection:
        if connection.scalar(select(func.count()).select_from(users)):
            return False
        connection.execute(delete(links).where(links.c.purpose == FIRST))
        _keep(connection, new)
        return True


def is_open(store: Store, link_key: str, purpose: str, now: datetime) -> bool:
    """Whether the link would work."""
    wanted = select(links.c.link_key).where(*_usable(link_key, purpose, now))
    with store.reading() as connection:
        return connection.scalar(wanted) is not None


def user_of(connection: Connection, link_key: str, now: datetime) -> int | None:
    """Return whom a link would sign in."""
    return connection.scalar(select(links.c.user_id).where(*_usable(link_key, ENTER, now)))


def use(connection: Connection, link_key: str, purpose: str, now: datetime) -> bool:
    """Use the link up; False if it was, has expired, or never was."""
    spent = update(links).where(*_usable(link_key, purpose, now)).values(used_at=now)
    return connection.execute(spent).rowcount == 1


def _keep(connection: Connection, new: NewLink) -> None:
    values = {
        "link_key": new.link_key,
        "purpose": new.purpose,
        "user_id": new.user_id,
        "created_at": new.at,
        "expires_at": new.expires_at,
    }
    connection.execute(insert(links).values(values))


def _usable(link_key: str, purpose: str, now: datetime) -> tuple[ColumnElement[bool], ...]:
    return (
        links.c.link_key == link_key,
        links.c.purpose == purpose,
        links.c.used_at.is_(None),
        links.c.expires_at > now,
    )
