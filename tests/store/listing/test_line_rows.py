"""Lines of the queue on both engines: counted, filtered, paged, and true after every change."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from attrs import evolve
from sqlalchemy import func, select

from qa_daemon.errors import InputError
from qa_daemon.records.finding import Finding, Level, Outcomes, Severity, Topic, Verdict
from qa_daemon.records.inference import Inference
from qa_daemon.records.issue import Fingerprint, Practice, Ruling, RulingKind
from qa_daemon.records.states import SeriesEvent, SeriesState
from qa_daemon.store import leases, result_rows, series_rows
from qa_daemon.store.audit.entries import Operator
from qa_daemon.store.database import Store
from qa_daemon.store.leases import Terms
from qa_daemon.store.listing import facet_rows, line_rows, listed_rows, preference_rows
from qa_daemon.store.listing.listed_rows import Person, Subject
from qa_daemon.store.listing.preference_rows import Preferences, View
from qa_daemon.store.listing.tables import lines, listed
from qa_daemon.store.listing.wanted import Sort, State, Wanted
from qa_daemon.store.recording import record
from qa_daemon.store.result_rows import Judgement
from qa_daemon.store.review import issue_rows
from qa_daemon.store.series_rows import SeriesFilter

At = Callable[[float], datetime]
TERMS = Terms(lease_s=60, attempts_max=3)
STATES = (SeriesState.PREDICTED, SeriesState.SETTLED)
MIRROR = Finding("ORIENT-005", Topic.ORIENTATION, Severity.CRITICAL, Level.SERIES, "mirrored", 0.99)
PART = Finding("REGION-001", Topic.BODY_PART, Severity.MAJOR, Level.SERIES, "another part")
NOTE = Finding("REGION-004", Topic.BODY_PART, Severity.INFO, Level.SERIES, "a note")


class Ward:
    """Series of patients on stations, received and judged."""

    def __init__(self, store: Store, sender: Any, at: At) -> None:
        self.store, self.sender, self.at = store, sender, at
        self.found: dict[str, tuple[Finding, ...]] = {}
        self.stations: dict[str, str] = {}

    def receive(self, number: str, when: float, *found: Finding, station: str = "CT1") -> None:
        self.found[number], self.stations[number] = found, station
        record(self.store, [self.sender.receipt(f"1.2.3.{number}")], self.at(when))
        self.judge(when)

    def judge(self, when: float) -> None:
        now = self.at(when)
        for arrival in series_rows.arrivals(self.store):
            assert series_rows.settle(self.store, arrival, now)
        while lease := leases.claim(self.store, STATES, TERMS, now):
            if lease.state is SeriesState.SETTLED:
                assert result_rows.save_inference(self.store, lease, Inference(), now)
            else:
                assert result_rows.save_judgement(self.store, lease, self.judgement(lease), now)

    def judgement(self, lease: Any) -> Judgement:
        number = lease.series_instance_uid.rpartition(".")[2]
        practice = Practice("CT", self.stations[number], "Abdomen")
        person = Person(name=f"Doe^Nr{number}", patient_id=f"P-{number}", accession=f"A{number}")
        found = self.found[number]
        return Judgement(
            event=SeriesEvent.FLAG if found else SeriesEvent.PASS,
            verdict=Verdict(found, Outcomes(finding=tuple(each.rule for each in found))),
            fingerprint_of=lambda finding: (
                Fingerprint(finding.rule, practice) if finding.severity > Severity.INFO else None
            ),
            practice=practice,
            subject=Subject(practice=practice, person=person, calling_ae=f"AE_{number}"),
        )

    def lines(self, wanted: Wanted | None = None, when: float = 100) -> list[tuple[str, int]]:
        page = line_rows.page_of(self.store, wanted or Wanted(), self.at(when), "", 50)
        return [(row.rule, row.count) for row in page.lines]

    def check(self) -> None:
        """Hold the kept counts against the rows that they count."""
        with self.store.reading() as connection:
            kept = select(func.coalesce(func.sum(lines.c.count), 0))
            assert connection.scalar(kept) == connection.scalar(
                select(func.count()).select_from(listed)
            )


@pytest.fixture
def ward(store: Store, sender: Any, at: At) -> Ward:
    return Ward(store, sender, at)


def test_findings_of_one_issue_are_one_line_and_what_may_harm_stands_first(ward: Ward) -> None:
    ward.receive("1", 0, PART)
    ward.receive("2", 1, MIRROR, NOTE)
    ward.receive("3", 2, PART)
    assert ward.lines() == [("ORIENT-005", 1), ("REGION-001", 2)]
    assert ward.lines(Wanted(sort=Sort.OLDEST)) == [("REGION-001", 2), ("ORIENT-005", 1)]
    first, second = line_rows.page_of(ward.store, Wanted(), ward.at(100), "", 50).lines
    assert (first.person.name, first.calling_ae, first.confidence) == ("Doe^Nr2", "AE_2", 0.99)
    assert (second.person.name, second.first_at) == ("Doe^Nr3", ward.at(0))
    assert second.wording.rule == "REGION-001"
    assert sum(second.bars) == 2
    tally = line_rows.tally_of(ward.store, Wanted(), ward.at(100))
    assert (tally.lines, tally.findings, tally.first_lines, tally.first_findings) == (2, 3, 1, 1)
    ward.check()


def test_pages_follow_each_other_without_a_gap_in_every_order(ward: Ward) -> None:
    for number in range(1, 8):
        ward.receive(str(number), number, PART, station=f"CT{number}")
    for sort in Sort:
        seen: list[int] = []
        after = ""
        while True:
            page = line_rows.page_of(ward.store, Wanted(sort=sort), ward.at(100), after, 3)
            seen += [row.finding_id for row in page.lines]
            after = page.after
            if not after:
                break
        assert len(seen) == len(set(seen)) == 7, sort


@pytest.mark.parametrize("after", ["x", "{", '["a"]', "[1]", "[[1]]", '["T"]', "7"])
def test_the_end_of_a_page_that_is_none_is_refused(ward: Ward, after: str) -> None:
    with pytest.raises(InputError, match="after: not the end of a page"):
        line_rows.page_of(ward.store, Wanted(), ward.at(0), after, 3)


def test_filters_let_through_what_they_name(ward: Ward) -> None:
    ward.receive("1", 0, PART)
    ward.receive("2", 1, MIRROR, station="CT2")
    for wanted, rules in (
        (Wanted(stations=("CT2",)), ["ORIENT-005"]),
        (Wanted(modalities=("MR",)), []),
        (Wanted(rules=("REGION-001",)), ["REGION-001"]),
        (Wanted(severities=(Severity.CRITICAL,)), ["ORIENT-005"]),
        (Wanted(aes=("AE_1",)), ["REGION-001"]),
        (Wanted(only_safety=True), ["ORIENT-005"]),
        (Wanted(search="nr1 doe"), ["REGION-001"]),
        (Wanted(search="P-2"), ["ORIENT-005"]),
        (Wanted(search="a%"), []),
        (Wanted(search="^"), []),
        (Wanted(asked=("ana",)), []),
        (Wanted(state=State.DECIDED), []),
    ):
        assert [rule for rule, _ in ward.lines(wanted)] == rules, wanted
        assert line_rows.tally_of(ward.store, wanted, ward.at(9)).findings == len(rules)


def test_a_late_image_takes_the_findings_of_the_older_revision_off(ward: Ward) -> None:
    ward.receive("1", 0, PART)
    record(ward.store, [ward.sender.receipt("1.2.3.1")], ward.at(5))
    assert ward.lines() == []
    ward.check()
    ward.judge(6)
    assert ward.lines() == [("REGION-001", 1)]
    ward.check()


def test_a_series_judged_again_without_a_finding_leaves_no_line(ward: Ward) -> None:
    ward.receive("1", 0, PART)
    ward.found["1"] = ()
    series_rows.recheck(ward.store, SeriesFilter(), Operator("ana", ward.at(1)))
    ward.judge(2)
    assert ward.lines() == []
    ward.check()


def test_a_deleted_series_leaves_no_line(ward: Ward) -> None:
    ward.receive("1", 0, PART)
    ward.receive("2", 1, PART)
    (row, _) = series_rows.series_list(ward.store, SeriesFilter(), 10)
    series_rows.remove_series(ward.store, row.series_key, Operator("ana", ward.at(2)))
    assert ward.lines() == [("REGION-001", 1)]
    ward.check()


def standing(ward: Ward, **values: Any) -> None:
    """Let all findings stand as a decision would, with what lists say of it."""
    from sqlalchemy import update  # noqa: PLC0415

    from qa_daemon.store.tables import findings  # noqa: PLC0415

    with ward.store.taking_turns() as connection:
        ids = tuple(connection.scalars(select(findings.c.id)))
        connection.execute(update(findings).values(**values))
        listed_rows.follow(connection, ids)


def test_a_deferred_finding_comes_back_when_its_time_has_come(ward: Ward) -> None:
    ward.receive("1", 0, PART)
    standing(ward, standing="deferred", wake_at=ward.at(50))
    assert ward.lines(when=49) == []
    assert ward.lines(Wanted(state=State.DEFERRED), when=49) == [("REGION-001", 1)]
    assert ward.lines(when=50) == [("REGION-001", 1)]
    ward.check()


def test_what_somebody_is_asked_is_open_and_theirs(ward: Ward) -> None:
    ward.receive("1", 0, PART)
    standing(ward, standing="asked", asked="ana")
    assert ward.lines() == [("REGION-001", 1)]
    assert ward.lines(Wanted(asked=("ana", "technician"))) == [("REGION-001", 1)]
    assert facet_rows.asked_count(ward.store, ("ana",)) == 1
    assert facet_rows.asked_count(ward.store, ("ben",)) == 0


def test_counts_of_all_views_agree_with_their_lists(ward: Ward) -> None:
    ward.receive("1", 0, PART)
    ward.receive("2", 1, MIRROR)
    ward.receive("3", 2, PART, station="CT2")
    facets = facet_rows.facets_of(ward.store, ward.at(9))
    assert (facets.open, facets.safety, facets.regressed, facets.muted) == (3, 1, 0, 0)
    assert facets.modalities == {"CT": 3}
    assert facets.stations == {"CT1": 2, "CT2": 1}
    assert facet_rows.senders(ward.store, 9) == ("AE_1", "AE_2", "AE_3")
    assert facet_rows.arrived(ward.store, 0) == 3
    assert facet_rows.last_times(ward.store)[0] == ward.at(2)
    page = line_rows.page_of(ward.store, Wanted(rules=("REGION-001",)), ward.at(9), "", 9)
    mute = Ruling(RulingKind.MUTE, "known", "ana", ward.at(3), ward.at(50))
    before = facet_rows.stamp(ward.store)
    issue_rows.rule_on(ward.store, page.lines[0].issue_key, mute)
    assert facet_rows.stamp(ward.store) != before
    facets = facet_rows.facets_of(ward.store, ward.at(9))
    assert (facets.open, facets.muted) == (2, 1)
    assert len(ward.lines(Wanted(state=State.MUTED), when=9)) == 1


def test_an_issue_that_was_called_mended_comes_back_as_regressed(ward: Ward) -> None:
    ward.receive("1", 0, PART)
    (line,) = line_rows.page_of(ward.store, Wanted(), ward.at(9), "", 9).lines
    mended = Ruling(RulingKind.RESOLVE, "protocol 12", "ana", ward.at(5))
    issue_rows.rule_on(ward.store, line.issue_key, mended)
    assert ward.lines(Wanted(only_regressed=True)) == []
    ward.receive("2", 6, PART)
    assert ward.lines(Wanted(only_regressed=True)) == [("REGION-001", 2)]
    assert facet_rows.facets_of(ward.store, ward.at(9)).regressed == 2


def test_a_mute_of_some_more_ends_with_the_one_too_many(ward: Ward) -> None:
    ward.receive("1", 0, PART)
    (line,) = line_rows.page_of(ward.store, Wanted(), ward.at(9), "", 9).lines
    mute = Ruling(RulingKind.MUTE, "known", "ana", ward.at(1), ward.at(10**6), more=2)
    issue_rows.rule_on(ward.store, line.issue_key, mute)
    hidden = []
    for number in (2, 3, 4):
        ward.receive(str(number), number, PART)
        hidden.append(ward.lines() == [])
    assert hidden == [True, True, False]
    issue = issue_rows.issue_of(ward.store, line.issue_key, ward.at(9))
    assert issue is not None
    assert issue.ruling == evolve(mute, until=ward.at(4))


def test_a_mute_until_it_rises_ends_when_it_does(ward: Ward) -> None:
    ward.receive("0", -40 * 86400, PART)
    (line,) = line_rows.page_of(ward.store, Wanted(), ward.at(0), "", 9).lines
    until = ward.at(0) + timedelta(days=90)
    mute = Ruling(RulingKind.MUTE, "known", "ana", ward.at(0), until, until_rising=True)
    issue_rows.rule_on(ward.store, line.issue_key, mute)
    assert issue_rows.muted_list(ward.store, ward.at(1), 9)[0].ruling == mute
    hidden = []
    for number in range(1, 6):
        ward.receive(str(number), number, PART)
        hidden.append(ward.lines() == [])
    assert hidden == [True, True, True, True, False]


def test_a_mute_can_be_ended_before_its_time(ward: Ward) -> None:
    ward.receive("1", 0, PART)
    (line,) = line_rows.page_of(ward.store, Wanted(), ward.at(9), "", 9).lines
    mute = Ruling(RulingKind.MUTE, "known", "ana", ward.at(1), ward.at(10**6))
    issue_rows.rule_on(ward.store, line.issue_key, mute)
    assert issue_rows.lift_mute(ward.store, line.issue_key, Operator("ben", ward.at(2)))
    assert not issue_rows.lift_mute(ward.store, line.issue_key, Operator("ben", ward.at(3)))
    assert ward.lines() == [("REGION-001", 1)]


def test_single_findings_and_selections_are_read_from_the_lines(ward: Ward) -> None:
    ward.receive("1", 0, PART)
    ward.receive("2", 1, PART)
    (line,) = line_rows.page_of(ward.store, Wanted(), ward.at(9), "", 9).lines
    ids = line_rows.ids_of(ward.store, Wanted(), [line.issue_key], ward.at(9), 9)
    assert len(ids) == 2
    assert line_rows.ids_of(ward.store, Wanted(search="nr1"), [line.issue_key], ward.at(9), 9) == (
        ids[0],
    )
    each = line_rows.findings_of(ward.store, line.issue_key, State.OPEN, ward.at(9), 9)
    assert [row.finding_id for row in each] == list(ids)[::-1]
    single = line_rows.listed_finding(ward.store, ids[0])
    assert single is not None
    assert (single.count, single.person.patient_id) == (1, "P-1")
    assert line_rows.listed_finding(ward.store, 10**9) is None
    whole = line_rows.line_of_issue(ward.store, line.issue_key, ward.at(9))
    assert whole is not None
    assert sum(whole.bars) == 2
    assert line_rows.line_of_issue(ward.store, "nothing", ward.at(9)) is None


def test_what_a_person_likes_is_kept(store: Store, at: At) -> None:
    assert preference_rows.preferences_of(store, "ana") == Preferences()
    liked = Preferences(language="de", keys={"accept": "y"}, views=(View("CT", "modality=CT"),))
    for each in (liked, evolve(liked, theme="dark", single_keys=False)):
        preference_rows.prefer(store, "ana", each, at(0))
        assert preference_rows.preferences_of(store, "ana") == each
