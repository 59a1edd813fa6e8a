"""How an issue stands, from its counts and from what people said."""

from datetime import UTC, datetime, timedelta
from typing import Final

import pytest
from attrs import evolve

from qa_daemon.habits.trend import causes, state_of
from qa_daemon.records.finding import Severity
from qa_daemon.records.issue import (
    Fingerprint,
    Issue,
    IssueState,
    Practice,
    Ruling,
    RulingKind,
    Sightings,
)

NOW: Final = datetime(2026, 3, 1, 12, tzinfo=UTC)
OLD: Final = Sightings(30, NOW - timedelta(days=60), NOW - timedelta(hours=1), 4, 20)


def ruling(kind: RulingKind, days_ago: float, until_days: float | None = None) -> Ruling:
    until = None if until_days is None else NOW + timedelta(days=until_days)
    return Ruling(kind, "because", "ana", NOW - timedelta(days=days_ago), until)


@pytest.mark.parametrize(
    ("sightings", "said", "state"),
    [
        (OLD, None, IssueState.ONGOING),
        (evolve(OLD, first_at=NOW - timedelta(days=6)), None, IssueState.NEW),
        (evolve(OLD, recent_count=11), None, IssueState.ESCALATING),
        (evolve(OLD, recent_count=10), None, IssueState.ONGOING),
        (evolve(OLD, recent_count=4, before_count=0), None, IssueState.ONGOING),
        (OLD, ruling(RulingKind.MUTE, 1, 10), IssueState.MUTED),
        (OLD, ruling(RulingKind.MUTE, 20, -1), IssueState.ONGOING),
        (OLD, ruling(RulingKind.RESOLVE, 0), IssueState.RESOLVED),
        (OLD, ruling(RulingKind.RESOLVE, 1), IssueState.REGRESSED),
    ],
)
def test_an_issue_stands_as_its_counts_and_people_say(
    sightings: Sightings, said: Ruling | None, state: IssueState
) -> None:
    assert state_of(sightings, said, NOW) is state


def issue(key: str, protocol: str, count: int = 1, station: str = "CT1") -> Issue:
    fingerprint = Fingerprint("R-1", Practice("CT", station, protocol), "A -> B")
    sightings = evolve(OLD, count=count)
    return Issue(
        key=key, fingerprint=fingerprint, severity=Severity.MAJOR, message="m", sightings=sightings
    )


def test_the_same_change_under_many_protocols_of_a_station_has_one_cause() -> None:
    many = [issue("a", "p", 2), issue("b", "q", 9), issue("c", "r", 1)]
    assert causes([*many, issue("d", "p", 50, station="CT2")]) == {"a": "b", "c": "b"}
    assert causes(many[:2]) == {}


def test_nothing_is_said_of_stations_without_a_name() -> None:
    assert causes([issue(name, name, station="") for name in "abcd"]) == {}
