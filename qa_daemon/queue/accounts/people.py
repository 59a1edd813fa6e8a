"""People: made, found by the name that they type."""

import unicodedata
from typing import Final

from qa_daemon.errors import InputError
from qa_daemon.queue.accounts.passwords import hashed
from qa_daemon.queue.accounts.permissions import Role
from qa_daemon.store.accounts import user_rows
from qa_daemon.store.accounts.user_rows import NewUser, UserRow
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


def add_local(store: Store, name: str, password: str, role: Role, operator: Operator) -> UserRow:
    """Make a user who signs in with a password.

    Raises
    ------
    InputError
        If name or password will not do, or the name is taken.
    """
    shown = checked_name(name)
    new = NewUser(
        name_key=name_key(shown),
        name=shown,
        full_name="",
        role=role.value,
        password=hashed(password, shown),
    )
    return user_rows.add(store, new, operator)
