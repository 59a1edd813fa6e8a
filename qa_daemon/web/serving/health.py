"""Health: `/healthz` (the process lives) and `/readyz` (it can work). Open to everybody."""

import ipaddress

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from qa_daemon.errors import ConfigurationError, RetryableError
from qa_daemon.store import series_rows
from qa_daemon.telemetry.events import LogEvent
from qa_daemon.telemetry.log import log
from qa_daemon.web.endpoints import desk, open_to_all


def routes() -> list[BaseRoute]:
    """Return both."""
    return [Route("/healthz", _alive), Route("/readyz", _ready)]


@open_to_all
async def _alive(_request: Request) -> Response:
    return JSONResponse({"status": "alive"})


@open_to_all
def _ready(request: Request) -> Response:
    try:
        counted = series_rows.counts(desk(request).store)
    except (RetryableError, ConfigurationError) as error:
        log.error(LogEvent.STORE_LOST, cause=type(error).__name__)
        return JSONResponse({"status": "store unavailable"}, 503)
    if not _is_here(request):
        return JSONResponse({"status": "ready"})
    facts = {
        "status": "ready",
        "series": {state.value: count for state, count in counted.series.items()},
        "instances": counted.instances,
        "unreadable": counted.unreadable,
        "repeats": counted.repeats,
    }
    return JSONResponse(facts)


def _is_here(request: Request) -> bool:
    """Whether this machine itself asks: nobody else is told how much lies here."""
    try:
        return ipaddress.ip_address(request.client.host if request.client else "").is_loopback
    except ValueError:
        return False
