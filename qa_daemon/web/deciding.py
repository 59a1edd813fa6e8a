"""The desk at which decisions are made, for whoever asks over HTTP."""

from starlette.requests import HTTPConnection

from qa_daemon.queue.deciding.desk import Desk
from qa_daemon.web.endpoints import desk


def decision_desk(request: HTTPConnection) -> Desk:
    """Return the desk with the settings in force."""
    return Desk(desk(request).store, desk(request).settings)
