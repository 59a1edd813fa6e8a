"""Facts are read once for all who look, and again when they are old."""

from datetime import UTC, datetime, timedelta
from threading import Event
from zoneinfo import ZoneInfo

import pytest

from qa_daemon.config.sections.viewing import TrendSettings
from qa_daemon.queue.statistics.snapshot import STALE_MAX, Statistics, zone_of
from qa_daemon.store.database import Store
from tests.queue.deciding.conftest import Ward, cluster, prepared_sqlite, store, url, ward
from tests.store.conftest import NOON

__all__ = ["cluster", "prepared_sqlite", "store", "url", "ward"]
SETTINGS = TrendSettings(zone="UTC")


def eventually(statistics: Statistics, store: Store, at: datetime, count: int) -> None:
    """Wait until as many findings are told."""
    for _ in range(3000):
        if len(statistics.snapshot(store, SETTINGS, 7, at).findings) == count:
            return
        Event().wait(0.01)
    raise AssertionError(count)


def test_who_comes_within_a_minute_gets_the_same_facts(ward: Ward) -> None:
    statistics = Statistics()
    ward.judged()
    first = statistics.snapshot(ward.store, SETTINGS, 7, NOON)
    assert len(first.findings) == 2
    assert len(first.series) == 1
    again = statistics.snapshot(ward.store, SETTINGS, 7, NOON + timedelta(seconds=59))
    assert again is first


def test_who_comes_later_gets_what_there_is_while_it_is_read_anew(ward: Ward) -> None:
    statistics = Statistics()
    first = statistics.snapshot(ward.store, SETTINGS, 7, NOON)
    assert len(first.findings) == 0
    ward.judged()
    later = NOON + timedelta(seconds=61)
    assert statistics.snapshot(ward.store, SETTINGS, 7, later) is first
    eventually(statistics, ward.store, later, 2)


def test_what_is_too_old_is_not_shown(ward: Ward) -> None:
    statistics = Statistics()
    statistics.snapshot(ward.store, SETTINGS, 7, NOON)
    ward.judged()
    later = NOON + STALE_MAX + timedelta(seconds=1)
    assert len(statistics.snapshot(ward.store, SETTINGS, 7, later).findings) == 2


@pytest.mark.parametrize(
    ("given", "zone"), [("Europe/Berlin", ZoneInfo("Europe/Berlin")), ("No/Where", UTC)]
)
def test_the_zone_is_the_sites_and_utc_where_nobody_knows_it(given: str, zone: object) -> None:
    assert zone_of(TrendSettings(zone=given)) == zone


@pytest.mark.parametrize("given", ["six", "24:00", "6:00"])
def test_a_shift_begins_at_a_time_of_day(given: str) -> None:
    with pytest.raises(ValueError, match="shift"):
        TrendSettings(shifts={"early": given})
