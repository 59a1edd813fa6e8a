"""Decisions are kept, refused where they no longer fit, and taken back."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from attrs import evolve

from qa_daemon.records.decision import Decision, RejectReason, Verb
from qa_daemon.records.finding import Outcomes, Severity, Verdict
from qa_daemon.records.inference import Inference
from qa_daemon.records.states import SeriesEvent, SeriesState, SuggestionState
from qa_daemon.store import leases, result_rows, series_rows
from qa_daemon.store.database import Store
from qa_daemon.store.leases import Terms
from qa_daemon.store.recording import record
from qa_daemon.store.result_rows import FindingFilter, FindingRow, Judgement
from qa_daemon.store.review import decision_rows
from qa_daemon.store.review.decision_rows import Undecidable
from qa_daemon.store.series_rows import Operator, SeriesFilter
from tests.store.test_result_rows import GAP, TURNED

At = Callable[[float], datetime]
TERMS = Terms(lease_s=60, attempts_max=3)
STATES = (SeriesState.PREDICTED, SeriesState.SETTLED)
NOTE = evolve(GAP, rule="GEOM-011", severity=Severity.INFO)


def judged(store: Store, sender: Any, now: datetime) -> None:
    """Receive one series and judge it: one finding with suggestions, one without, one info."""
    record(store, [sender.receipt("1.2.3.1")], now)
    for arrival in series_rows.arrivals(store):
        assert series_rows.settle(store, arrival, now)
    while lease := leases.claim(store, STATES, TERMS, now):
        if lease.state is SeriesState.SETTLED:
            assert result_rows.save_inference(store, lease, Inference(), now)
        else:
            verdict = Verdict((TURNED, GAP, NOTE), Outcomes())
            judgement = Judgement(event=SeriesEvent.FLAG, verdict=verdict)
            assert result_rows.save_judgement(store, lease, judgement, now)


def rows(store: Store) -> list[FindingRow]:
    return list(result_rows.finding_list(store, FindingFilter(), 10))


def state(store: Store) -> SeriesState:
    (row,) = series_rows.series_list(store, SeriesFilter(), 10)
    return row.state


def accepting(row: FindingRow, at: datetime, who: str = "ana") -> Decision:
    return Decision(
        verb=Verb.ACCEPT,
        who=who,
        at=at,
        revision=row.revision,
        suggestion=row.finding.suggestion,
        words="seen \ud800",
    )


def test_a_series_is_decided_once_none_of_its_findings_is_open(
    store: Store, sender: Any, at: At
) -> None:
    judged(store, sender, at(0))
    turned, gap, _ = rows(store)
    decision_rows.decide(store, turned.id, accepting(turned, at(1)), 1)
    assert state(store) is SeriesState.WAITING
    assert [row.id for row in open_rows(store)] == [gap.id]
    rejecting = Decision(
        verb=Verb.REJECT, who="bo", at=at(2), revision=1, reason=RejectReason.TAGS_RIGHT
    )
    decision_rows.decide(store, gap.id, rejecting, None)
    assert state(store) is SeriesState.DECIDED
    assert open_rows(store) == []
    kept = decision_rows.decision_of(store, gap.id)
    assert kept is not None
    assert (kept.decision, kept.rule, kept.undone_by) == (rejecting, gap.finding.rule, "")


def open_rows(store: Store) -> list[FindingRow]:
    wanted = FindingFilter(severity_min=Severity.MINOR, is_open=True)
    return list(result_rows.finding_list(store, wanted, 10))


def test_of_several_suggestions_one_is_accepted(store: Store, sender: Any, at: At) -> None:
    judged(store, sender, at(0))
    turned = rows(store)[0]
    decision_rows.decide(store, turned.id, accepting(turned, at(1)), 1)
    assert rows(store)[0].state is SuggestionState.REJECTED
    counted = series_rows.counts(store).suggestions
    assert counted == {SuggestionState.REJECTED: 2, SuggestionState.ACCEPTED: 1}


def test_a_decision_that_is_taken_back_leaves_everything_open(
    store: Store, sender: Any, at: At
) -> None:
    judged(store, sender, at(0))
    for row in rows(store)[:2]:
        decision_rows.decide(store, row.id, accepting(row, at(1)))
    assert state(store) is SeriesState.DECIDED
    turned = rows(store)[0]
    assert decision_rows.undo(store, turned.id, Operator("bo", at(2))).who == "ana"
    assert state(store) is SeriesState.WAITING
    assert [row.id for row in open_rows(store)] == [turned.id]
    assert rows(store)[0].state is SuggestionState.OPEN
    undone = next(each for each in decision_rows.history(store, 9) if each.undone_at)
    assert (undone.finding_id, undone.undone_at, undone.undone_by) == (turned.id, at(2), "bo")
    with pytest.raises(Undecidable, match="no decision is in force"):
        decision_rows.undo(store, turned.id, Operator("bo", at(3)))
    actions = [each.action for each in series_rows.audit_entries(store, 3)]
    assert actions == ["undo", "accept", "accept"]


def test_a_deferred_finding_stays_open_and_may_be_decided(
    store: Store, sender: Any, at: At
) -> None:
    judged(store, sender, at(0))
    turned = rows(store)[0]
    later = Decision(verb=Verb.DEFER, who="ana", at=at(1), revision=1)
    decision_rows.decide(store, turned.id, later, None)
    assert len(open_rows(store)) == 2
    assert rows(store)[0].state is SuggestionState.DEFERRED
    decision_rows.decide(store, turned.id, accepting(turned, at(2), "bo"))
    assert len(open_rows(store)) == 1
    assert [each.undone_by for each in decision_rows.history(store, 9)] == ["", "bo"]


def test_who_comes_second_is_told_who_was_first(store: Store, sender: Any, at: At) -> None:
    judged(store, sender, at(0))
    turned = rows(store)[0]
    decision_rows.decide(store, turned.id, accepting(turned, at(1)))
    with pytest.raises(Undecidable, match="ana decided it at"):
        decision_rows.decide(store, turned.id, accepting(turned, at(2), "bo"))
    assert len(decision_rows.history(store, 9)) == 1


def test_a_decision_on_an_older_revision_is_refused(store: Store, sender: Any, at: At) -> None:
    judged(store, sender, at(0))
    turned = rows(store)[0]
    record(store, [sender.receipt("1.2.3.1")], at(5))
    with pytest.raises(Undecidable, match="revision 2 of its series has come"):
        decision_rows.decide(store, turned.id, accepting(turned, at(6)))
    assert decision_rows.history(store, 9) == ()


def test_an_info_or_an_unknown_finding_cannot_be_decided(store: Store, sender: Any, at: At) -> None:
    judged(store, sender, at(0))
    turned, _, note = rows(store)
    for number, said in ((note.id, "info"), (999_999, "queue list")):
        with pytest.raises(Undecidable, match=said):
            decision_rows.decide(store, number, accepting(turned, at(1)))


def test_a_series_in_work_is_not_decided(store: Store, sender: Any, at: At) -> None:
    judged(store, sender, at(0))
    turned = rows(store)[0]
    series_rows.recheck(store, SeriesFilter(), Operator("ana", at(1)))
    with pytest.raises(Undecidable, match="try again in a moment"):
        decision_rows.decide(store, turned.id, accepting(turned, at(2)))


def test_decisions_go_with_the_series(store: Store, sender: Any, at: At) -> None:
    judged(store, sender, at(0))
    turned = rows(store)[0]
    decision_rows.decide(store, turned.id, accepting(turned, at(1)))
    (row,) = series_rows.series_list(store, SeriesFilter(), 10)
    series_rows.remove_series(store, row.series_key, Operator("ana", at(2)))
    assert decision_rows.history(store, 9) == ()
