"""Signing in with name and password: who it is, or that it is refused."""

from datetime import datetime, timedelta
from typing import Final

from attrs import field, frozen

from qa_daemon.queue.accounts.passwords import is_right
from qa_daemon.queue.accounts.people import name_key
from qa_daemon.store.accounts import user_rows
from qa_daemon.store.accounts.user_rows import UserRow
from qa_daemon.store.audit.entries import Deed, Operator, note
from qa_daemon.store.database import Store

#: Slips of the finger that cost nothing.
FAILURES_FREE: Final = 4
#: From then on each failure doubles the wait, to at most a quarter of an hour: a guesser gets some
#: hundred tries a day, and nobody locks a colleague out for good.
DELAY_FIRST_S: Final = 2.0
DELAY_MAX_S: Final = 900.0
#: What the audit calls who types a name that nobody has.
UNKNOWN: Final = "(unknown)"


@frozen
class Refused:
    """No sign-in.

    Attributes
    ----------
    wait_s
        Seconds until the next try counts; 0 = at once.
    """

    wait_s: float = 0.0


@frozen(kw_only=True)
class Credentials:
    """What somebody typed, and from which address."""

    name: str
    password: str = field(repr=False)
    address: str


def identified(store: Store, given: Credentials, now: datetime) -> UserRow | Refused:
    """Return the user whose name and password these are.

    A name that does not exist, a disabled user and a wrong password look and last the same.
    """
    user = user_rows.by_name(store, name_key(given.name))
    matches = is_right(user.password if user else "", given.password)
    if user is None:
        # Not the name that was typed: some type their password there.
        user_rows.note_failure(store, None, None, Operator(UNKNOWN, now, given.address))
        return Refused()
    operator = Operator(user.name, now, given.address)
    if user.locked_until is not None and now < user.locked_until:
        # Not even the right password counts: otherwise a guesser need not wait.
        note(store, operator, Deed(action="login", subject=user.name, detail="locked", outcome=4))
        return Refused((user.locked_until - now).total_seconds())
    if not matches or user.disabled_at is not None:
        wait_s = delay_s(user.failures + 1)
        locked = now + timedelta(seconds=wait_s) if wait_s else None
        user_rows.note_failure(store, user, locked, operator)
        return Refused(wait_s)
    return user


def delay_s(failures: int) -> float:
    """Return how long the next try has to wait after so many failures in a row."""
    if failures <= FAILURES_FREE:
        return 0.0
    doublings = min(failures - FAILURES_FREE - 1, 20)
    return min(DELAY_FIRST_S * (1 << doublings), DELAY_MAX_S)
