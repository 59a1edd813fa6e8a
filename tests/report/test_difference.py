"""Two verdicts over one subject differ by what a person would notice."""

from attrs import evolve

from qa_daemon.records.finding import Finding, Level, Severity, Suggestion, Topic
from qa_daemon.report.difference import Difference, Way, differing

ONE = Finding("A-001", Topic.ORDER, Severity.MINOR, Level.SERIES, "wrong", confidence=0.9)
INFO = evolve(ONE, rule="B-001", severity=Severity.INFO)


def ways(before: list[Finding], after: list[Finding]) -> list[tuple[str, Way]]:
    return [(each.rule, each.way) for each in differing("s", before, after)]


def test_findings_are_new_gone_or_changed() -> None:
    assert ways([], [ONE]) == [("A-001", Way.NEW)]
    assert ways([ONE], []) == [("A-001", Way.GONE)]
    assert ways([ONE], [evolve(ONE, severity=Severity.MAJOR)]) == [("A-001", Way.CHANGED)]
    assert ways([ONE], [evolve(ONE, message="other")]) == [("A-001", Way.CHANGED)]
    assert ways([ONE], [ONE, ONE]) == [("A-001", Way.CHANGED)]
    offered = evolve(ONE, suggestion=Suggestion(()))
    assert ways([ONE], [offered]) == [("A-001", Way.CHANGED)]


def test_another_certainty_is_no_difference() -> None:
    assert ways([ONE, INFO], [INFO, evolve(ONE, confidence=0.91)]) == []
    one, other = (evolve(ONE, suggestion=Suggestion((), confidence=c)) for c in (0.9, 0.8))
    assert ways([one], [other]) == []


def test_subjects_and_alarms_are_counted() -> None:
    found = Difference()
    found.add("a", [ONE], [])
    found.add("b", [INFO], [INFO, ONE])
    found.add("c", [INFO], [INFO])
    assert (found.subjects, found.alarmed) == (3, [1, 1])
    assert found.counts == {"A-001": [1, 1], "B-001": [2, 2]}
    assert [each.subject for each in found.of_rule("A-001")] == ["a", "b"]
    assert found.found[0].shown is ONE
