"""Tokens of programs: each acts for a user, within its scopes; kept as a digest."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from attrs import frozen
from sqlalchemy import RowMapping, insert, select, update

from qa_daemon.store.accounts.tables import tokens, users
from qa_daemon.store.accounts.user_rows import UserRow, user_row
from qa_daemon.store.audit.entries import Operator, note_audit
from qa_daemon.store.database import Store

#: Used again within this, a token's row is not written.
TOUCH: Final = timedelta(minutes=5)


@frozen(kw_only=True)
class NewToken:
    """A token that is to be made; `token_key` is the digest of its secret."""

    token_key: str
    user_id: int
    label: str
    scopes: tuple[str, ...]
    expires_at: datetime | None


@frozen(kw_only=True)
class TokenRow:
    """A token as it stands, and whom it acts for."""

    id: int
    user: UserRow
    label: str
    scopes: tuple[str, ...]
    created_at: datetime
    expires_at: datetime | None
    used_at: datetime | None
    revoked_at: datetime | None


def add(store: Store, new: NewToken, operator: Operator) -> int:
    """Keep a token and return its number."""
    values = {
        "token_key": new.token_key,
        "user_id": new.user_id,
        "label": new.label,
        "scopes": " ".join(new.scopes),
        "created_at": operator.at,
        "expires_at": new.expires_at,
    }
    with store.writing() as connection:
        made = connection.execute(insert(tokens).values(values).returning(tokens.c.id))
        number = int(made.scalar_one())
        note_audit(connection, operator, "token add", new.label, " ".join(new.scopes))
        return number


def by_key(store: Store, token_key: str) -> TokenRow | None:
    """Return the token of that digest, in force or not."""
    with store.reading() as connection:
        found = connection.execute(_SELECTED.where(tokens.c.token_key == token_key))
        row = found.mappings().one_or_none()
    return None if row is None else _token(row)


def token_list(store: Store, user_id: int | None = None) -> Sequence[TokenRow]:
    """Return all tokens, or those of one user, the oldest first."""
    wanted = _SELECTED.order_by(tokens.c.id)
    if user_id is not None:
        wanted = wanted.where(tokens.c.user_id == user_id)
    with store.reading() as connection:
        return [_token(row) for row in connection.execute(wanted).mappings()]


def used(store: Store, token_id: int, now: datetime) -> None:
    """Note that a program came with it."""
    with store.writing() as connection:
        connection.execute(update(tokens).where(tokens.c.id == token_id).values(used_at=now))


def revoke(store: Store, token_id: int, operator: Operator, user_id: int | None = None) -> bool:
    """End a token, of that user only if one is given; False if there is none in force."""
    own = [tokens.c.id == token_id, tokens.c.revoked_at.is_(None)]
    if user_id is not None:
        own.append(tokens.c.user_id == user_id)
    with store.writing() as connection:
        ended = update(tokens).where(*own).values(revoked_at=operator.at)
        label = connection.scalar(ended.returning(tokens.c.label))
        if label is not None:
            note_audit(connection, operator, "token revoke", label)
        return label is not None


_COLUMNS: Final = ("label", "expires_at", "used_at", "revoked_at")
_SELECTED: Final = select(
    *(tokens.c[name] for name in _COLUMNS),
    tokens.c.scopes,
    tokens.c.id.label("token_id"),
    tokens.c.created_at.label("made_at"),
    users,
).join(users, users.c.id == tokens.c.user_id)


def _token(row: RowMapping) -> TokenRow:
    given: dict[str, Any] = {name: row[name] for name in _COLUMNS}
    return TokenRow(
        id=row["token_id"],
        user=user_row(row),
        scopes=tuple(row["scopes"].split()),
        created_at=row["made_at"],
        **given,
    )
