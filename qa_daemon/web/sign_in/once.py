"""Links that work once: the first administrator, and the way into a demo."""

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from qa_daemon.errors import InputError
from qa_daemon.queue.accounts import links
from qa_daemon.store.audit.entries import Operator
from qa_daemon.web.endpoints import address_of, desk, field, open_to_all
from qa_daemon.web.rendering import rendered
from qa_daemon.web.sign_in.local import signed_in


def routes() -> list[BaseRoute]:
    """Return the pages."""
    return [
        Route("/first/{secret}", _ask, methods=["GET"]),
        Route("/first/{secret}", _make, methods=["POST"]),
        Route("/enter/{secret}", _enter, methods=["GET"]),
    ]


@open_to_all
def _ask(request: Request) -> Response:
    at = desk(request)
    if not links.is_first_open(at.store, request.path_params["secret"], at.now()):
        raise HTTPException(404)
    return rendered(request, "first.html", {"fault": "", "name": ""})


@open_to_all
def _make(request: Request) -> Response:
    at, secret, name = desk(request), request.path_params["secret"], field(request, "name", 256)
    if not links.is_first_open(at.store, secret, at.now()):
        raise HTTPException(404)
    given = (name, field(request, "password"))
    try:
        user = links.make_first(
            at.store, secret, given, Operator("", at.now(), address_of(request))
        )
    except InputError as error:
        values = {"fault": str(error), "name": name}
        return rendered(request, "first.html", values, status=400)
    return signed_in(request, user, "/")


@open_to_all
def _enter(request: Request) -> Response:
    # A GET that changes something: whoever follows the printed link is to see findings at once.
    at = desk(request)
    user = links.enter(at.store, request.path_params["secret"], at.now())
    if user is None:
        raise HTTPException(404)
    return signed_in(request, user, "/")
