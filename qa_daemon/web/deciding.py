"""The desk at which decisions are made, and who wants one, for whoever asks over HTTP."""

import secrets

from starlette.requests import HTTPConnection, Request

from qa_daemon.queue.accounts.permissions import Permission
from qa_daemon.queue.deciding.answers import Wish
from qa_daemon.queue.deciding.desk import Desk
from qa_daemon.web.endpoints import desk, visitor


def decision_desk(request: HTTPConnection) -> Desk:
    """Return the desk with the settings in force."""
    return desk(request).decisions


def new_number() -> str:
    """Return a number for one wish; the same number again is the same wish."""
    return secrets.token_hex(12)


def wish_of(request: Request, number: str) -> Wish:
    """Return what the visitor wants done now, under the number that the client gave it."""
    who = visitor(request)
    return Wish(
        who=who.name,
        number=number,
        at=desk(request).now(),
        may_approve=who.may(Permission.APPROVE),
        address=who.address,
    )
