"""Counts behind the views: kept in the process until something changes."""

import threading
from datetime import datetime, timedelta
from typing import Final

from attrs import define, field, frozen

from qa_daemon.store.database import Store
from qa_daemon.store.listing import facet_rows, line_rows
from qa_daemon.store.listing.facet_rows import Facets, Stamp
from qa_daemon.store.listing.line_rows import Tally
from qa_daemon.store.listing.wanted import Wanted

#: What changes without a stamp: muted and deferred lines that come back by the clock.
KEPT_MAX: Final = timedelta(seconds=20)
#: Filters whose counts are kept; twenty views of some people.
FILTERS_MAX: Final = 200


@frozen
class _Counted:
    stamp: Stamp
    at: datetime
    facets: Facets
    senders: tuple[str, ...]


#: AE titles that a filter offers.
SENDERS_MAX: Final = 100


@define
class Counting:
    """The counts of one queue; for all threads of a process."""

    store: Store
    _counted: _Counted | None = field(default=None, init=False)
    _tallies: dict[Wanted, Tally] = field(factory=dict, init=False)
    _lock: threading.Lock = field(factory=threading.Lock, init=False)

    def facets(self, now: datetime) -> Facets:
        """Return how many findings stand behind each view."""
        return self._fresh(now).facets

    def senders(self, now: datetime) -> tuple[str, ...]:
        """Return the AE titles of which findings wait."""
        return self._fresh(now).senders

    def stamp(self) -> Stamp:
        """Return where the queue stands."""
        return facet_rows.stamp(self.store)

    def tally(self, wanted: Wanted, now: datetime) -> Tally:
        """Return how many lines and findings a filter lets through."""
        self._fresh(now)
        key = wanted.unordered
        with self._lock:
            kept = self._tallies.get(key)
        if kept is not None:
            return kept
        found = line_rows.tally_of(self.store, key, now)
        with self._lock:
            if len(self._tallies) >= FILTERS_MAX:
                self._tallies.clear()
            self._tallies[key] = found
        return found

    def _fresh(self, now: datetime) -> _Counted:
        stamp = facet_rows.stamp(self.store)
        with self._lock:
            kept = self._counted
        if kept is not None and kept.stamp == stamp and now - kept.at < KEPT_MAX:
            return kept
        facets = facet_rows.facets_of(self.store, now)
        counted = _Counted(stamp, now, facets, facet_rows.senders(self.store, SENDERS_MAX))
        with self._lock:
            self._counted = counted
            self._tallies.clear()
        return counted
