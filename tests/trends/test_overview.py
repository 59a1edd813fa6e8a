"""One cut through a set made by hand."""

from collections.abc import Callable
from datetime import UTC, date, timedelta

from qa_daemon.trends.facts import Facet, Facts, FindingFact, Outcome, SeriesFact, series_in_columns
from qa_daemon.trends.overview import Cut, overview
from qa_daemon.trends.period import Period
from tests.trends.conftest import NOON

Make = Callable[..., FindingFact]
Columns = Callable[..., Facts]
#: From the Monday of `NOON` on.
WEEK = Period(date(2026, 11, 2), date(2026, 11, 8), UTC)
NOW = NOON + timedelta(days=2)


def some(finding: Make, columns: Columns) -> Facts:
    return columns(
        finding(-24 * 3, Outcome.ACCEPTED, station="CT1", ae="A"),
        finding(-24 * 20, Outcome.OPEN, station="CT1", ae="A"),
        finding(0, Outcome.ACCEPTED, station="CT1", ae="A"),
        finding(1, Outcome.FALSE_ALARM, station="CT2", ae="B"),
        finding(2, Outcome.OPEN, station="CT2", ae="B"),
    )


def judged() -> Facts:
    return series_in_columns(
        [SeriesFact(judged_at=NOON, ae=ae) for ae in "AAABBBBB"]
        + [SeriesFact(judged_at=NOON - timedelta(days=3), ae="A")],
        (),
        UTC,
    )


def test_a_period_counts_what_was_made_in_it(finding: Make, columns: Columns) -> None:
    seen = overview(some(finding, columns), judged(), Cut(period=WEEK), Facet.STATION, NOW)
    assert (seen.whole.findings, seen.whole.series, seen.before.findings) == (3, 8, 1)
    assert [(row.value, row.findings) for row in seen.tallies] == [("CT2", 2), ("CT1", 1)]
    assert len(seen.bars) == 7
    assert seen.median_wait_s == 3600


def test_what_is_open_now_does_not_depend_on_the_period(finding: Make, columns: Columns) -> None:
    seen = overview(some(finding, columns), judged(), Cut(period=WEEK), Facet.RULE, NOW)
    assert seen.open_now.open == 2
    assert seen.open_now.oldest_s == 22 * 86_400
    assert seen.open_a_week_ago == 1


def test_the_backlog_ends_now_and_not_with_the_period(finding: Make, columns: Columns) -> None:
    seen = overview(some(finding, columns), judged(), Cut(period=WEEK), Facet.RULE, NOW)
    assert [point.at.day for point in seen.backlog] == [3, 4, 4]
    assert seen.backlog[-1].at == NOW


def test_a_cut_by_sender_counts_its_series(finding: Make, columns: Columns) -> None:
    cut = Cut(period=WEEK, only={Facet.AE: "A"})
    seen = overview(some(finding, columns), judged(), cut, Facet.RULE, NOW)
    assert (seen.whole.findings, seen.whole.series) == (1, 3)


def test_a_cut_by_station_knows_no_series(finding: Make, columns: Columns) -> None:
    cut = Cut(period=WEEK, only={Facet.STATION: "CT2"})
    seen = overview(some(finding, columns), judged(), cut, Facet.RULE, NOW)
    assert (seen.whole.findings, seen.whole.series) == (2, None)


def test_a_value_that_nobody_has_gives_an_empty_page(finding: Make, columns: Columns) -> None:
    cut = Cut(period=WEEK, only={Facet.RULE: "NO-1"})
    seen = overview(some(finding, columns), judged(), cut, Facet.RULE, NOW)
    assert (seen.whole.findings, seen.open_now.open, seen.tallies, seen.wrong) == (0, 0, (), ())
