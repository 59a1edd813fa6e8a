"""Shares with what they can prove, and where rules go wrong."""

from collections.abc import Callable
from datetime import UTC

import pytest

from qa_daemon.trends.facts import Facet, Facts, FindingFact, Outcome, SeriesFact, series_in_columns
from qa_daemon.trends.rates import (
    Share,
    matrix,
    places,
    tallies,
    tally,
    too_often_wrong,
)
from tests.trends.conftest import NOON

Make = Callable[..., FindingFact]
Columns = Callable[..., Facts]
ACCEPTED, REJECTED, FALSE = Outcome.ACCEPTED, Outcome.REJECTED, Outcome.FALSE_ALARM


@pytest.mark.parametrize(
    ("part", "whole", "low", "high"),
    # by hand from Wilson's formula with z = 1.96
    [
        (0, 10, 0.0, 0.2775),
        (10, 10, 0.7225, 1.0),
        (12, 29, 0.2551, 0.5926),
        (5, 10, 0.2366, 0.7634),
    ],
)
def test_the_interval_is_wilsons(part: int, whole: int, low: float, high: float) -> None:
    assert Share(part, whole).interval == pytest.approx((low, high), abs=5e-4)


def test_nothing_of_nothing_is_no_share() -> None:
    assert Share(0, 0).value is None
    assert Share(0, 0).interval == (0.0, 1.0)
    assert not Share(0, 0).is_low


def test_below_ten_verdicts_nothing_is_called_low() -> None:
    assert not Share(0, 9).is_telling
    assert not Share(0, 9).is_low
    assert Share(0, 10).is_low


def test_a_low_share_is_a_warning_only_where_chance_does_not_explain_it() -> None:
    assert Share(12, 29).is_proven_low
    assert Share(6, 10).is_low
    assert not Share(6, 10).is_proven_low
    assert not Share(7, 10).is_low


def test_a_tally_counts_every_outcome_once(finding: Make, columns: Columns) -> None:
    found = columns(*(finding(0, outcome) for outcome in Outcome), finding(1, ACCEPTED))
    row = tally(found)
    assert (row.findings, row.accepted, row.rejected, row.false_alarms) == (6, 2, 1, 1)
    assert (row.open, row.muted, row.decided) == (1, 1, 4)
    assert row.acceptance == Share(2, 4)
    assert row.false_alarms_per_100_series is None


def test_false_alarms_are_told_per_series_where_those_are_known(
    finding: Make, columns: Columns
) -> None:
    found = columns(finding(0, FALSE, ae="CT1"), finding(0, ACCEPTED, ae="CT1"))
    judged = series_in_columns(
        [SeriesFact(judged_at=NOON, ae=ae) for ae in ("CT1",) * 40 + ("CT2",) * 7], (), UTC
    )
    (row,) = tallies(found, judged, Facet.AE)
    assert (row.value, row.series) == ("CT1", 40)
    assert row.false_alarms_per_100_series == pytest.approx(2.5)
    (row,) = tallies(found, judged, Facet.RULE)
    assert row.series is None


def test_tallies_come_with_the_most_frequent_first_then_by_name(
    finding: Make, columns: Columns
) -> None:
    found = columns(
        finding(0, ACCEPTED, "C-1"), finding(0, ACCEPTED, "B-1"), finding(0, ACCEPTED, "A-1"),
        finding(0, FALSE, "C-1"),
    )  # fmt: skip
    rows = tallies(found, series_in_columns([], (), UTC), Facet.RULE)
    assert [row.value for row in rows] == ["C-1", "A-1", "B-1"]


def test_a_value_that_only_other_periods_have_is_left_out(finding: Make, columns: Columns) -> None:
    found = columns(finding(0, ACCEPTED, "A-1"), finding(100, ACCEPTED, "B-1"))
    inside = found.chosen(found.at_s < NOON.timestamp() + 3600)
    rows = tallies(inside, series_in_columns([], (), UTC), Facet.RULE)
    assert [row.value for row in rows] == ["A-1"]


def test_a_rule_is_told_where_it_is_wrong_and_not_where_it_is_right(
    finding: Make, columns: Columns
) -> None:
    at_ward = [finding(0, ACCEPTED, "VIEW-3", station="WARD") for _ in range(12)]
    at_ward += [finding(0, FALSE, "VIEW-3", station="WARD") for _ in range(17)]
    elsewhere = [finding(0, ACCEPTED, "VIEW-3", station="ROOM1") for _ in range(25)]
    still_open = [finding(0, Outcome.OPEN, "VIEW-3", station="ROOM2")]
    found = places(columns(*at_ward, *elsewhere, *still_open))
    assert [(place.station, place.acceptance) for place in found] == [
        ("ROOM1", Share(25, 25)),
        ("WARD", Share(12, 29)),
    ]
    assert [place.station for place in too_often_wrong(found)] == ["WARD"]


def test_the_table_holds_the_wrong_ones_however_rare_they_are(
    finding: Make, columns: Columns
) -> None:
    wrong = [finding(0, FALSE, "Z-9", station="RARE") for _ in range(10)]
    frequent = [
        finding(0, ACCEPTED, f"A-{number}", station=f"CT{number}")
        for number in range(3)
        for _ in range(20)
    ]
    table = matrix(places(columns(*wrong, *frequent)), rules_max=2, stations_max=2)
    assert "Z-9" in table.rules
    assert "RARE" in table.stations
    assert table.left_out == (2, 2)
    row, column = table.rules.index("Z-9"), table.stations.index("RARE")
    assert table.cells[row][column] == Share(0, 10)
    assert table.cells[row][1 - column] is None
