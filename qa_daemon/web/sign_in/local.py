"""Signing in with name and password, and signing out."""

from typing import Final
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from qa_daemon.queue.accounts import signing_in
from qa_daemon.queue.accounts.permissions import Permission
from qa_daemon.queue.accounts.signing_in import Credentials, Refused
from qa_daemon.store.accounts.user_rows import UserRow
from qa_daemon.web import cookies
from qa_daemon.web.endpoints import (
    address_of,
    desk,
    field,
    open_to_all,
    require,
    visitor,
    visitor_or_none,
)
from qa_daemon.web.rendering import rendered

#: Longer than any address of ours with all its filters.
NEXT_LENGTH_MAX: Final = 2_000


def routes() -> list[BaseRoute]:
    """Return the pages."""
    return [
        Route("/sign-in", _ask, methods=["GET"]),
        Route("/sign-in", _sign_in, methods=["POST"]),
        Route("/sign-out", _sign_out, methods=["POST"]),
    ]


@open_to_all
def _ask(request: Request) -> Response:
    after = own_path(request.query_params.get("next", ""))
    if visitor_or_none(request) is not None:
        return RedirectResponse(after, 303)
    return _page(request, after)


@open_to_all
def _sign_in(request: Request) -> Response:
    at, name = desk(request), field(request, "name", 256)
    after = own_path(field(request, "next"))
    given = Credentials(name=name, password=field(request, "password"), address=address_of(request))
    found = signing_in.identified(at.store, given, at.now())
    if isinstance(found, Refused):
        return _page(request, after, failed_name=name)
    return signed_in(request, found, after)


@require(Permission.SEE)
def _sign_out(request: Request) -> Response:
    at = desk(request)
    at.sessions.close(visitor(request), at.now())
    answer = RedirectResponse("/sign-in", 303)
    answer.headers.append("Set-Cookie", at.cookies.header(cookies.SESSION, "", keep=False))
    answer.headers["Clear-Site-Data"] = '"cache", "storage"'
    return answer


def _page(request: Request, after: str, failed_name: str | None = None) -> Response:
    oidc = desk(request).settings.web.oidc
    values = {
        "next": after,
        "failed": failed_name is not None,
        "name": failed_name or "",
        "provider": oidc.label if oidc.issuer else "",
    }
    return rendered(request, "sign_in.html", values, status=200 if failed_name is None else 401)


def signed_in(request: Request, user: UserRow, after: str) -> Response:
    """Open a session under a new secret, whatever cookies the browser came with."""
    at = desk(request)
    agent = request.headers.get("user-agent", "")
    secret = at.sessions.open(user, address_of(request), agent, at.now())
    answer = RedirectResponse(after, 303)
    answer.headers.append("Set-Cookie", at.cookies.header(cookies.SESSION, secret))
    answer.headers.append("Set-Cookie", at.cookies.header(cookies.VISIT, "", keep=False))
    return answer


def own_path(wanted: str) -> str:
    """Return a path of this service, or `/`: nobody is sent elsewhere by a link to the sign-in.

    Browsers take backslashes for slashes, and leave out tabs and line ends.
    """
    is_path = wanted.startswith("/") and not wanted.startswith(("//", "/\\"))
    is_plain = wanted.isprintable() and "\\" not in wanted and len(wanted) <= NEXT_LENGTH_MAX
    if not (is_path and is_plain):
        return "/"
    parts = urlsplit(wanted)
    return wanted if not (parts.scheme or parts.netloc) else "/"
