"""What a part of the web uses to answer: its permission, the visitor, the form, the desk.

A part is a module with `routes() -> list[BaseRoute]`. Each endpoint is an ordinary function of a
request, run in the pool of threads, so that it may ask the store; one that waits for events is
`async` and takes what it needs from the store by `starlette.concurrency.run_in_threadpool`.
"""

import functools
import inspect
from collections.abc import Awaitable, Callable
from typing import Any, Final

from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response

from qa_daemon.queue.accounts.permissions import LEAST_ROLE, Permission, Visitor
from qa_daemon.web.desk import Desk

Endpoint = Callable[[Request], Response] | Callable[[Request], Awaitable[Response]]

#: What only programs ask: the API, and the worklist of work items.
PROGRAMS: Final = ("/api/", "/dicom-web/")
#: No row has a number beyond this, and no database takes one.
ID_MAX: Final = (1 << 63) - 1
#: Where an endpoint's permission stands; None = shown to everybody.
PERMISSION: Final = "required_permission"


def require(permission: Permission) -> Callable[[Endpoint], Endpoint]:
    """Let an endpoint answer only visitors who have the permission; others get 403."""

    def guarded(endpoint: Endpoint) -> Endpoint:
        if inspect.iscoroutinefunction(endpoint):

            @functools.wraps(endpoint)
            async def answer_later(request: Request) -> Response:
                _refuse_without(permission, request)
                answer: Response = await endpoint(request)
                return answer

            setattr(answer_later, PERMISSION, permission)
            return answer_later

        @functools.wraps(endpoint)
        def answer(request: Request) -> Any:
            _refuse_without(permission, request)
            return endpoint(request)

        setattr(answer, PERMISSION, permission)
        return answer

    return guarded


def open_to_all(endpoint: Endpoint) -> Endpoint:
    """Let an endpoint answer who has not signed in; its path has to be in `gate.OPEN`, too."""
    setattr(endpoint, PERMISSION, None)
    return endpoint


def desk(request: HTTPConnection) -> Desk:
    """Return what all pages work with."""
    found: Desk = request.scope["state"]["desk"]
    return found


def visitor(request: HTTPConnection) -> Visitor:
    """Return who asks. For endpoints with a permission only."""
    found = request.scope["state"]["visitor"]
    assert isinstance(found, Visitor)
    return found


def visitor_or_none(request: HTTPConnection) -> Visitor | None:
    """Return who asks, or None before the sign-in."""
    found = request.scope["state"].get("visitor")
    return found if isinstance(found, Visitor) else None


def form(request: Request) -> FormData:
    """Return the fields of the form that was sent; the token was checked already."""
    found: FormData = request.scope["state"]["form"]
    return found


def field(request: Request, name: str, length_max: int = 4096) -> str:
    """Return one field of the form, "" if it is missing, cut at `length_max` characters."""
    value = form(request).get(name, "")
    return value[:length_max] if isinstance(value, str) else ""


def body(request: Request) -> bytes:
    """Return the body that was sent."""
    found: bytes = request.scope["state"]["body"]
    return found


def csrf_token(request: HTTPConnection) -> str:
    """Return what forms carry in the field `csrf`, and scripts in the header `X-CSRF-Token`."""
    return str(request.scope["state"].get("csrf", ""))


def address_of(request: HTTPConnection) -> str:
    """Return where a request came from."""
    return request.client.host if request.client else ""


def wants_json(request: HTTPConnection) -> bool:
    """Whether a program asks, rather than a browser for a page."""
    return request.url.path.startswith(PROGRAMS) or "text/html" not in request.headers.get(
        "accept", ""
    )


def _refuse_without(permission: Permission, request: Request) -> None:
    if any(isinstance(each, int) and each > ID_MAX for each in request.path_params.values()):
        raise HTTPException(404)
    if not visitor(request).may(permission):
        least = LEAST_ROLE.get(permission)
        role = "more rights" if least is None else f"the role {least.value}"
        raise HTTPException(403, f"This needs {role}. Ask an administrator of this service.")
