"""Predictions, findings and suggestions are kept, replaced and found."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import attrs
import pytest

from qa_daemon.records.finding import (
    Action,
    Change,
    Display,
    Finding,
    Hypothesis,
    Level,
    Outcomes,
    Scope,
    Severity,
    Suggestion,
    Topic,
    Unjudged,
    Verdict,
)
from qa_daemon.records.inference import Inference
from qa_daemon.records.instance import Irregularity
from qa_daemon.records.prediction import Abstention, Part, Prediction
from qa_daemon.records.states import SeriesEvent, SeriesState, SuggestionState
from qa_daemon.store import leases, result_rows, series_rows, tables
from qa_daemon.store.audit.entries import Operator
from qa_daemon.store.database import Store
from qa_daemon.store.leases import Lease, Terms
from qa_daemon.store.recording import record
from qa_daemon.store.result_rows import FindingFilter, Judgement
from qa_daemon.store.series_rows import SeriesFilter

At = Callable[[float], datetime]
TERMS = Terms(lease_s=60, attempts_max=3)
KEY = tables.series_key("1.2.3", "1.2.3.1")

INFERENCE = Inference(
    predictions=(
        Prediction(
            "axial_orientation",
            "axial_orientation@0.1.0",
            label="5",
            probability=0.75,
            abstained=True,
            reason=Abstention.LOW_PROBABILITY,
            probabilities={"1": 0.25, "5": 0.75},
            turn=Part(1, 1.0, abstained=False),
            mirror=Part(value=True, probability=0.75, abstained=True),
        ),
        Prediction("body_region", "", reason=Abstention.MODEL_UNAVAILABLE, labels=()),
    ),
    irregularities={"1.2.3.1.1": (Irregularity("pixels-short", "ends early"),)},
    table_side="bottom",
)


def orientation(hypothesis: Hypothesis, confidence: float) -> Suggestion:
    change = Change(
        Scope.INSTANCE,
        Action.REPLACE,
        "ImageOrientationPatient",
        "00200037",
        "ImageOrientationPatient",
        "DS",
        ("1", "0", "0", "0", "1", "0"),
        ("-1", "0", "0", "0", "1", "0"),
        "1.2.3.1.1",
    )
    name = Change(
        Scope.SERIES,
        Action.ADD,
        "PatientName",
        "00100010",
        "PatientName",
        "PN",
        None,
        ({"Alphabetic": "A^B"}, 1, 2.5, None),
    )
    removal = attrs.evolve(name, action=Action.REMOVE, current=(), proposed=None)
    return Suggestion((change, name, removal), hypothesis, confidence, Display(90, "Y"))


TURNED = Finding(
    "GEOM-007",
    Topic.ORIENTATION,
    Severity.CRITICAL,
    Level.SERIES,
    "the pixels are mirrored \ud800",
    0.97,
    ("1.2.3.1.1",),
    {"axial_orientation": "5"},
    orientation(Hypothesis.IOP_WRONG, 0.9),
    (orientation(Hypothesis.FRAME_WRONG, 0.06), orientation(Hypothesis.PIXELS_TURNED, 0.04)),
)
GAP = Finding("GEOM-010", Topic.GEOMETRY, Severity.MINOR, Level.SERIES, "a slice is missing")
OUTCOMES = Outcomes(("A",), ("GEOM-007",), ("B",), (Unjudged("C", "no_pixels"),))


def flagged(*found: Finding, study: Verdict | None = None) -> Judgement:
    return Judgement(
        event=SeriesEvent.FLAG,
        verdict=Verdict(found, OUTCOMES),
        rule_pack="abc",
        models={"axial_orientation@0.1.0": "def"},
        study=study,
    )


def predicted(store: Store, now: datetime) -> Lease:
    """Settle and predict the one series; return the lease to judge it."""
    for arrival in series_rows.arrivals(store):
        assert series_rows.settle(store, arrival, now)
    lease = leases.claim(store, [SeriesState.SETTLED], TERMS, now)
    assert lease is not None
    assert result_rows.save_inference(store, lease, INFERENCE, now)
    lease = leases.claim(store, [SeriesState.PREDICTED], TERMS, now)
    assert lease is not None
    return lease


def found(store: Store, **wanted: Any) -> list[str]:
    rows = result_rows.finding_list(store, FindingFilter(**wanted), 100)
    return [row.finding.rule for row in rows]


def test_predictions_come_back_as_they_were(store: Store, sender: Any, at: At) -> None:
    record(store, sender.receipts(1), at(1))
    assert result_rows.result_of(store, KEY, 1) is None
    predicted(store, at(30))
    result = result_rows.result_of(store, KEY, 1)
    assert result is not None
    assert result.inference == INFERENCE
    assert (result.outcomes, result.judged_at, result.predicted_at) == (None, None, at(30))
    mirror = result.inference.predictions[0].mirror
    assert mirror is not None
    assert mirror.value is True
    assert result_rows.result_of(store, KEY, 2) is None


def test_a_verdict_comes_back_as_it_was(store: Store, sender: Any, at: At) -> None:
    record(store, sender.receipts(1), at(1))
    lease = predicted(store, at(30))
    assert result_rows.save_judgement(store, lease, flagged(TURNED, GAP), at(40))
    assert not result_rows.save_judgement(store, lease, flagged(), at(41))
    result = result_rows.result_of(store, KEY, 1)
    assert result is not None
    assert (result.outcomes, result.inference) == (OUTCOMES, INFERENCE)
    assert result.rule_pack == "abc"
    assert result_rows.verdict_of(store, lease.series_key, 1) == Verdict((TURNED, GAP), OUTCOMES)
    assert result.models == {"axial_orientation@0.1.0": "def"}
    assert (result.predicted_at, result.judged_at) == (at(30), at(40))
    listed = result_rows.finding_list(store, FindingFilter(), 10)
    assert [row.finding for row in listed] == [
        attrs.evolve(TURNED, suggestion=None, alternatives=()),
        GAP,
    ]
    assert [row.state for row in listed] == [SuggestionState.OPEN, None]
    assert (listed[0].series_key, listed[0].modality, listed[0].calling_ae) == (KEY, "CT", "CT1")
    assert (listed[0].study_instance_uid, listed[0].series_instance_uid) == ("1.2.3", "1.2.3.1")
    whole = result_rows.finding_row(store, listed[0].id)
    assert whole is not None
    assert whole.finding == TURNED
    bare = result_rows.finding_row(store, listed[1].id)
    assert bare == listed[1]
    assert result_rows.finding_row(store, 10**6) is None


def test_findings_are_listed_by_what_is_asked(store: Store, sender: Any, at: At) -> None:
    record(store, sender.receipts(1), at(1))
    study = Finding("STUDY-1", Topic.IDENTITY, Severity.MAJOR, Level.STUDY, "two patients")
    lease = predicted(store, at(30))
    judgement = flagged(GAP, TURNED, study=Verdict((study,), Outcomes()))
    assert result_rows.save_judgement(store, lease, judgement, at(40))
    assert found(store) == ["GEOM-007", "STUDY-1", "GEOM-010"]
    assert found(store, topics=(Topic.GEOMETRY, Topic.IDENTITY)) == ["STUDY-1", "GEOM-010"]
    assert found(store, severity_min=Severity.MAJOR) == ["GEOM-007", "STUDY-1"]
    assert found(store, rule="GEOM-010") == ["GEOM-010"]
    assert found(store, series_key=KEY) == ["GEOM-007", "GEOM-010"]
    assert found(store, study_instance_uid="1.2.3") == ["GEOM-007", "STUDY-1", "GEOM-010"]
    assert found(store, study_instance_uid="1.2.4") == []
    assert found(store, suggestion_states=(SuggestionState.OPEN,)) == ["GEOM-007"]
    assert found(store, since=at(41)) == []
    assert len(result_rows.finding_list(store, FindingFilter(), 2)) == 2


def test_findings_that_come_out_the_same_keep_their_ids_and_states(
    store: Store, sender: Any, at: At
) -> None:
    record(store, sender.receipts(1), at(1))
    assert result_rows.save_judgement(store, predicted(store, at(30)), flagged(TURNED, GAP), at(40))
    before = result_rows.finding_list(store, FindingFilter(), 10)
    with store.writing() as connection:
        deferred = SuggestionState.DEFERRED.value
        connection.execute(tables.suggestions.update().values(state=deferred))
    assert series_rows.recheck(store, SeriesFilter(), Operator("ana", at(50))) == (KEY,)
    other = attrs.evolve(GAP, message="two slices are missing")
    assert result_rows.save_judgement(
        store, predicted(store, at(60)), flagged(TURNED, other), at(70)
    )
    after = result_rows.finding_list(store, FindingFilter(), 10)
    assert after[0] == attrs.evolve(before[0], state=SuggestionState.DEFERRED)
    assert after[1].finding == other
    assert after[1].id > before[1].id
    assert series_rows.counts(store).suggestions == {SuggestionState.DEFERRED: 3}


def test_a_late_instance_takes_back_what_nobody_decided(store: Store, sender: Any, at: At) -> None:
    record(store, sender.receipts(1), at(1))
    assert result_rows.save_judgement(store, predicted(store, at(30)), flagged(TURNED), at(40))
    (row,) = result_rows.finding_list(store, FindingFilter(), 10)
    with store.writing() as connection:
        second = tables.suggestions.c.rank == 1
        rejected = tables.suggestions.update().where(second).values(state="rejected")
        connection.execute(rejected)
    record(store, sender.receipts(1), at(50))
    assert series_rows.counts(store).suggestions == {
        SuggestionState.SUPERSEDED: 2,
        SuggestionState.REJECTED: 1,
    }
    assert found(store) == []
    old = result_rows.finding_row(store, row.id)
    assert old is not None
    assert (old.revision, old.state) == (1, SuggestionState.SUPERSEDED)
    assert result_rows.save_judgement(store, predicted(store, at(90)), flagged(TURNED), at(95))
    (row,) = result_rows.finding_list(store, FindingFilter(), 10)
    assert (row.revision, row.state) == (2, SuggestionState.OPEN)


def test_what_is_said_of_a_study_is_replaced_as_a_whole(store: Store, sender: Any, at: At) -> None:
    record(store, sender.receipts(1), at(1))
    two = Finding("STUDY-1", Topic.IDENTITY, Severity.MAJOR, Level.STUDY, "two patients")
    lease = predicted(store, at(30))
    said = Verdict((two,), OUTCOMES)
    assert result_rows.save_judgement(store, lease, flagged(study=said), at(40))
    record(store, sender.receipts(1, "1.2.3.2"), at(50))
    lease = predicted(store, at(80))
    assert result_rows.save_judgement(store, lease, flagged(), at(81))
    assert found(store) == ["STUDY-1"]
    assert result_rows.study_outcomes(store, "1.2.3") == OUTCOMES
    record(store, sender.receipts(1, "1.2.3.3"), at(90))
    lease = predicted(store, at(120))
    nothing = Verdict((), Outcomes())
    assert result_rows.save_judgement(store, lease, flagged(study=nothing), at(121))
    assert found(store) == []
    assert result_rows.study_outcomes(store, "1.2.3") == Outcomes()


def test_a_verdict_without_predictions_is_kept_too(store: Store, sender: Any, at: At) -> None:
    record(store, sender.receipts(1), at(1))
    with store.writing() as connection:
        put = tables.series.update().values(state=SeriesState.PREDICTED.value)
        connection.execute(put)
    lease = leases.claim(store, [SeriesState.PREDICTED], TERMS, at(5))
    assert lease is not None
    passed = Judgement(event=SeriesEvent.PASS, verdict=Verdict((), OUTCOMES))
    assert result_rows.save_judgement(store, lease, passed, at(6))
    result = result_rows.result_of(store, KEY, 1)
    assert result is not None
    assert (result.inference, result.outcomes) == (None, OUTCOMES)
    (due,) = result_rows.reports_due(store, 10)
    assert (due.inference, due.verdict) == (Inference(), Verdict((), OUTCOMES))
    row = series_rows.series_row(store, KEY)
    assert row is not None
    assert row.state is SeriesState.CLEAN


@pytest.mark.parametrize("failing", ["findings", "suggestions"])
def test_a_step_that_breaks_in_the_middle_writes_nothing(
    store: Store, sender: Any, at: At, failing: str
) -> None:
    record(store, sender.receipts(1), at(1))
    lease = predicted(store, at(30))
    broken: dict[str, dict[str, Any]] = {
        "findings": {"severity": None},
        "suggestions": {"alternatives": (None,)},
    }
    trigger = attrs.evolve(TURNED, **broken[failing])
    with pytest.raises(AttributeError):
        result_rows.save_judgement(store, lease, flagged(GAP, trigger), at(40))
    row = series_rows.series_row(store, KEY)
    assert row is not None
    assert row.state is SeriesState.PREDICTED
    assert found(store) == []
    assert result_rows.save_judgement(store, lease, flagged(GAP), at(41))


def test_a_judgement_is_due_for_its_report_once(store: Store, sender: Any, at: At) -> None:
    record(store, sender.receipts(1), at(1))
    lease = predicted(store, at(30))
    assert result_rows.reports_due(store, 10) == ()
    assert result_rows.save_judgement(store, lease, flagged(TURNED), at(40))
    (due,) = result_rows.reports_due(store, 10)
    assert (due.series_key, due.verdict) == (lease.series_key, Verdict((TURNED,), OUTCOMES))
    result_rows.report_written(store, due)
    assert result_rows.reports_due(store, 10) == ()
