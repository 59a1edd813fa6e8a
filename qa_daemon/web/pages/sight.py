"""Who looks at a page, and the counts that all pages share."""

import threading
from typing import Final
from weakref import WeakKeyDictionary

from starlette.requests import Request

from qa_daemon.queue.listing.counting import Counting
from qa_daemon.queue.listing.shown import Sight
from qa_daemon.store.database import Store
from qa_daemon.web.desk import Desk
from qa_daemon.web.endpoints import desk, visitor
from qa_daemon.web.rendering import speech_of

_COUNTINGS: Final[WeakKeyDictionary[Store, Counting]] = WeakKeyDictionary()
_LOCK: Final = threading.Lock()


def counting(own: Desk) -> Counting:
    """Return the counts of a service's queue, one for each store that is open."""
    with _LOCK:
        found = _COUNTINGS.get(own.store)
        if found is None:
            found = _COUNTINGS[own.store] = Counting(own.store)
        return found


def sight_of(request: Request) -> Sight:
    """Return who looks, for whom values are made readable."""
    who, own = visitor(request), desk(request)
    return Sight(
        speech=speech_of(request),
        now=own.now(),
        sees_patients=who.sees_patients,
        key=own.pseudonym_key,
    )
