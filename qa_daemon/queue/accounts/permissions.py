"""Roles, what each may do, and the visitor of one request."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from attrs import frozen

from qa_daemon.store.audit.entries import Operator


class Role(StrEnum):
    """What a person is here; each may do what those before it may."""

    VIEWER = "viewer"
    TECHNICIAN = "technician"
    APPROVER = "approver"
    ADMIN = "admin"

    @property
    def rank(self) -> int:
        """Return its place in the order of roles, from 0."""
        return list(Role).index(self)


class Permission(StrEnum):
    """What can be allowed; pages and services ask for these, never for a role."""

    SEE = "see"  # the queue, the review pages, trends
    SEE_PATIENTS = "see_patients"  # names and numbers instead of pseudonyms
    DECIDE = "decide"  # verdicts, mutes, undo, exports
    APPROVE = "approve"  # be the second pair of eyes
    ADMINISTER = "administer"  # users, tokens, settings, the audit


#: The least role for each; SEE_PATIENTS is the site's to say (web.names_from).
LEAST_ROLE: Final[Mapping[Permission, Role]] = MappingProxyType(
    {
        Permission.SEE: Role.VIEWER,
        Permission.DECIDE: Role.TECHNICIAN,
        Permission.APPROVE: Role.APPROVER,
        Permission.ADMINISTER: Role.ADMIN,
    }
)


def permissions_of(role: Role, names_from: Role) -> frozenset[Permission]:
    """Return what a role may do where names are shown from `names_from` on."""
    least = {**LEAST_ROLE, Permission.SEE_PATIENTS: names_from}
    return frozenset(one for one in Permission if role.rank >= least[one].rank)


@frozen(kw_only=True)
class Visitor:
    """Who asks: a person who has signed in, or a program with that person's token.

    Attributes
    ----------
    name
        What is shown of the person, and what decisions and audit are signed with.
    language
        As the person chose; empty = as the browser asks.
    session_key
        Of the signed-in browser; empty for a program.
    address
        Where the request came from.
    ends_at
        When the session ends unless the person does something; None for a program.
    """

    user_id: int
    name: str
    full_name: str
    role: Role
    permissions: frozenset[Permission]
    language: str = ""
    session_key: str = ""
    address: str = ""
    ends_at: datetime | None = None

    def may(self, permission: Permission) -> bool:
        """Whether it is allowed."""
        return permission in self.permissions

    @property
    def sees_patients(self) -> bool:
        """Whether names and numbers of patients are shown, rather than pseudonyms."""
        return Permission.SEE_PATIENTS in self.permissions

    def operator(self, now: datetime) -> Operator:
        """Return who acts, for decisions and the audit."""
        return Operator(self.name, now, self.address)
