"""People: made, found, changed; each change with its audit entry in the same transaction."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from attrs import fields, frozen
from sqlalchemy import (
    ColumnElement,
    Connection,
    RowMapping,
    delete,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError

from qa_daemon.errors import InputError
from qa_daemon.store.accounts.tables import sessions, users
from qa_daemon.store.audit.entries import Deed, Operator, append, note_audit
from qa_daemon.store.database import Store

#: The role without which nobody could let anybody in.
ADMIN: Final = "admin"


@frozen(kw_only=True)
class UserRow:
    """One person.

    Attributes
    ----------
    name
        To sign in with; `name_key` is what is compared.
    password
        An argon2 hash; empty where an identity provider vouches for the person.
    failures
        Wrong passwords since the last right one.
    """

    id: int
    name_key: str
    name: str
    full_name: str
    role: str
    password: str
    language: str
    created_at: datetime
    disabled_at: datetime | None
    failures: int
    locked_until: datetime | None


@frozen(kw_only=True)
class NewUser:
    """A person who is to be made."""

    name_key: str
    name: str
    full_name: str
    role: str
    password: str
    identity_key: str | None = None


def add(store: Store, new: NewUser, operator: Operator) -> UserRow:
    """Make a user.

    Raises
    ------
    InputError
        If one of that name, or of that identity, exists.
    """
    with store.writing() as connection:
        return insert_user(connection, new, operator)


def insert_user(connection: Connection, new: NewUser, operator: Operator) -> UserRow:
    """Make a user in a transaction that does more; errors as `add`."""
    values = {
        "name_key": new.name_key,
        "name": new.name,
        "full_name": new.full_name,
        "role": new.role,
        "password": new.password,
        "identity_key": new.identity_key,
        "language": "",
        "created_at": operator.at,
        "failures": 0,
    }
    try:
        with connection.begin_nested():
            made = connection.execute(insert(users).values(values).returning(users.c.id))
            number = made.scalar_one()
    except IntegrityError as error:
        raise InputError(f"user {new.name!r}: exists; choose another name") from error
    note_audit(connection, operator, "user add", new.name, new.role)
    row = _one(connection, users.c.id == number)
    assert row is not None
    return row


def by_name(store: Store, name_key: str) -> UserRow | None:
    """Return the user of that name, disabled or not."""
    with store.reading() as connection:
        return _one(connection, users.c.name_key == name_key)


def by_identity(store: Store, identity_key: str) -> UserRow | None:
    """Return the user for whom an identity provider vouches."""
    with store.reading() as connection:
        return _one(connection, users.c.identity_key == identity_key)


def by_id(store: Store, user_id: int) -> UserRow | None:
    """Return the user of that number."""
    with store.reading() as connection:
        return _one(connection, users.c.id == user_id)


def user_list(store: Store) -> tuple[UserRow, ...]:
    """Return all users by name; a hospital has hundreds, not millions."""
    with store.reading() as connection:
        rows = connection.execute(select(users).order_by(users.c.name_key)).mappings()
        return tuple(user_row(row) for row in rows)


def user_count(store: Store) -> int:
    """Return how many users there are, disabled ones too."""
    with store.reading() as connection:
        return connection.scalar(select(func.count()).select_from(users)) or 0


@frozen(kw_only=True)
class Change:
    """What is to be otherwise about a user, and what the audit calls it."""

    action: str
    values: Mapping[str, Any]
    detail: str = ""
    ends_sessions: bool = False


def change(store: Store, user_id: int, wanted: Change, operator: Operator) -> UserRow | None:
    """Change one user; None if there is none.

    Raises
    ------
    InputError
        If no administrator would be left: nobody could let anybody in again.
    """
    with store.writing() as connection:
        before = _one(connection, users.c.id == user_id)
        if before is None:
            return None
        own = users.c.id == user_id
        connection.execute(update(users).where(own).values(**wanted.values))
        after = _one(connection, own)
        assert after is not None
        if _is_admin(before) and not _is_admin(after) and not _has_admin(connection):
            raise InputError(
                f"user {before.name!r}: is the last administrator; make another one first"
            )
        if wanted.ends_sessions:
            connection.execute(delete(sessions).where(sessions.c.user_id == user_id))
        note_audit(connection, operator, wanted.action, before.name, wanted.detail)
        return after


def _is_admin(user: UserRow) -> bool:
    return user.role == ADMIN and user.disabled_at is None


def _has_admin(connection: Connection) -> bool:
    active = (users.c.role == ADMIN, users.c.disabled_at.is_(None))
    return connection.scalar(select(users.c.id).where(*active).limit(1)) is not None


def note_failure(
    store: Store, user: UserRow | None, locked_until: datetime | None, operator: Operator
) -> None:
    """Count a wrong password, if it was somebody's; the audit has it in any case."""
    with store.writing() as connection:
        if user is not None:
            failed = {"failures": users.c.failures + 1, "locked_until": locked_until}
            connection.execute(update(users).where(users.c.id == user.id).values(failed))
        append(connection, operator, Deed(action="login", subject=operator.who, outcome=4))


def user_row(row: RowMapping) -> UserRow:
    """Return the user that a row of the table holds."""
    return UserRow(**{name: row[name] for name in _COLUMNS})


def _one(connection: Connection, condition: ColumnElement[bool]) -> UserRow | None:
    row = connection.execute(select(users).where(condition)).mappings().one_or_none()
    return None if row is None else user_row(row)


_COLUMNS = tuple(attribute.name for attribute in fields(UserRow))
