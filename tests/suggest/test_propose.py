"""Whatever is proposed may be written, and makes the check pass that fired."""

from collections.abc import Mapping

import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from qa_daemon.geometry.orientation import CLASS_COSINES
from qa_daemon.records.finding import Finding, Hypothesis, Level, Suggestion
from qa_daemon.records.inference import Inference
from qa_daemon.records.prediction import Prediction
from qa_daemon.records.series import Series
from qa_daemon.rules.evaluate import judged
from qa_daemon.rules.facts import SeriesFacts
from qa_daemon.rules.prove import case_prediction, case_series, facts_of
from qa_daemon.rules.schema import CaseSeries, Operand, Outcome, RulePack, Suggest
from qa_daemon.suggest import propose as proposing
from qa_daemon.suggest.propose import JUDGED_BY_PIXELS, judge, judge_study, propose
from qa_daemon.suggest.values import applied, obeys_vr


def series_of(*instances: dict[str, Operand], **shared: Operand) -> Series:
    return case_series(CaseSeries(shared, instances))


def seen(**targets: Mapping[str, float]) -> Inference:
    return Inference(tuple(case_prediction(target, labels) for target, labels in targets.items()))


def of_rule(findings: tuple[Finding, ...], rule: str) -> Finding:
    (found,) = [finding for finding in findings if finding.rule == rule]
    return found


def assert_mended(
    pack: RulePack, series: Series, inference: Inference, finding: Finding
) -> Suggestion:
    assert finding.suggestion is not None
    for suggestion in (finding.suggestion, *finding.alternatives):
        for change in suggestion.changes:
            assert obeys_vr(change.vr, change.proposed or ())
        after = SeriesFacts(applied(series, suggestion.changes), inference)
        outcome = judged(pack.rules[finding.rule], after).outcome
        assert outcome in {Outcome.PASSED, Outcome.NOT_APPLICABLE}
    return finding.suggestion


def test_every_suggestion_of_every_case_makes_its_check_pass(shipped_pack: RulePack) -> None:
    proposed = 0
    for rule in shipped_pack.enabled:
        if rule.suggest is not None and rule.suggest.subject in JUDGED_BY_PIXELS:
            continue
        if rule.level is Level.VISIT:
            continue  # several series at once: tests/suggest/test_order.py
        for case in rule.cases:
            facts = facts_of(rule, case)
            for finding in judged(rule, facts).findings:
                if propose(rule, finding, facts).suggestion is None:
                    continue
                assert isinstance(facts, SeriesFacts)
                told = propose(rule, finding, facts)
                assert_mended(shipped_pack, facts.series, facts.inference, told)
                proposed += 1
    assert proposed > 10


STACK: tuple[dict[str, Operand], ...] = tuple(
    {"SOPInstanceUID": f"1.{z}", "InstanceNumber": z, "ImagePositionPatient": (-179.2, -180, 5 * z)}
    for z in range(3)
)


@given(
    expected=st.integers(0, 7),
    predicted=st.integers(0, 7),
    tilt=st.floats(-0.4, 0.4),
    spacing=st.sampled_from([("0.7", "0.7"), ("0.7", "0.9")]),
)
@settings(max_examples=40)
def test_a_corrected_orientation_agrees_with_the_pixels(
    shipped_pack: RulePack, expected: int, predicted: int, tilt: float, spacing: tuple[str, str]
) -> None:
    row, column = CLASS_COSINES[expected].row, CLASS_COSINES[expected].column
    length = (1 + tilt**2) ** 0.5
    tilted = (*column[:2], tilt) if column[1] else (*column[:2], 0.0)
    scale = length if column[1] else 1.0
    series = series_of(
        *STACK,
        Modality="CT",
        Rows=512,
        Columns=512,
        PixelSpacing=spacing,
        ImageOrientationPatient=(*row, *(f"{each / scale:.10f}" for each in tilted)),
    )
    inference = seen(axial_orientation={str(predicted): 0.999}, body_region={"CHEST": 0.99})
    findings = judge(series, inference, shipped_pack).findings
    told = [finding for finding in findings if finding.rule == "ORIENT-005"]
    assert len(told) == (expected != predicted)
    for finding in told:
        suggestion = assert_mended(shipped_pack, series, inference, finding)
        assert suggestion.hypothesis in set(Hypothesis)
        assert suggestion.display is not None
        concerned = {change.sop_instance_uid for change in suggestion.changes}
        assert {each.sop_instance_uid for each in series.instances} <= concerned | {None}


def test_a_body_part_is_proposed_for_the_whole_series(shipped_pack: RulePack) -> None:
    series = series_of(*STACK, Modality="CT", BodyPartExamined="KNEE")
    inference = seen(body_region={"CHEST": 0.99, "ABDOMEN": 0.98})
    finding = of_rule(judge(series, inference, shipped_pack).findings, "REGION-001")
    suggestion = assert_mended(shipped_pack, series, inference, finding)
    (change,) = suggestion.changes
    assert change.proposed == ("CHESTABDOMEN",)
    assert suggestion.confidence == finding.confidence
    assert suggestion.hypothesis is None


def test_what_was_seen_but_has_no_term_is_not_proposed(shipped_pack: RulePack) -> None:
    series = series_of(Modality="CT", BodyPartExamined="KNEE")
    inference = seen(body_region={"HEAD": 0.99, "NECK": 0.99, "CHEST": 0.99})
    finding = of_rule(judge(series, inference, shipped_pack).findings, "REGION-001")
    assert (finding.suggestion, finding.alternatives) == (None, ())


def test_instances_that_mean_different_things_are_not_made_to_say_one(
    shipped_pack: RulePack,
) -> None:
    series = series_of(
        {"PatientPosition": "hfs"}, {"PatientPosition": "ffs"}, {"PatientPosition": "HFS"}
    )
    finding = of_rule(judge(series, Inference(), shipped_pack).findings, "ORIENT-008")
    assert finding.suggestion is None
    alike = series_of({"PatientPosition": "hfs"}, {"PatientPosition": "HFS"})
    finding = of_rule(judge(alike, Inference(), shipped_pack).findings, "ORIENT-008")
    assert_mended(shipped_pack, alike, Inference(), finding)


def test_a_stack_that_runs_against_the_regions_is_evidence(shipped_pack: RulePack) -> None:
    series = series_of(
        *STACK,
        Modality="CT",
        Rows=512,
        Columns=512,
        PixelSpacing=("0.7", "0.7"),
        ImageOrientationPatient=(1, 0, 0, 0, 1, 0),
    )
    plain = seen(axial_orientation={"4": 0.999})
    direction = Prediction(
        "stack_direction", "m@1", label="reversed", probability=0.99, abstained=False
    )
    informed = evolve(plain, predictions=(*plain.predictions, direction))

    def likeliest(inference: Inference) -> Hypothesis | None:
        finding = of_rule(judge(series, inference, shipped_pack).findings, "ORIENT-005")
        assert finding.suggestion is not None
        return finding.suggestion.hypothesis

    assert likeliest(plain) is Hypothesis.PIXELS_TURNED
    assert likeliest(informed) is Hypothesis.FRAME_WRONG


def test_a_way_of_suggesting_that_breaks_leaves_the_finding(
    shipped_pack: RulePack, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_: Suggest, __: SeriesFacts, ___: Finding) -> tuple[str, ...]:
        raise ZeroDivisionError("DOE^JANE")

    monkeypatch.setitem(proposing.SOURCES, "upper_case", broken)
    finding = of_rule(
        judge(series_of(PatientPosition="hfs"), Inference(), shipped_pack).findings, "ORIENT-008"
    )
    assert finding.suggestion is None
    assert finding.evidence["suggestion"] == "could not be made (ZeroDivisionError)"


def test_a_constant_and_a_removal_can_be_proposed(shipped_pack: RulePack) -> None:
    rule = shipped_pack.rules["LATERALITY-001"]
    facts = SeriesFacts(series_of(Laterality="BOTH"))
    (finding,) = judged(rule, facts).findings
    for suggest, proposed in (
        (Suggest("replace", "Laterality", "series", "with", "R"), ("R",)),
        (Suggest("remove", "Laterality"), None),
    ):
        told = propose(evolve(rule, suggest=suggest), finding, facts)
        assert told.suggestion is not None
        assert told.suggestion.changes[0].proposed == proposed
    still_wrong = evolve(rule, suggest=Suggest("replace", "Laterality", "series", "with", "X"))
    assert propose(still_wrong, finding, facts).suggestion is None


def test_an_orientation_that_is_not_compared_gets_no_proposal(shipped_pack: RulePack) -> None:
    rule = shipped_pack.rules["ORIENT-005"]
    finding = Finding(rule.id, rule.topic, rule.severity, rule.level, "")
    facts = SeriesFacts(series_of(Modality="CT"))
    assert propose(rule, finding, facts).suggestion is None


def test_a_study_of_two_patients_is_told_once(shipped_pack: RulePack) -> None:
    one = case_series(CaseSeries({"PatientID": "A"}), 1)
    other = case_series(CaseSeries({"PatientID": "B"}), 2)
    (finding,) = judge_study((one, other), shipped_pack).findings
    assert finding.rule == "IDENTITY-002"
    assert finding.suggestion is None


def test_an_item_of_a_sequence_is_written_by_its_path(shipped_pack: RulePack) -> None:
    series = series_of(AccessionNumber="C3", RequestAttributesSequence=({"AccessionNumber": "A1"},))
    finding = of_rule(judge(series, seen(), shipped_pack).findings, "ORDER-006")
    assert_mended(shipped_pack, series, seen(), finding)
    assert finding.suggestion is not None
    (own,), ((other,),) = finding.suggestion.changes, [x.changes for x in finding.alternatives]
    assert (own.path, own.current, own.proposed) == ("AccessionNumber", ("C3",), ("A1",))
    assert other.path == "RequestAttributesSequence[1].AccessionNumber"
    assert (other.attribute, other.tag) == ("AccessionNumber", "00080050")
    assert (other.current, other.proposed) == (("A1",), ("C3",))


def test_what_most_images_say_is_proposed_for_the_others_with_its_count(
    shipped_pack: RulePack,
) -> None:
    rows: list[dict[str, Operand]] = [{"BodyPartExamined": part} for part in ("HAND",) * 3]
    series = series_of(*rows, {"BodyPartExamined": "FOOT"}, Modality="CR")
    finding = of_rule(judge(series, seen(), shipped_pack).findings, "REGION-013")
    assert_mended(shipped_pack, series, seen(), finding)
    assert finding.evidence["most images, BodyPartExamined"] == "HAND in 3 of 4"
    assert finding.suggestion is not None
    (change,) = finding.suggestion.changes
    assert (change.current, change.proposed) == (("FOOT",), ("HAND",))
    assert change.sop_instance_uid == series.instances[3].sop_instance_uid
