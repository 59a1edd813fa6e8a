"""Tokens: what a program shows instead of signing in. Shown once, kept as a digest."""

import secrets
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from attrs import frozen

from qa_daemon.errors import InputError
from qa_daemon.queue.accounts.permissions import Permission, Role, Visitor, permissions_of
from qa_daemon.queue.accounts.sessions import digest
from qa_daemon.store.accounts import token_rows
from qa_daemon.store.accounts.token_rows import NewToken, TokenRow
from qa_daemon.store.accounts.user_rows import UserRow
from qa_daemon.store.audit.entries import Operator
from qa_daemon.store.database import Store

#: So that a scanner of leaked secrets, and a person, know one when they see it.
PREFIX: Final = "qad_"
LABEL_LENGTH_MAX: Final = 64
_SECRET_BYTES: Final = 32


class Scope(StrEnum):
    """What a token is for; never more than its user may do."""

    READ = "read"
    PATIENTS = "patients"
    DECIDE = "decide"
    ADMINISTER = "administer"


#: What each scope allows.
ALLOWED: Final = {
    Scope.READ: {Permission.SEE},
    Scope.PATIENTS: {Permission.SEE, Permission.SEE_PATIENTS},
    Scope.DECIDE: {Permission.SEE, Permission.DECIDE, Permission.APPROVE},
    Scope.ADMINISTER: {Permission.SEE, Permission.ADMINISTER},
}


@frozen(kw_only=True)
class Wanted:
    """A token as somebody asks for it; `days` None = until it is revoked."""

    label: str
    scopes: tuple[Scope, ...]
    days: int | None


def issue(store: Store, user: UserRow, wanted: Wanted, operator: Operator) -> str:
    """Make a token and return its secret, which is never shown again.

    Raises
    ------
    InputError
        If it has no label or no scope.
    """
    label = wanted.label.strip()
    if not label or len(label) > LABEL_LENGTH_MAX or not label.isprintable():
        raise InputError(f"token: say what it is for, in 1 to {LABEL_LENGTH_MAX} characters")
    if not wanted.scopes:
        raise InputError(f"token: name at least one scope of {', '.join(Scope)}")
    secret = PREFIX + secrets.token_urlsafe(_SECRET_BYTES)
    expires_at = None if wanted.days is None else operator.at + timedelta(days=wanted.days)
    new = NewToken(
        token_key=digest(secret),
        user_id=user.id,
        label=label,
        scopes=tuple(scope.value for scope in wanted.scopes),
        expires_at=expires_at,
    )
    token_rows.add(store, new, operator)
    return secret


def visitor_of(store: Store, secret: str, names_from: Role, now: datetime) -> Visitor | None:
    """Return whom a token acts for; None if it is unknown, ended, or its user is disabled."""
    if not secret.startswith(PREFIX):
        return None
    row = token_rows.by_key(store, digest(secret))
    if row is None or row.revoked_at is not None or row.user.disabled_at is not None:
        return None
    if row.expires_at is not None and now >= row.expires_at:
        return None
    if row.used_at is None or now - row.used_at >= token_rows.TOUCH:
        token_rows.used(store, row.id, now)
    role = Role(row.user.role)
    scoped: set[Permission] = set().union(*(ALLOWED[Scope(name)] for name in row.scopes))
    return Visitor(
        user_id=row.user.id,
        name=row.user.name,
        full_name=row.user.full_name,
        role=role,
        permissions=permissions_of(role, names_from) & scoped,
        language=row.user.language,
    )


def in_force(row: TokenRow, now: datetime) -> str:
    """Return in words whether a token still works, and how long."""
    if row.revoked_at is not None or row.user.disabled_at is not None:
        return "no more"
    if row.expires_at is None:
        return "until revoked"
    return f"until {row.expires_at:%F}" if now < row.expires_at else "expired"
