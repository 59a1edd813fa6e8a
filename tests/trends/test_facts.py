"""Findings as columns: values, shifts, choices."""

from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

import pytest

from qa_daemon.trends.facts import (
    NEVER,
    Facet,
    FindingFact,
    Outcome,
    SeriesFact,
    Shift,
    findings_in_columns,
    series_in_columns,
    shift_of,
)

SHIFTS = (Shift("early", time(6)), Shift("late", time(14)), Shift("night", time(22)))
BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("hour", "minute", "name"),
    [(5, 59, "night"), (6, 0, "early"), (13, 59, "early"), (14, 0, "late"), (22, 0, "night")],
)
def test_a_shift_runs_until_the_next_one_begins(hour: int, minute: int, name: str) -> None:
    assert shift_of(datetime(2026, 11, 2, hour, minute, tzinfo=BERLIN), SHIFTS, BERLIN) == name


def test_a_shift_goes_by_the_clock_of_the_site() -> None:
    half_past_five_utc = datetime(2026, 7, 1, 5, 30, tzinfo=UTC)
    assert shift_of(half_past_five_utc, SHIFTS, UTC) == "night"
    assert shift_of(half_past_five_utc, SHIFTS, BERLIN) == "early"


def test_a_site_without_shifts_has_none() -> None:
    assert shift_of(datetime(2026, 7, 1, tzinfo=UTC), (), UTC) == ""


def test_columns_keep_every_value_of_every_row() -> None:
    at = datetime(2026, 11, 2, 8, tzinfo=UTC)
    facts = findings_in_columns(
        [
            FindingFact(made_at=at, rule="B-1", outcome=Outcome.OPEN, station="CT2"),
            FindingFact(
                made_at=at, rule="A-1", outcome=Outcome.ACCEPTED, decided_at=at, station="CT1"
            ),
        ],
        SHIFTS,
        UTC,
    )
    assert facts.names[Facet.RULE] == ("A-1", "B-1")
    assert facts.codes[Facet.RULE].tolist() == [1, 0]
    assert facts.closed_s.tolist() == [NEVER, at.timestamp()]
    assert facts.is_value(Facet.STATION, "CT2").tolist() == [True, False]
    assert facts.is_value(Facet.STATION, "CT3").tolist() == [False, False]
    chosen = facts.chosen(facts.are(Outcome.ACCEPTED))
    assert chosen.codes[Facet.RULE].tolist() == [0]
    assert chosen.names[Facet.SHIFT] == ("early",)


def test_of_series_only_what_is_known_of_them_is_told_apart() -> None:
    at = datetime(2026, 11, 2, 23, tzinfo=UTC)
    facts = series_in_columns([SeriesFact(judged_at=at, ae="CT1", modality="CT")], SHIFTS, UTC)
    assert set(facts.codes) == {Facet.AE, Facet.BODY_PART, Facet.MODALITY, Facet.SHIFT}
    assert facts.names[Facet.SHIFT] == ("night",)
    assert len(facts.chosen(facts.is_value(Facet.AE, "CT2"))) == 0
