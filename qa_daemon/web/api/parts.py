"""All operations together, and their routes."""

from typing import Final

from starlette.routing import BaseRoute

from qa_daemon.web.api.document import operation_of
from qa_daemon.web.api.operations import Operation, routes_of
from qa_daemon.web.api.resources import (
    audit,
    decisions,
    events,
    findings,
    frames,
    issues,
    series,
)

_ASKED: Final[tuple[Operation, ...]] = (
    *findings.OPERATIONS,
    *issues.OPERATIONS,
    *decisions.OPERATIONS,
    *series.OPERATIONS,
    *frames.OPERATIONS,
    *events.OPERATIONS,
    *audit.OPERATIONS,
)
OPERATIONS: Final = (*_ASKED, operation_of(_ASKED))


def routes() -> list[BaseRoute]:
    """Return the routes of the API."""
    return routes_of(OPERATIONS)
