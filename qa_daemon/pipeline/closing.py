"""Series that have settled, found by looking at what has arrived. The state lies in the store."""

from datetime import datetime, timedelta
from typing import Final

from attrs import define, field, frozen

from qa_daemon.config.settings import AssemblySettings
from qa_daemon.records.receipt import Arrival
from qa_daemon.series.assemble import assemble
from qa_daemon.series.settle import (
    Arrivals,
    SettleBounds,
    Settling,
    expected_count,
    has_open_gap,
    settles_at,
)
from qa_daemon.store import instance_rows, series_rows
from qa_daemon.store.database import Store
from qa_daemon.telemetry.events import LogEvent
from qa_daemon.telemetry.log import log

# Headers remembered between two looks, so that a series is read again only when it has grown.
REMEMBERED_MAX: Final = 1000


@frozen
class _Content:
    instance_count: int
    announced: int | None
    has_gap: bool


@define
class Closing:
    """Closes series when they are quiet or complete.

    What it remembers can be derived again at any time.
    """

    store: Store
    _known: dict[str, _Content] = field(factory=dict, init=False)

    def close_due(self, settings: AssemblySettings, now: datetime) -> datetime | None:
        """Settle every series that is due; return when the next one will be, None if none waits."""
        following: datetime | None = None
        for arrival in series_rows.arrivals(self.store):
            settling = self._settling(arrival, settings)
            if settling.at > now:
                following = min(following or settling.at, settling.at)
            elif series_rows.settle(self.store, arrival, now):
                self._known.pop(arrival.series_key, None)
                log.info(
                    LogEvent.SERIES_SETTLED,
                    series_key=arrival.series_key,
                    revision=arrival.revision,
                    instances=arrival.instance_count,
                    reason=settling.reason.value,
                )
        return following

    def _settling(self, arrival: Arrival, settings: AssemblySettings) -> Settling:
        quiet_s = settings.quiet_s_by_ae.get(arrival.calling_ae, settings.quiet_s)
        bounds = SettleBounds(quiet_s, settings.gap_wait_max_s)
        last = arrival.last_received_at
        if not arrival.associations_ended:
            return settles_at(Arrivals(last), bounds)
        content = self._content(arrival)
        complete = content.announced is not None and arrival.instance_count >= content.announced
        return settles_at(
            Arrivals(
                last_received_at=last,
                association_ended_at=last,
                next_series_begun_at=arrival.later_series_begun_at,
                count_reached_at=last if complete else None,
                has_open_gap=content.has_gap,
            ),
            bounds,
        )

    def _content(self, arrival: Arrival) -> _Content:
        known = self._known.get(arrival.series_key)
        if known is None or known.instance_count != arrival.instance_count:
            instances = instance_rows.instances_of(self.store, arrival.series_key, arrival.revision)
            announced = expected_count(assemble(instances).shared) if instances else None
            known = _Content(arrival.instance_count, announced, has_open_gap(instances))
            if len(self._known) >= REMEMBERED_MAX:
                self._known.clear()
            self._known[arrival.series_key] = known
        return known


def pause_s(following: datetime | None, now: datetime, poll_s: float) -> float:
    """Return how long the worker may rest: until the next series is due, at most `poll_s`."""
    if following is None:
        return poll_s
    return min(max((following - now) / timedelta(seconds=1), 0.0), poll_s)
