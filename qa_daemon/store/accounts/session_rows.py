"""Sessions: who is signed in, since when, and seen when. Keyed by a digest of their secret."""

from datetime import datetime

from attrs import frozen
from sqlalchemy import RowMapping, delete, insert, select, update

from qa_daemon.store.accounts.tables import sessions, users
from qa_daemon.store.accounts.user_rows import UserRow, user_row
from qa_daemon.store.audit.entries import Operator, note_audit
from qa_daemon.store.database import Store


@frozen(kw_only=True)
class SessionRow:
    """One signed-in browser."""

    session_key: str
    user_id: int
    opened_at: datetime
    seen_at: datetime
    address: str
    agent: str


@frozen
class Opened:
    """A session and its user, read at once."""

    session: SessionRow
    user: UserRow


def open_session(store: Store, row: SessionRow, operator: Operator) -> None:
    """Keep a new session; the user's failures are forgotten."""
    with store.writing() as connection:
        connection.execute(insert(sessions).values({name: getattr(row, name) for name in _COLUMNS}))
        connection.execute(
            update(users).where(users.c.id == row.user_id).values(failures=0, locked_until=None)
        )
        note_audit(connection, operator, "login", operator.who)


def session_list(store: Store, user_id: int | None = None) -> tuple[Opened, ...]:
    """Return the sessions of everybody, or of one user, the latest seen first."""
    wanted = _SELECTED.order_by(sessions.c.seen_at.desc())
    if user_id is not None:
        wanted = wanted.where(sessions.c.user_id == user_id)
    with store.reading() as connection:
        return tuple(_opened(row) for row in connection.execute(wanted).mappings())


def remove_older(store: Store, opened_before: datetime, seen_before: datetime) -> int:
    """Forget sessions that have ended by time; return how many."""
    ended = (sessions.c.opened_at < opened_before) | (sessions.c.seen_at < seen_before)
    with store.writing() as connection:
        return connection.execute(delete(sessions).where(ended)).rowcount


def session_of(store: Store, session_key: str) -> Opened | None:
    """Return the session and its user, whatever their state."""
    statement = _SELECTED.where(sessions.c.session_key == session_key)
    with store.reading() as connection:
        row = connection.execute(statement).mappings().one_or_none()
    return None if row is None else _opened(row)


def touch(store: Store, session_key: str, now: datetime) -> None:
    """Note that the user did something."""
    with store.writing() as connection:
        connection.execute(
            update(sessions).where(sessions.c.session_key == session_key).values(seen_at=now)
        )


def close_session(store: Store, session_key: str, operator: Operator, action: str) -> bool:
    """End a session; False if it had ended."""
    with store.writing() as connection:
        ended = connection.execute(delete(sessions).where(sessions.c.session_key == session_key))
        if ended.rowcount:
            note_audit(connection, operator, action, operator.who)
        return bool(ended.rowcount)


_COLUMNS = tuple(column.name for column in sessions.c)
_SELECTED = select(sessions, users).join(users, users.c.id == sessions.c.user_id)


def _opened(row: RowMapping) -> Opened:
    return Opened(SessionRow(**{name: row[name] for name in _COLUMNS}), user_row(row))
