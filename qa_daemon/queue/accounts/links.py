"""Links that work once: to make the first administrator, and to enter a demo."""

from datetime import datetime, timedelta
from secrets import token_urlsafe
from typing import Final

from qa_daemon.errors import InputError
from qa_daemon.queue.accounts.people import new_local
from qa_daemon.queue.accounts.permissions import Role
from qa_daemon.queue.accounts.sessions import digest
from qa_daemon.store.accounts import link_rows, user_rows
from qa_daemon.store.accounts.link_rows import ENTER, FIRST, NewLink
from qa_daemon.store.accounts.user_rows import UserRow
from qa_daemon.store.audit.entries import Operator
from qa_daemon.store.database import Store

#: Long enough to walk to a browser; a new start prints a new one.
LASTS: Final = timedelta(hours=1)
_SECRET_BYTES: Final = 32
_SPENT: Final = (
    "This link has been used, has expired, or never was. Start the service again for one."
)


def offer_first(store: Store, now: datetime) -> str | None:
    """Return the secret of a link that makes the first user; None if there are users."""
    secret = token_urlsafe(_SECRET_BYTES)
    new = NewLink(link_key=digest(secret), purpose=FIRST, at=now, expires_at=now + LASTS)
    return secret if link_rows.offer_first(store, new) else None


def is_first_open(store: Store, secret: str, now: datetime) -> bool:
    """Whether the link still works."""
    return link_rows.is_open(store, digest(secret), FIRST, now)


def make_first(store: Store, secret: str, given: tuple[str, str], operator: Operator) -> UserRow:
    """Use the link: make the first administrator.

    Parameters
    ----------
    given
        Name and password.

    Raises
    ------
    InputError
        If the link does not work any more, or name or password will not do; then it still works.
    """
    new = new_local(*given, Role.ADMIN)
    with store.writing() as connection:
        if not link_rows.use(connection, digest(secret), FIRST, operator.at):
            raise InputError(_SPENT)
        signed = Operator(new.name, operator.at, operator.address)
        return user_rows.insert_user(connection, new, signed)


def offer_entry(store: Store, user: UserRow, now: datetime) -> str:
    """Return the secret of a link that signs its user in, once."""
    secret = token_urlsafe(_SECRET_BYTES)
    new = NewLink(
        link_key=digest(secret), purpose=ENTER, at=now, expires_at=now + LASTS, user_id=user.id
    )
    link_rows.offer(store, new)
    return secret


def enter(store: Store, secret: str, now: datetime) -> UserRow | None:
    """Use the link; return whom it signs in, or None if it does not work."""
    with store.writing() as connection:
        user_id = link_rows.user_of(connection, digest(secret), now)
        if user_id is None or not link_rows.use(connection, digest(secret), ENTER, now):
            return None
    found = user_rows.by_id(store, user_id)
    return found if found is not None and found.disabled_at is None else None
