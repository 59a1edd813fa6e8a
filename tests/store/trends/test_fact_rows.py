"""Findings with what became of them, read back as statistics read them."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from attrs import evolve

from qa_daemon.queue.deciding.answers import Accept, Answer, Reject
from qa_daemon.records.decision import RejectReason
from qa_daemon.records.finding import Finding, Outcomes, Severity, Verdict
from qa_daemon.records.inference import Inference
from qa_daemon.records.issue import Fingerprint, Observation, Practice, Ruling, RulingKind
from qa_daemon.records.states import SeriesEvent, SeriesState
from qa_daemon.store import leases, result_rows, series_rows
from qa_daemon.store.database import Store
from qa_daemon.store.leases import Terms
from qa_daemon.store.recording import record
from qa_daemon.store.result_rows import FindingFilter, FindingRow, Judgement
from qa_daemon.store.review import issue_rows
from qa_daemon.store.trends import fact_rows
from qa_daemon.trends.facts import FindingFact, Outcome
from tests.store.test_result_rows import GAP, TURNED

At = Callable[[float], datetime]
Decide = Callable[[FindingRow, Answer, datetime], None]
TERMS = Terms(lease_s=60, attempts_max=3)
STATES = (SeriesState.PREDICTED, SeriesState.SETTLED)
NOTE = evolve(GAP, rule="GEOM-011", severity=Severity.INFO)
PRACTICE = Practice("CT", "CT2", "Abdomen")
COUNT_MAX = 1000


def fingerprint(finding: Finding) -> Fingerprint:
    return Fingerprint(finding.rule, PRACTICE)


def judged(store: Store, sender: Any, now: datetime, pack: str = "p1") -> None:
    """Receive one series of CT1 and judge it: two findings, and an info."""
    record(store, [sender.receipt("1.2.3.1")], now)
    for arrival in series_rows.arrivals(store):
        assert series_rows.settle(store, arrival, now)
    while lease := leases.claim(store, STATES, TERMS, now):
        if lease.state is SeriesState.SETTLED:
            assert result_rows.save_inference(store, lease, Inference(), now)
        else:
            judgement = Judgement(
                event=SeriesEvent.FLAG,
                verdict=Verdict((TURNED, GAP, NOTE), Outcomes()),
                rule_pack=pack,
                fingerprint_of=fingerprint,
                practice=PRACTICE,
                observed=(Observation("BodyPartExamined", "ABDOMEN"),),
            )
            assert result_rows.save_judgement(store, lease, judgement, now)


def facts(store: Store, since: datetime, now: datetime) -> dict[str, FindingFact]:
    return {fact.rule: fact for fact in fact_rows.finding_facts(store, since, now, COUNT_MAX)}


def rows(store: Store) -> dict[str, FindingRow]:
    found = result_rows.finding_list(store, FindingFilter(), 10)
    return {row.finding.rule: row for row in found}


def test_a_finding_is_told_with_where_it_was_made(store: Store, sender: Any, at: At) -> None:
    judged(store, sender, at(0))
    found = facts(store, at(0), at(1))
    assert set(found) == {TURNED.rule, GAP.rule}
    assert found[GAP.rule] == FindingFact(
        made_at=at(0), rule=GAP.rule, outcome=Outcome.OPEN, station="CT2", ae="CT1",
        protocol="Abdomen", body_part="ABDOMEN", modality="CT",
    )  # fmt: skip


def test_what_became_of_it_is_told_by_verb_and_reason(
    store: Store, sender: Any, at: At, decide: Decide
) -> None:
    judged(store, sender, at(0))
    found = rows(store)
    decide(found[GAP.rule], Accept(), at(5))
    decide(found[TURNED.rule], Reject(RejectReason.TAGS_RIGHT), at(6))
    told = facts(store, at(0), at(9))
    assert (told[GAP.rule].outcome, told[GAP.rule].decided_at) == (Outcome.ACCEPTED, at(5))
    assert told[TURNED.rule].outcome is Outcome.FALSE_ALARM


def test_another_fault_is_no_false_alarm(store: Store, sender: Any, at: At, decide: Decide) -> None:
    judged(store, sender, at(0))
    decide(rows(store)[GAP.rule], Reject(RejectReason.OTHER_FAULT), at(6))
    assert facts(store, at(0), at(9))[GAP.rule].outcome is Outcome.REJECTED


def test_what_is_muted_is_neither_open_nor_decided(store: Store, sender: Any, at: At) -> None:
    judged(store, sender, at(0))
    (issue,) = issue_rows.issues_at(store, GAP.rule, "CT2", COUNT_MAX)
    assert (issue.open_count, issue.protocol) == (1, "Abdomen")
    assert issue_rows.issues_at(store, GAP.rule, "CT1", COUNT_MAX) == ()
    ruling = Ruling(RulingKind.MUTE, "known", "ana", at(1), at(100))
    assert issue_rows.rule_on(store, issue.key, ruling)
    assert facts(store, at(0), at(50))[GAP.rule].outcome is Outcome.MUTED
    assert facts(store, at(0), at(101))[GAP.rule].outcome is Outcome.OPEN


def test_of_older_findings_those_that_are_still_open_are_told(
    store: Store, sender: Any, at: At, decide: Decide
) -> None:
    judged(store, sender, at(0))
    decide(rows(store)[GAP.rule], Accept(), at(5))
    assert set(facts(store, at(60), at(61))) == {TURNED.rule}


def test_a_late_instance_takes_findings_out_of_the_statistics(
    store: Store, sender: Any, at: At
) -> None:
    judged(store, sender, at(0))
    record(store, [sender.receipt("1.2.3.1")], at(10))
    assert facts(store, at(0), at(11)) == {}


def test_a_judged_series_is_told_once_with_its_latest_judgement(
    store: Store, sender: Any, at: At
) -> None:
    judged(store, sender, at(0))
    judged(store, sender, at(10))
    (fact,) = fact_rows.series_facts(store, at(0), COUNT_MAX)
    assert (fact.judged_at, fact.ae, fact.body_part, fact.modality) == (
        at(10), "CT1", "ABDOMEN", "CT",
    )  # fmt: skip
    assert fact_rows.series_facts(store, at(11), COUNT_MAX) == ()


def test_rule_packs_are_told_with_when_each_first_judged(store: Store, sender: Any, at: At) -> None:
    judged(store, sender, at(0), "p1")
    judged(store, sender, at(10), "p2")
    told = [(each.kind, each.name, each.at) for each in fact_rows.rule_revisions(store)]
    assert told == [("rules", "p1", at(0)), ("rules", "p2", at(10))]


def test_no_more_facts_are_read_than_asked_for(store: Store, sender: Any, at: At) -> None:
    judged(store, sender, at(0))
    assert len(fact_rows.finding_facts(store, at(0), at(0) + timedelta(days=1), 1)) == 1
