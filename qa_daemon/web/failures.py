"""What is said when a request cannot be answered: what failed, and that nothing was written."""

import secrets
from collections.abc import Mapping
from typing import Any, Final

from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response

from qa_daemon.errors import InputError, QaDaemonError
from qa_daemon.telemetry.events import LogEvent
from qa_daemon.telemetry.facts import SiteText
from qa_daemon.telemetry.log import log
from qa_daemon.web.api.problem import problem
from qa_daemon.web.endpoints import wants_json
from qa_daemon.web.rendering import rendered


class TooLarge(InputError):  # noqa: N818  named as the status 413 is
    """More bytes than `web.body_bytes_max`."""


#: Said of what does not exist and of what may not be seen, so that nobody learns which it is.
NOT_FOUND: Final = "There is nothing here."


def failure(
    request: HTTPConnection,
    status: int,
    words: str,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Return the answer of a request that failed, as a page or as JSON."""
    answer: Response
    if wants_json(request):
        answer = problem(status, words)
    else:
        answer = rendered(
            request, "failure.html", {"words": words, "status": status}, status=status
        )
    answer.headers.update(headers or {})
    return answer


def bug(request: HTTPConnection, error: Exception) -> Response:
    """Log an exception that nobody foresaw, without its words, and say so with its number."""
    number = secrets.token_hex(4)
    place = error.__traceback__
    while place is not None and place.tb_next is not None:
        place = place.tb_next
    where = "?" if place is None else f"{place.tb_frame.f_code.co_name}:{place.tb_lineno}"
    log.error(
        LogEvent.BUG, cause=type(error).__name__, where=SiteText(where), message=SiteText(number)
    )
    words = f"Something went wrong here; nothing was written. The log has it under {number}."
    return failure(request, 500, words)


def answer_to(request: HTTPConnection, error: QaDaemonError) -> Response:
    """Return what the error family means to who asks."""
    if isinstance(error, TooLarge):
        return failure(request, 413, str(error))
    if isinstance(error, InputError):
        return failure(request, 400, str(error))
    log.error(LogEvent.STORE_LOST, cause=type(error).__name__)
    words = "The database does not answer; nothing was written. Try again in a moment."
    return failure(request, 503, words, {"Retry-After": "5"})


def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    words = NOT_FOUND if error.status_code == 404 else error.detail
    return failure(request, error.status_code, words, error.headers)


def _told(request: Request, error: Exception) -> Response:
    assert isinstance(error, QaDaemonError)
    return answer_to(request, error)


HANDLERS: Final[Mapping[Any, Any]] = {HTTPException: _refused, QaDaemonError: _told}
