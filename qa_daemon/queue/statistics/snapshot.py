"""Facts as they stood some seconds ago, shared by all who look: no page reads 50,000 rows."""

import threading
from datetime import UTC, datetime, time, timedelta, tzinfo
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from attrs import define, field, frozen

from qa_daemon.config.sections.viewing import TrendSettings
from qa_daemon.errors import QaDaemonError
from qa_daemon.store.database import Store
from qa_daemon.store.trends import fact_rows, score_rows
from qa_daemon.trends.drift import Drift, drift_of
from qa_daemon.trends.facts import Facts, Shift, findings_in_columns, series_in_columns
from qa_daemon.trends.overview import Revision

#: Findings and series held, the latest; some 60 MB. A busy site makes 50,000 findings in a year.
FACTS_MAX: Final = 200_000
#: How far back is read: a period and the one before it, in steps so that few sets are held.
SPANS_DAYS: Final = (70, 190, 2200)
#: Older facts are not shown while new ones are read; the reader waits.
STALE_MAX: Final = timedelta(minutes=10)
#: Scores "of late".
SCORES_SPAN: Final = timedelta(days=7)


@frozen(eq=False, kw_only=True)
class Snapshot:
    """What statistics are counted from.

    Attributes
    ----------
    is_cut
        Whether there is more than `FACTS_MAX`, so that the oldest are left out.
    """

    at: datetime
    findings: Facts
    series: Facts
    revisions: tuple[Revision, ...]
    drifts: tuple[Drift, ...]
    is_cut: bool


@define
class Statistics:
    """For all threads of a process: one reads, the others wait or take what there is."""

    _held: dict[int, Snapshot] = field(factory=dict, init=False)
    _lock: threading.Lock = field(factory=threading.Lock, init=False)

    def snapshot(self, store: Store, settings: TrendSettings, days: int, now: datetime) -> Snapshot:
        """Return facts of the last `days` and as many before them, some `refresh_s` old.

        Who comes first waits; later ones get what there is, while a thread reads anew.
        """
        span = next((each for each in SPANS_DAYS if 2 * days < each), SPANS_DAYS[-1])
        held = self._held.get(span)
        if held is None or now - held.at > STALE_MAX:
            with self._lock:
                held = self._held.get(span)
                if held is None or now - held.at > STALE_MAX:
                    held = self._held[span] = read(store, settings, _since(span, now), now)
        elif not _is_fresh(held, settings, now) and self._lock.acquire(blocking=False):
            arguments = (store, settings, span, now)
            threading.Thread(target=self._renew, args=arguments, daemon=True).start()
        return held

    def _renew(self, store: Store, settings: TrendSettings, span: int, now: datetime) -> None:
        """Read anew, with the lock held by who began it."""
        try:
            self._held[span] = read(store, settings, _since(span, now), now)
        except QaDaemonError:
            pass  # the store is away: what is held says of when it is, and who comes next tries
        finally:
            self._lock.release()

    def forget(self) -> None:
        """Read anew at the next look: settings have changed."""
        self._held.clear()


def read(store: Store, settings: TrendSettings, since: datetime, now: datetime) -> Snapshot:
    """Read facts since then."""
    zone, shifts = zone_of(settings), shifts_of(settings)
    found = fact_rows.finding_facts(store, since, now, FACTS_MAX)
    judged = fact_rows.series_facts(store, since, FACTS_MAX)
    revisions = (*fact_rows.rule_revisions(store), *score_rows.model_revisions(store))
    scores = score_rows.recent_scores(store, now - SCORES_SPAN)
    return Snapshot(
        at=now,
        findings=findings_in_columns(found, shifts, zone),
        series=series_in_columns(judged, shifts, zone),
        revisions=tuple(sorted(revisions, key=lambda each: each.at)),
        drifts=tuple(map(drift_of, scores)),
        is_cut=FACTS_MAX in {len(found), len(judged)},
    )


def zone_of(settings: TrendSettings) -> tzinfo:
    """Return the zone of the site's calendar: as set, else the machine's."""
    if settings.zone:
        try:
            return ZoneInfo(settings.zone)
        except (ZoneInfoNotFoundError, ValueError):
            return UTC
    return datetime.now(UTC).astimezone().tzinfo or UTC


def shifts_of(settings: TrendSettings) -> tuple[Shift, ...]:
    """Return the shifts of the site."""
    return tuple(Shift(name, time.fromisoformat(at)) for name, at in settings.shifts.items())


def _since(span: int, now: datetime) -> datetime:
    return now - timedelta(days=span)


def _is_fresh(held: Snapshot, settings: TrendSettings, now: datetime) -> bool:
    return now - held.at < timedelta(seconds=settings.refresh_s)
