"""Bars, ages and waits of sets made by hand."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from qa_daemon.trends.daily import backlog, bars, median_wait_s
from qa_daemon.trends.facts import Facts, FindingFact, Outcome
from tests.trends.conftest import NOON

Make = Callable[..., FindingFact]
Columns = Callable[..., Facts]
MIDNIGHT = datetime(2026, 11, 2, tzinfo=UTC)
DAYS = tuple(MIDNIGHT + timedelta(days=day) for day in range(4))


def test_a_finding_stands_on_the_day_it_was_made_and_its_verdict_on_the_day_it_was_given(
    finding: Make, columns: Columns
) -> None:
    found = columns(
        finding(0, Outcome.ACCEPTED),
        finding(11.5, Outcome.FALSE_ALARM),  # made at 23:30, decided at 00:30
        finding(24, Outcome.REJECTED),
        finding(25, Outcome.OPEN),
        finding(26, Outcome.MUTED),
    )
    first, second, third = bars(found, DAYS)
    assert (first.findings, first.accepted, first.rejected, first.false_alarms) == (2, 1, 1, 1)
    assert (second.findings, second.rejected, second.open, second.muted) == (3, 1, 1, 1)
    assert [bar.verdicts for bar in (first, second, third)] == [1, 2, 0]
    assert third.findings == 0
    assert third.acceptance.value is None


def test_what_lies_outside_the_edges_is_not_counted(finding: Make, columns: Columns) -> None:
    found = columns(
        finding(-13.5, Outcome.ACCEPTED),  # the evening before
        finding(3 * 24 - 12, Outcome.ACCEPTED),  # the midnight that ends the period
    )
    assert sum(bar.findings for bar in bars(found, DAYS)) == 0
    assert sum(bar.verdicts for bar in bars(found, DAYS)) == 0


def test_the_backlog_holds_what_was_made_and_not_yet_decided_then(
    finding: Make, columns: Columns
) -> None:
    found = columns(
        finding(0, Outcome.ACCEPTED),  # open from 12 to 13 o'clock
        finding(0, Outcome.OPEN),
        finding(0, Outcome.MUTED),
        finding(2, Outcome.OPEN),
    )
    half_past, evening = backlog(found, (NOON + timedelta(minutes=30), NOON + timedelta(hours=6)))
    assert (half_past.open, half_past.median_s, half_past.oldest_s) == (2, 1800, 1800)
    assert (evening.open, evening.median_s, evening.oldest_s) == (2, 5 * 3600, 6 * 3600)
    assert evening.oldest_tenth_s == pytest.approx(5.8 * 3600)


def test_an_empty_backlog_has_no_age(finding: Make, columns: Columns) -> None:
    (empty,) = backlog(columns(finding(0, Outcome.ACCEPTED)), (NOON + timedelta(days=1),))
    assert (empty.open, empty.median_s, empty.oldest_tenth_s, empty.oldest_s) == (
        0,
        None,
        None,
        None,
    )


def test_the_median_wait_leaves_out_what_still_waits(finding: Make, columns: Columns) -> None:
    assert median_wait_s(columns(finding(0, Outcome.ACCEPTED), finding(0, Outcome.OPEN))) == 3600
    assert median_wait_s(columns(finding(0, Outcome.OPEN))) is None
