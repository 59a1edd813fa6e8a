"""What registered checks say beyond the cases of the shipped rules."""

from collections.abc import Mapping

import pytest
from attrs import evolve

from qa_daemon.geometry.orientation import CLASS_COSINES
from qa_daemon.records.finding import Severity
from qa_daemon.records.inference import Inference
from qa_daemon.records.instance import Instance, Located, Plane
from qa_daemon.records.prediction import Abstention, Prediction
from qa_daemon.records.series import Series
from qa_daemon.rules.checks import orientation
from qa_daemon.rules.checks.registry import SERIES_CHECKS, STUDY_CHECKS
from qa_daemon.rules.facts import (
    PASSED,
    Answer,
    Hit,
    NotApplicable,
    NotEvaluated,
    SeriesFacts,
    StudyFacts,
)
from qa_daemon.rules.prove import case_prediction, case_series
from qa_daemon.rules.schema import CaseSeries, Operand
from qa_daemon.series.assemble import assemble

CHEST = {"CHEST": 0.99}


def series_of(*instances: dict[str, Operand], **shared: Operand) -> Series:
    return case_series(CaseSeries(shared, instances))


def answer(check: str, series: Series, inference: Inference | None = None) -> Answer:
    return SERIES_CHECKS[check](SeriesFacts(series, inference or Inference()), {})


def hits(check: str, series: Series, inference: Inference | None = None) -> tuple[Hit, ...]:
    found = answer(check, series, inference)
    assert isinstance(found, tuple)
    return found


def iop(class_: int) -> tuple[Operand, ...]:
    return CLASS_COSINES[class_].values


def seen(turns: Mapping[str, float], regions: Mapping[str, float] | None = None) -> Inference:
    predictions = [case_prediction("axial_orientation", turns)]
    if regions is not None:
        predictions.append(case_prediction("body_region", regions))
    return Inference(tuple(predictions))


def test_classes_and_turns_are_told_in_words() -> None:
    (hit,) = hits(
        "image_orientation_agrees_with_pixels",
        series_of(ImageOrientationPatient=iop(0)),
        seen({"5": 0.999}, CHEST),
    )
    assert list(hit.evidence.values()) == [
        "0 (on the screen L is right, P is down)",
        "5 (on the screen P is right, L is down)",
        "5 (mirrored left to right, then turned by 90 degrees anti-clockwise)",
    ]


def enhanced(*orientations: tuple[str, ...] | None) -> Series:
    """Return a series of one multi-frame object with these orientations per frame."""
    instance = case_series(CaseSeries({"Modality": "CT"})).instances[0]
    planes = tuple(
        Plane(number, None if values is None else Located(f"F[{number}].X", "DS", values))
        for number, values in enumerate(orientations, start=1)
    )
    return assemble([evolve(instance, planes=planes, number_of_frames=len(planes))])


@pytest.mark.parametrize("expected", range(8))
@pytest.mark.parametrize("predicted", range(8))
def test_tag_and_pixels_are_compared_in_all_64_combinations(expected: int, predicted: int) -> None:
    found = hits(
        "image_orientation_agrees_with_pixels",
        series_of(ImageOrientationPatient=iop(expected)),
        seen({str(predicted): 0.999}, CHEST),
    )
    assert len(found) == (expected != predicted)
    if found:
        assert (
            found[0].evidence["class seen in the pixels"].startswith(f"{predicted} (on the screen")
        )
        mirrored = (expected >= 4) != (predicted >= 4)
        assert ("left and right exchanged" in found[0].message) == mirrored
        assert found[0].severity in {Severity.MAJOR, Severity.CRITICAL}


@pytest.mark.parametrize("region", ["HEAD", "NECK", "PELVIS", "LOWERLIMB"])
def test_a_mirror_is_not_believed_where_no_organ_shows_it(region: str) -> None:
    series = series_of(ImageOrientationPatient=iop(0))
    inference = seen({"4": 0.999}, {region: 0.99})
    assert hits("image_orientation_agrees_with_pixels", series, inference) == PASSED


def test_a_turn_is_believed_where_the_mirror_is_not() -> None:
    facts = SeriesFacts(
        series_of(ImageOrientationPatient=iop(4)), seen({"2": 0.99}, {"HEAD": 0.99})
    )
    compared = orientation.compared(facts)
    assert isinstance(compared, orientation.Comparison)
    assert (compared.predicted, compared.turn) == (6, 2)


def test_a_weak_mirror_counts_as_undecided() -> None:
    facts = SeriesFacts(series_of(ImageOrientationPatient=iop(0)), seen({"4": 0.95}))
    strict, lenient = (orientation.compared(facts, least) for least in (0.98, 0.9))
    assert isinstance(strict, orientation.Comparison)
    assert isinstance(lenient, orientation.Comparison)
    assert (strict.turn, lenient.turn) == (0, 4)


def test_slices_that_promise_different_classes_are_not_compared() -> None:
    series = series_of({"ImageOrientationPatient": iop(0)}, {"ImageOrientationPatient": iop(2)})
    for check in ("image_orientation_agrees_with_pixels",):
        assert isinstance(answer(check, series, seen({"0": 0.99})), NotEvaluated)


def test_one_stray_slice_in_ten_does_not_keep_the_series_from_being_compared() -> None:
    rows: list[dict[str, Operand]] = [
        {"ImageOrientationPatient": iop(0), "ImagePositionPatient": (0, 0, z)} for z in range(9)
    ]
    rows.append({"ImageOrientationPatient": (1, 0, 0, 0, 0, -1)})
    found = hits("image_orientation_agrees_with_pixels", series_of(*rows), seen({"2": 0.99}))
    assert len(found) == 1


def test_a_tag_that_cannot_be_read_promises_nothing() -> None:
    for values in ((1, 0), ("x",) * 6, None):
        series = series_of(ImageOrientationPatient=values)
        found = answer("image_orientation_agrees_with_pixels", series, seen({"2": 0.99}))
        assert isinstance(found, NotEvaluated)
    nothing = answer("image_orientation_agrees_with_pixels", series_of(Modality="CT"))
    assert isinstance(nothing, NotEvaluated)


def test_pixels_that_were_not_judged_are_told() -> None:
    silent = Prediction("axial_orientation", "m@1", reason=Abstention.LIMIT)
    found = answer(
        "image_orientation_agrees_with_pixels",
        series_of(ImageOrientationPatient=iop(0)),
        Inference((silent,)),
    )
    assert found == NotEvaluated("axial_orientation: limit")


def test_a_frame_without_orientation_is_told_with_its_count() -> None:
    good = ("1", "0", "0", "0", "1", "0")
    (hit,) = hits("image_orientation_present", enhanced(good, None, (), good))
    assert hit.message.endswith("(2 frames)")
    assert hits("image_orientation_present", enhanced(good, good)) == PASSED
    (bad,) = hits("image_orientation_readable", enhanced(good, good[:5]))
    assert "it needs six" in bad.message


def test_an_object_without_pixels_needs_no_orientation() -> None:
    instance = case_series(CaseSeries({"Modality": "SR"})).instances[0]
    series = assemble([evolve(instance, number_of_frames=0)])
    assert hits("image_orientation_present", series) == PASSED


def test_instances_without_plane_and_with_an_empty_one_are_named_together() -> None:
    series = series_of(
        {"SOPInstanceUID": "1.1"},
        {"SOPInstanceUID": "1.2", "ImageOrientationPatient": None},
        {"SOPInstanceUID": "1.3", "ImageOrientationPatient": iop(0)},
    )
    (hit,) = hits("image_orientation_present", series)
    assert hit.sop_instance_uids == ("1.1", "1.2")


def test_a_position_says_nothing_beside_an_oblique_or_unknown_orientation() -> None:
    check = "patient_position_agrees_with_orientation"
    for tags in (
        {"PatientPosition": "HFS"},
        {"PatientPosition": "SITTING", "ImageOrientationPatient": iop(0)},
        {"PatientPosition": "HFS", "ImageOrientationPatient": (1, 0, 0, 0, 0, -1)},
    ):
        assert isinstance(answer(check, series_of(**tags)), NotApplicable)


FIELD: dict[str, Operand] = {
    "Rows": 256,
    "Columns": 256,
    "PixelSpacing": (1, 1),
    "ImageOrientationPatient": (1, 0, 0, 0, 1, 0),
}


@pytest.mark.parametrize(
    ("position", "wrong"),
    [
        ((-128, 128, 0), "columns"),
        ((128, -128, 0), "rows"),
        ((-128, -128, 0), ""),
        ((128, 128, 0), ""),
        ((0, 0, 0), ""),
        ((-128, -2, 0), ""),
        ((300, 128, 0), ""),
    ],
)
def test_a_field_that_runs_away_from_the_isocentre_is_told(
    position: tuple[int, ...], wrong: str
) -> None:
    found = hits(
        "image_position_fits_orientation", series_of(ImagePositionPatient=position, **FIELD)
    )
    assert (f"the {wrong} run" in found[0].message) if wrong else found == PASSED


def test_a_small_field_may_lie_anywhere() -> None:
    small = {**FIELD, "PixelSpacing": (0.5, 0.5)}
    series = series_of(ImagePositionPatient=(-64, 64, 0), **small)
    assert hits("image_position_fits_orientation", series) == PASSED
    unplaced = series_of(ImageOrientationPatient=iop(0))
    assert isinstance(answer("image_position_fits_orientation", unplaced), NotApplicable)


def test_two_contents_under_one_uid_are_told_by_collision_or_by_irregularity() -> None:
    odd = case_series(CaseSeries({"SOPInstanceUID": "1.1"}, (), ("uid-reused",)))
    (hit,) = hits("uids_unique", odd)
    assert hit.sop_instance_uids == ("1.1",)


def test_attributes_that_some_instances_lack_are_told_with_those() -> None:
    series = series_of(
        {"SOPInstanceUID": "1.1", "StudyID": "1"},
        {"SOPInstanceUID": "1.2", "StudyID": None},
        {"SOPInstanceUID": "1.3"},
    )
    facts = SeriesFacts(series)
    filled = SERIES_CHECKS["attributes_filled"](facts, {"keywords": ("StudyID",)})
    present = SERIES_CHECKS["required_present"](facts, {})
    assert isinstance(filled, tuple)
    assert isinstance(present, tuple)
    assert filled[0].sop_instance_uids == ("1.2", "1.3")
    assert "StudyID" in present[0].message
    assert present[0].sop_instance_uids == ()
    assert SERIES_CHECKS["attributes_filled"](facts, {"keywords": ("SOPInstanceUID",)}) == PASSED


def test_a_pair_of_zeros_in_some_and_nonsense_in_other_instances_is_no_info() -> None:
    series = series_of(
        {"WindowCenter": 0, "WindowWidth": 0},
        {"WindowCenter": 40, "WindowWidth": -1},
        {"WindowCenter": "x", "WindowWidth": 4},
    )
    (hit,) = hits("window_usable", series)
    assert hit.severity is None


def test_the_instances_of_the_lesser_patient_are_named() -> None:
    one = case_series(
        CaseSeries({"PatientID": "A"}, ({"SOPInstanceUID": "1.1"}, {"SOPInstanceUID": "1.2"}), ()),
        1,
    )
    other = case_series(CaseSeries({"PatientID": "B", "SOPInstanceUID": "2.1"}), 2)
    found = STUDY_CHECKS["patient_identity_same"](StudyFacts((one, other)), {})
    assert isinstance(found, tuple)
    assert found[0].sop_instance_uids == ("2.1",)
    assert found[0].evidence == {"PatientID": "A | B"}


def test_a_colliding_instance_of_another_patient_is_told() -> None:
    instances: list[Instance] = []
    for patient in ("A", "B"):
        (instance,) = case_series(CaseSeries({"PatientID": patient})).instances
        instances.append(evolve(instance, digest=patient))
    found = STUDY_CHECKS["patient_identity_same"](StudyFacts((assemble(instances),)), {})
    assert isinstance(found, tuple)
    assert "PatientID" in found[0].message


def test_a_description_without_an_accepted_region_cannot_be_compared() -> None:
    series = series_of(StudyDescription="CT HEAD")
    assert isinstance(answer("description_agrees_with_region", series), NotEvaluated)
    limb = Inference((case_prediction("body_region", {"HAND": 0.99}),))
    assert hits("description_agrees_with_region", series, limb) == PASSED
