"""Who and what is let in now: signed-in sessions, and tokens of programs."""

from typing import Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from qa_daemon.errors import InputError
from qa_daemon.queue.accounts import people, tokens
from qa_daemon.queue.accounts.permissions import Permission
from qa_daemon.queue.accounts.tokens import Scope, Wanted
from qa_daemon.store.accounts import session_rows, token_rows, user_rows
from qa_daemon.web.endpoints import desk, field, form, require, visitor
from qa_daemon.web.rendering import rendered

SESSIONS: Final = "/admin/sessions"
TOKENS: Final = "/admin/tokens"
#: Ten years: longer than any token should live.
DAYS_MAX: Final = 3650


def routes() -> list[BaseRoute]:
    """Return both pages and what their forms do."""
    return [
        Route(SESSIONS, _show_sessions, methods=["GET"]),
        Route(SESSIONS + "/end", _end_session, methods=["POST"]),
        Route(TOKENS, _show_tokens, methods=["GET"]),
        Route(TOKENS, _add_token, methods=["POST"]),
        Route(TOKENS + "/{id:int}/revoke", _revoke, methods=["POST"]),
    ]


@require(Permission.ADMINISTER)
def _show_sessions(request: Request) -> Response:
    values = {
        "sessions": session_rows.session_list(desk(request).store),
        "own": visitor(request).session_key,
    }
    return rendered(request, "administration/sessions.html", values)


@require(Permission.ADMINISTER)
def _end_session(request: Request) -> Response:
    at = desk(request)
    by = visitor(request).operator(at.now())
    if not session_rows.close_session(at.store, field(request, "key", 64), by, "session end"):
        raise HTTPException(404)
    return RedirectResponse(SESSIONS, 303)


@require(Permission.ADMINISTER)
def _show_tokens(request: Request) -> Response:
    return _token_page(request)


@require(Permission.ADMINISTER)
def _add_token(request: Request) -> Response:
    at = desk(request)
    try:
        user = people.named(at.store, field(request, "user", 256))
        by = visitor(request).operator(at.now())
        secret = tokens.issue(at.store, user, _wanted(request), by)
    except InputError as error:
        return _token_page(request, fault=str(error))
    return _token_page(request, secret=secret)


@require(Permission.ADMINISTER)
def _revoke(request: Request) -> Response:
    at = desk(request)
    by = visitor(request).operator(at.now())
    if not token_rows.revoke(at.store, request.path_params["id"], by):
        raise HTTPException(404)
    return RedirectResponse(TOKENS, 303)


def _wanted(request: Request) -> Wanted:
    days = field(request, "days", 8)
    if days and not (days.isascii() and days.isdigit() and 1 <= int(days) <= DAYS_MAX):
        raise InputError(f"token: days are 1 to {DAYS_MAX}, or none")
    named = {str(value) for value in form(request).getlist("scope")}
    scopes = tuple(scope for scope in Scope if scope.value in named)
    label = field(request, "label", 256)
    return Wanted(label=label, scopes=scopes, days=int(days) if days else None)


def _token_page(request: Request, *, fault: str = "", secret: str = "") -> Response:
    at = desk(request)
    now = at.now()
    values = {
        "tokens": [(row, tokens.in_force(row, now)) for row in token_rows.token_list(at.store)],
        "users": user_rows.user_list(at.store),
        "scopes": [scope.value for scope in Scope],
        "fault": fault,
        "secret": secret,
    }
    status = 400 if fault else 200
    return rendered(request, "administration/tokens.html", values, status=status)
