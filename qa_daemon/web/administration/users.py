"""Users: listed, made, given another role or password, disabled, enabled."""

from typing import Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from qa_daemon.errors import InputError
from qa_daemon.queue.accounts import people
from qa_daemon.queue.accounts.permissions import Permission, Role
from qa_daemon.store.accounts import user_rows
from qa_daemon.store.accounts.user_rows import UserRow
from qa_daemon.web.endpoints import desk, field, require, visitor
from qa_daemon.web.rendering import rendered

PAGE: Final = "/admin/users"


def routes() -> list[BaseRoute]:
    """Return the page and what its forms do."""
    return [
        Route("/admin", _arrive, methods=["GET"]),
        Route(PAGE, _show, methods=["GET"]),
        Route(PAGE, _add, methods=["POST"]),
        Route(PAGE + "/{id:int}/role", _set_role, methods=["POST"]),
        Route(PAGE + "/{id:int}/password", _set_password, methods=["POST"]),
        Route(PAGE + "/{id:int}/disable", _disable, methods=["POST"]),
        Route(PAGE + "/{id:int}/enable", _enable, methods=["POST"]),
    ]


@require(Permission.ADMINISTER)
def _arrive(_request: Request) -> Response:
    return RedirectResponse(PAGE, 303)


@require(Permission.ADMINISTER)
def _show(request: Request) -> Response:
    return _page(request)


@require(Permission.ADMINISTER)
def _add(request: Request) -> Response:
    at = desk(request)
    by = visitor(request).operator(at.now())
    name, password = field(request, "name", 256), field(request, "password")
    try:
        new = people.new_local(name, password, _role(request), field(request, "full_name", 256))
        user_rows.add(at.store, new, by)
    except InputError as error:
        return _page(request, str(error))
    return RedirectResponse(PAGE, 303)


@require(Permission.ADMINISTER)
def _set_role(request: Request) -> Response:
    at = desk(request)
    try:
        by = visitor(request).operator(at.now())
        people.set_role(at.store, _user(request), _role(request), by)
    except InputError as error:
        return _page(request, str(error))
    return RedirectResponse(PAGE, 303)


@require(Permission.ADMINISTER)
def _set_password(request: Request) -> Response:
    at = desk(request)
    try:
        by = visitor(request).operator(at.now())
        people.set_password(at.store, _user(request), field(request, "password"), by)
    except InputError as error:
        return _page(request, str(error))
    return RedirectResponse(PAGE, 303)


@require(Permission.ADMINISTER)
def _disable(request: Request) -> Response:
    at = desk(request)
    try:
        people.disable(at.store, _user(request), visitor(request).operator(at.now()))
    except InputError as error:
        return _page(request, str(error))
    return RedirectResponse(PAGE, 303)


@require(Permission.ADMINISTER)
def _enable(request: Request) -> Response:
    at = desk(request)
    people.enable(at.store, _user(request), visitor(request).operator(at.now()))
    return RedirectResponse(PAGE, 303)


def _page(request: Request, fault: str = "") -> Response:
    values = {
        "users": user_rows.user_list(desk(request).store),
        "roles": [role.value for role in Role],
        "fault": fault,
    }
    status = 400 if fault else 200
    return rendered(request, "administration/users.html", values, status=status)


def _user(request: Request) -> UserRow:
    found = user_rows.by_id(desk(request).store, request.path_params["id"])
    if found is None:
        raise HTTPException(404)
    return found


def _role(request: Request) -> Role:
    try:
        return Role(field(request, "role", 32))
    except ValueError as error:
        raise InputError("role: choose one") from error
