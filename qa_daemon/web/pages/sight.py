"""Who looks at a page."""

from starlette.requests import Request

from qa_daemon.queue.listing.shown import Sight
from qa_daemon.web.endpoints import desk, visitor
from qa_daemon.web.rendering import speech_of


def sight_of(request: Request) -> Sight:
    """Return who looks, for whom values are made readable."""
    who, own = visitor(request), desk(request)
    return Sight(
        speech=speech_of(request),
        now=own.now(),
        sees_patients=who.sees_patients,
        key=own.pseudonym_key,
    )
