"""One's own account: who one is here, and the way out."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from qa_daemon.queue.accounts.permissions import Permission
from qa_daemon.web.endpoints import require
from qa_daemon.web.rendering import rendered


def routes() -> list[BaseRoute]:
    """Return the page."""
    return [Route("/account", _show, methods=["GET"])]


@require(Permission.SEE)
def _show(request: Request) -> Response:
    return rendered(request, "account.html")
