"""People: made, found, changed; each change with its audit entry in the same transaction."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from attrs import fields, frozen
from sqlalchemy import ColumnElement, Connection, RowMapping, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from qa_daemon.errors import InputError
from qa_daemon.store.accounts.tables import users
from qa_daemon.store.audit.entries import Operator, note_audit
from qa_daemon.store.database import Store


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


def change(
    store: Store, user_id: int, values: Mapping[str, Any], operator: Operator, action: str
) -> bool:
    """Set columns of one user; False if there is none.

    Parameters
    ----------
    action
        What the audit calls it, such as `user role`.
    """
    with store.writing() as connection:
        named = connection.execute(
            update(users).where(users.c.id == user_id).values(**values).returning(users.c.name)
        ).scalar_one_or_none()
        if named is not None:
            note_audit(connection, operator, action, named, str(values.get("role", "")))
        return named is not None


def note_failure(store: Store, user_id: int, locked_until: datetime | None) -> None:
    """Count a wrong password."""
    with store.writing() as connection:
        connection.execute(
            update(users)
            .where(users.c.id == user_id)
            .values(failures=users.c.failures + 1, locked_until=locked_until)
        )


def user_row(row: RowMapping) -> UserRow:
    """Return the user that a row of the table holds."""
    return UserRow(**{name: row[name] for name in _COLUMNS})


def _one(connection: Connection, condition: ColumnElement[bool]) -> UserRow | None:
    row = connection.execute(select(users).where(condition)).mappings().one_or_none()
    return None if row is None else user_row(row)


_COLUMNS = tuple(attribute.name for attribute in fields(UserRow))
