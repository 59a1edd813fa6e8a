"""The application: the parts' routes behind the gate."""

from collections.abc import Callable, Sequence
from importlib.resources import files
from typing import Final

from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route, Router
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from qa_daemon.queue.accounts.permissions import Permission
from qa_daemon.web.administration import access, users
from qa_daemon.web.api import parts
from qa_daemon.web.desk import Desk
from qa_daemon.web.endpoints import PERMISSION, require
from qa_daemon.web.failures import HANDLERS
from qa_daemon.web.guard.gate import OPEN, Gate
from qa_daemon.web.pages import history, issues, outbox, preferences
from qa_daemon.web.pages.inbox import bulk, live, page
from qa_daemon.web.review import pages as review
from qa_daemon.web.serving import health
from qa_daemon.web.sign_in import account, local, oidc, once
from qa_daemon.web.trends import board
from qa_daemon.web.workitems import subscribing, transactions

#: A part is a function that returns its routes; a new one is added here.
PARTS: Final[Sequence[Callable[[], list[BaseRoute]]]] = (
    health.routes,
    page.routes,
    live.routes,
    bulk.routes,
    issues.routes,
    history.routes,
    outbox.routes,
    preferences.routes,
    review.routes,
    local.routes,
    account.routes,
    once.routes,
    parts.routes,
    transactions.routes,
    subscribing.routes,
    board.routes,
    oidc.routes,
    users.routes,
    access.routes,
)
#: Where people arrive.
HOME: Final = "/inbox"


def build(desk: Desk) -> ASGIApp:
    """Return the application of one service."""
    routes: list[BaseRoute] = [Route("/", _home), _static()]
    for part in PARTS:
        routes += part()
    for route in routes:
        _require_words_on_permission(route)
    desk.places = frozenset(route.path for route in routes if isinstance(route, Route))
    router = Router(routes, redirect_slashes=False)
    return Gate(ExceptionMiddleware(router, handlers=HANDLERS), desk)


@require(Permission.SEE)
def _home(_request: Request) -> Response:
    return RedirectResponse(HOME, 303)


def _static() -> Mount:
    folder = files("qa_daemon.web") / "static"
    return Mount("/static", StaticFiles(directory=str(folder)))


def _require_words_on_permission(route: BaseRoute) -> None:
    """Refuse to start with an endpoint of which nobody has said who may ask it."""
    if isinstance(route, Mount):
        for below in route.routes:
            _require_words_on_permission(below)
    if not isinstance(route, Route):
        return
    assert hasattr(route.endpoint, PERMISSION), f"{route.path}: use require() or open_to_all"
    is_open = getattr(route.endpoint, PERMISSION) is None
    assert is_open == route.path.startswith(OPEN), f"{route.path}: open, or not, in both places"
