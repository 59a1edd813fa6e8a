"""Sessions: who is signed in, since when, and seen when. Keyed by a digest of their secret."""

from datetime import datetime

from attrs import frozen
from sqlalchemy import delete, insert, select, update

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
        note_audit(connection, operator, "login", operator.who, row.address)


def session_of(store: Store, session_key: str) -> Opened | None:
    """Return the session and its user, whatever their state."""
    statement = (
        select(sessions, users)
        .join(users, users.c.id == sessions.c.user_id)
        .where(sessions.c.session_key == session_key)
    )
    with store.reading() as connection:
        row = connection.execute(statement).mappings().one_or_none()
    if row is None:
        return None
    return Opened(SessionRow(**{name: row[name] for name in _COLUMNS}), user_row(row))


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
