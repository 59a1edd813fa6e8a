"""Periods of a site's calendar, and their bars."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from qa_daemon.trends.period import DAYS_MAX, Grain, Period, last_days

BERLIN = ZoneInfo("Europe/Berlin")


def test_the_last_days_end_with_today_by_the_clock_of_the_site() -> None:
    before_midnight_utc = datetime(2026, 11, 2, 23, 30, tzinfo=UTC)
    period = last_days(7, before_midnight_utc, BERLIN)
    assert (period.first, period.last) == (date(2026, 10, 28), date(2026, 11, 3))
    assert period.days == 7


@pytest.mark.parametrize(
    ("days", "grain", "bars"),
    [(1, Grain.HOUR, 24), (2, Grain.HOUR, 48), (3, Grain.DAY, 3), (92, Grain.DAY, 92),
     (93, Grain.WEEK, 14), (DAYS_MAX, Grain.WEEK, 157)],
)  # fmt: skip
def test_a_plot_has_bars_of_an_hour_a_day_or_a_week(days: int, grain: Grain, bars: int) -> None:
    first = date(2026, 1, 1)
    period = Period(first, first + timedelta(days=days - 1), UTC)
    assert period.grain is grain
    assert len(period.edges()) == bars + 1


def test_the_day_on_which_clocks_go_back_has_25_hours() -> None:
    period = Period(date(2026, 10, 25), date(2026, 10, 25), BERLIN)
    edges = period.edges()
    assert len(edges) == 26
    assert edges[-1] == period.ends
    assert all(b.timestamp() - a.timestamp() == 3600 for a, b in pairwise(edges))


def test_bars_of_days_follow_the_calendar_over_a_change_of_clocks() -> None:
    edges = Period(date(2026, 10, 24), date(2026, 10, 27), BERLIN).edges()
    assert [edge.day for edge in edges] == [24, 25, 26, 27, 28]
    assert {edge.hour for edge in edges} == {0}


def test_the_period_before_is_as_long_and_ends_the_day_before() -> None:
    before = Period(date(2026, 11, 8), date(2026, 11, 14), UTC).before()
    assert (before.first, before.last) == (date(2026, 11, 1), date(2026, 11, 7))


@pytest.mark.parametrize("days", [-1, DAYS_MAX])
def test_an_impossible_period_is_refused(days: int) -> None:
    first = date(2026, 1, 1)
    with pytest.raises(ValueError, match="period"):
        Period(first, first + timedelta(days=days), UTC)
