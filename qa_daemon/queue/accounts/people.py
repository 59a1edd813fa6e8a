"""People: made, found by the name that they type."""

import unicodedata
from typing import Final

from qa_daemon.errors import InputError
from qa_daemon.queue.accounts.passwords import hashed
from qa_daemon.queue.accounts.permissions import Role
from qa_daemon.store.accounts import user_rows
from qa_daemon.store.accounts.user_rows import Change, NewUser, UserRow
from qa_daemon.store.audit.entries import Operator
from qa_daemon.store.database import Store

NAME_LENGTH_MAX: Final = 64


def name_key(name: str) -> str:
    """Return what names are compared by: case, width and accents' spelling folded."""
    return unicodedata.normalize("NFKC", name.strip()).casefold()


def checked_name(name: str) -> str:
    """Return a name that may be signed in with.

    Raises
    ------
    InputError
        If it is empty, too long, or holds what cannot be seen.
    """
    shown = unicodedata.normalize("NFC", name.strip())
    if not shown or len(shown) > NAME_LENGTH_MAX:
        raise InputError(f"user name: use 1 to {NAME_LENGTH_MAX} characters")
    # Controls, format characters (right-to-left marks among them) and lone surrogates.
    if any(unicodedata.category(character)[0] == "C" for character in shown):
        raise InputError("user name: holds a character that cannot be seen; leave it out")
    return shown


def new_local(name: str, password: str, role: Role, full_name: str = "") -> NewUser:
    """Return a user who is to sign in with a password.

    Raises
    ------
    InputError
        If name or password will not do.
    """
    shown = checked_name(name)
    return NewUser(
        name_key=name_key(shown),
        name=shown,
        full_name=checked_name(full_name) if full_name else "",
        role=role.value,
        password=hashed(password, shown),
    )


def add_local(store: Store, name: str, password: str, role: Role, operator: Operator) -> UserRow:
    """Make a user who signs in with a password; errors as `new_local`, or the name is taken."""
    return user_rows.add(store, new_local(name, password, role), operator)


def named(store: Store, name: str) -> UserRow:
    """Return the user of that name.

    Raises
    ------
    InputError
        If there is none.
    """
    found = user_rows.by_name(store, name_key(name))
    if found is None:
        raise InputError(f"user {name!r}: unknown; `qa-daemon user list` shows them")
    return found


def disable(store: Store, user: UserRow, operator: Operator) -> None:
    """Let a user in no more; sessions and tokens end at once."""
    wanted = Change(action="user disable", values={"disabled_at": operator.at}, ends_sessions=True)
    user_rows.change(store, user.id, wanted, operator)


def enable(store: Store, user: UserRow, operator: Operator) -> None:
    """Let a user in again, and forget wrong passwords."""
    values = {"disabled_at": None, "failures": 0, "locked_until": None}
    user_rows.change(store, user.id, Change(action="user enable", values=values), operator)


def set_role(store: Store, user: UserRow, role: Role, operator: Operator) -> None:
    """Give a user another role, from the next request on."""
    wanted = Change(action="user role", values={"role": role.value}, detail=role.value)
    user_rows.change(store, user.id, wanted, operator)


def set_password(store: Store, user: UserRow, password: str, operator: Operator) -> None:
    """Give a user another password; whoever is signed in with the old one is not any more."""
    values = {"password": hashed(password, user.name), "failures": 0, "locked_until": None}
    wanted = Change(action="user password", values=values, ends_sessions=True)
    user_rows.change(store, user.id, wanted, operator)
