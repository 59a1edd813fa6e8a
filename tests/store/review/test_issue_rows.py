"""Issues are noted with findings, counted when read, and ruled on."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from attrs import evolve

from qa_daemon.habits.fingerprint import fingerprint_of
from qa_daemon.records.finding import Finding, Level, Outcomes, Severity, Topic, Verdict
from qa_daemon.records.inference import Inference
from qa_daemon.records.issue import Fingerprint, Practice, Ruling, RulingKind
from qa_daemon.records.states import SeriesEvent, SeriesState
from qa_daemon.store import leases, result_rows, series_rows
from qa_daemon.store.audit.entries import Operator, audit_entries
from qa_daemon.store.database import Store
from qa_daemon.store.leases import Terms
from qa_daemon.store.recording import record
from qa_daemon.store.result_rows import FindingFilter, Judgement
from qa_daemon.store.review import issue_rows
from qa_daemon.store.review.issue_rows import Spans
from qa_daemon.store.series_rows import SeriesFilter

At = Callable[[float], datetime]
TERMS = Terms(lease_s=60, attempts_max=3)
STATES = (SeriesState.PREDICTED, SeriesState.SETTLED)
PRACTICE = Practice("CT", "CT1", "Abdomen \ud800")
GAP = Finding("GEO-1", Topic.GEOMETRY, Severity.MINOR, Level.SERIES, "a slice is missing")
LATE = timedelta(days=1)


def fingerprint(finding: Finding) -> Fingerprint:
    return fingerprint_of(finding, PRACTICE)


def judged(store: Store, sender: Any, now: datetime, *uids: str) -> None:
    """Receive series of one instance each and judge them; each has the one finding."""
    for uid in uids:
        record(store, [sender.receipt(f"1.2.3.{uid}")], now)
    for arrival in series_rows.arrivals(store):
        assert series_rows.settle(store, arrival, now)
    judge(store, now)


def judge(store: Store, now: datetime) -> None:
    verdict = Verdict((GAP,), Outcomes(finding=("GEO-1",)))
    while lease := leases.claim(store, STATES, TERMS, now):
        if lease.state is SeriesState.SETTLED:
            assert result_rows.save_inference(store, lease, Inference(), now)
        else:
            judgement = Judgement(
                event=SeriesEvent.FLAG, verdict=verdict, fingerprint_of=fingerprint
            )
            assert result_rows.save_judgement(store, lease, judgement, now)


def spans(now: datetime) -> Spans:
    return Spans(now=now, recent=timedelta(hours=1), before=timedelta(hours=2))


def test_findings_of_one_fingerprint_are_one_issue(store: Store, sender: Any, at: At) -> None:
    judged(store, sender, at(0), "1", "2")
    judged(store, sender, at(3600 * 1.5), "3")
    judged(store, sender, at(3600 * 2.5), "4", "5")
    (issue,) = issue_rows.issue_list(store, spans(at(3600 * 3)), 10)
    assert issue.fingerprint == Fingerprint("GEO-1", evolve(PRACTICE, protocol="Abdomen \ufffd"))
    sightings = issue.sightings
    assert (sightings.count, sightings.recent_count, sightings.before_count) == (5, 2, 3)
    assert (sightings.first_at, sightings.last_at) == (at(0), at(3600 * 2.5))
    assert (issue.message, issue.severity, issue.ruling) == (GAP.message, GAP.severity, None)


def test_a_series_judged_again_counts_once(store: Store, sender: Any, at: At) -> None:
    judged(store, sender, at(0), "1")
    series_rows.recheck(store, SeriesFilter(), Operator("ana", at(10)))
    judge(store, at(20))
    (issue,) = issue_rows.issue_list(store, spans(at(30)), 10)
    assert (issue.sightings.count, issue.sightings.last_at) == (1, at(0))


def test_a_deleted_series_counts_no_more(store: Store, sender: Any, at: At) -> None:
    judged(store, sender, at(0), "1")
    (row,) = series_rows.series_list(store, SeriesFilter(), 10)
    series_rows.remove_series(store, row.series_key, Operator("ana", at(1)))
    assert issue_rows.issue_list(store, spans(at(2)), 10) == ()


def test_findings_of_a_muted_issue_are_left_out_until_its_day(
    store: Store, sender: Any, at: At
) -> None:
    judged(store, sender, at(0), "1")
    (issue,) = issue_rows.issue_list(store, spans(at(1)), 10)
    ruling = Ruling(RulingKind.MUTE, "known", "ana", at(1), at(100))
    assert issue_rows.rule_on(store, issue.key, ruling)
    assert not issue_rows.rule_on(store, "nothing", ruling)
    (muted,) = issue_rows.issue_list(store, spans(at(2)), 10)
    assert muted.ruling == ruling
    listed = [
        len(result_rows.finding_list(store, FindingFilter(audible_at=now), 10))
        for now in (at(2), at(101))
    ]
    assert listed == [0, 1]
    assert len(result_rows.finding_list(store, FindingFilter(issue_key=issue.key), 10)) == 1
    entry = audit_entries(store, 1)[0]
    assert (entry.who, entry.action, entry.detail) == ("ana", "issue mute", "known")


def test_an_issue_is_found_by_the_beginning_of_its_key(store: Store, sender: Any, at: At) -> None:
    judged(store, sender, at(0), "1")
    (issue,) = issue_rows.issue_list(store, spans(at(1)), 10)
    assert issue_rows.issue_key_like(store, issue.key[:8]) == issue.key
    assert issue_rows.issue_key_like(store, "%") is None
    assert issue_rows.issue_key_like(store, "zz") is None
