"""Who looks at a page, and the counts that all pages share."""

import hashlib
import threading
from functools import cache
from pathlib import Path
from typing import Final
from weakref import WeakKeyDictionary

from starlette.requests import Request

from qa_daemon.config.kept import kept_key
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


@cache
def _key(place: Path) -> bytes:
    """Return what pseudonyms are made with: of this service alone, and no key of anything else."""
    return hashlib.sha256(b"pseudonyms\0" + kept_key(place)).digest()


def sight_of(request: Request) -> Sight:
    """Return who looks, for whom values are made readable."""
    who, own = visitor(request), desk(request)
    return Sight(
        speech=speech_of(request),
        now=own.now(),
        sees_patients=who.sees_patients,
        key=_key(own.settings.web_key_file),
    )
