"""One's own account: who one is here, another password, and the way out."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from qa_daemon.errors import InputError
from qa_daemon.queue.accounts import people, signing_in
from qa_daemon.queue.accounts.permissions import Permission
from qa_daemon.queue.accounts.signing_in import Credentials, Refused
from qa_daemon.web.endpoints import desk, field, require, visitor
from qa_daemon.web.rendering import rendered
from qa_daemon.web.sign_in.local import signed_in


def routes() -> list[BaseRoute]:
    """Return the page and what its form does."""
    return [
        Route("/account", _show, methods=["GET"]),
        Route("/account/session", _session, methods=["GET"]),
        Route("/account/password", _set_password, methods=["POST"]),
    ]


@require(Permission.SEE)
def _show(request: Request) -> Response:
    return rendered(request, "account.html", {"fault": ""})


@require(Permission.SEE)
def _session(request: Request) -> Response:
    """Tell when the session ends; asked in the background it goes on as it was."""
    ends_at = visitor(request).ends_at
    return JSONResponse({"ends_at": None if ends_at is None else int(ends_at.timestamp())})


@require(Permission.SEE)
def _set_password(request: Request) -> Response:
    """Change the password; every session ends, and this browser gets a new one."""
    at, who = desk(request), visitor(request)
    given = Credentials(name=who.name, password=field(request, "old"), address=who.address)
    # By the same way as a sign-in: whoever finds an open browser may not guess here, either.
    found = signing_in.identified(at.store, given, at.now())
    if isinstance(found, Refused):
        values = {"fault": "password: the old one is wrong; nothing was changed"}
        return rendered(request, "account.html", values, status=400)
    try:
        people.set_password(at.store, found, field(request, "new"), who.operator(at.now()))
    except InputError as error:
        return rendered(request, "account.html", {"fault": str(error)}, status=400)
    return signed_in(request, found, "/account")
