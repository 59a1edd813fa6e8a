"""People for whom an identity provider vouches: found or made by issuer and subject."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from attrs import evolve, frozen

from qa_daemon.config.settings import OidcSettings
from qa_daemon.errors import InputError
from qa_daemon.queue.accounts import people
from qa_daemon.queue.accounts.permissions import Role
from qa_daemon.store.accounts import user_rows
from qa_daemon.store.accounts.user_rows import NewUser, UserRow
from qa_daemon.store.audit.entries import Deed, Operator, note
from qa_daemon.store.database import Store


class NotLetIn(InputError):  # noqa: N818  named as the outcome is
    """The provider vouches for the person, but this service does not let him in."""


@frozen(kw_only=True)
class Vouched:
    """What a provider says of a person, checked.

    Attributes
    ----------
    subject
        Names the person for ever; the other names may change.
    role
        The highest that the site has given to one of the person's roles; None = none.
    """

    issuer: str
    subject: str
    name: str
    full_name: str
    role: Role | None

    @property
    def key(self) -> str:
        """The key under which the person is found again."""
        return hashlib.sha256(json.dumps([self.issuer, self.subject]).encode()).hexdigest()


def vouched(claims: Mapping[str, Any], settings: OidcSettings) -> Vouched:
    """Return what the claims of a checked ID token say.

    Raises
    ------
    InputError
        If they do not name the person.
    """
    subject, name = claims.get("sub"), claims.get(settings.name_claim)
    if not isinstance(subject, str) or not subject or not isinstance(name, str):
        raise InputError(f"identity provider: says no `sub` or no `{settings.name_claim}`")
    full_name = claims.get("name")
    return Vouched(
        issuer=settings.issuer,
        subject=subject,
        name=people.checked_name(name),
        full_name=full_name if isinstance(full_name, str) else "",
        role=_role(claims, settings),
    )


def welcome(store: Store, person: Vouched, operator: Operator) -> UserRow:
    """Return the user that the person is here, made at the first sign-in.

    Raises
    ------
    NotLetIn
        If no role was given, the user is disabled, or another one has the name.
    """
    by = evolve(operator, who=person.name)
    if person.role is None:
        raise _refused(store, by, "has no role here; ask whoever runs the identity provider")
    known = user_rows.by_identity(store, person.key)
    if known is None:
        return _made(store, person, person.role, by)
    if known.disabled_at is not None:
        raise _refused(store, by, "may not sign in any more")
    if known.role != person.role.value:
        people.set_role(store, known, person.role, by)
    return known


def _made(store: Store, person: Vouched, role: Role, by: Operator) -> UserRow:
    new = NewUser(
        name_key=people.name_key(person.name),
        name=person.name,
        full_name=person.full_name[: people.NAME_LENGTH_MAX],
        role=role.value,
        password="",
        identity_key=person.key,
    )
    try:
        return user_rows.add(store, new, by)
    except InputError as error:
        # Never joined to the one who has the name: a provider could then become any local user.
        raise _refused(store, by, "is the name of another user here") from error


def _refused(store: Store, by: Operator, reason: str) -> NotLetIn:
    note(store, by, Deed(action="login", subject=by.who, detail=reason, outcome=4))
    return NotLetIn(f"{by.who} {reason}.")


def _role(claims: Mapping[str, Any], settings: OidcSettings) -> Role | None:
    found: Any = claims
    for part in settings.role_claim.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    names = found.split() if isinstance(found, str) else found if isinstance(found, list) else []
    roles = [Role(settings.roles[name]) for name in names if name in settings.roles]
    if not roles and settings.default_role:
        roles = [Role(settings.default_role)]
    return max(roles, key=lambda role: role.rank, default=None)
