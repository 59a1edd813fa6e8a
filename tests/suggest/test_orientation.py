"""Corrected tags: exact values, every slice, the likeliest hypothesis first."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from qa_daemon.dicom.header import read_instance
from qa_daemon.geometry.cosines import Cosines, read_cosines
from qa_daemon.geometry.orientation import CLASS_COSINES, compose, expected_class, turned
from qa_daemon.limits import Limits
from qa_daemon.records.element import Element
from qa_daemon.records.finding import Hypothesis, Suggestion
from qa_daemon.records.instance import Instance, Located, Plane
from qa_daemon.records.series import Series
from qa_daemon.series.assemble import assemble
from qa_daemon.suggest.orientation import orientation_suggestions

H2: Final = Hypothesis.PIXELS_TURNED
H1A: Final = Hypothesis.IOP_WRONG
H1B: Final = Hypothesis.FRAME_WRONG

HEAD_FIRST: Final = "1\\0\\0\\0\\1\\0"


def located(path: str, text: str) -> Located:
    return Located(path, "DS", tuple(text.split("\\")))


def slice_at(
    height: float,
    orientation: str = HEAD_FIRST,
    position: str = "-179.2\\-180",
    spacing: str = "0.7\\0.7",
    patient_position: str = "HFS",
) -> Instance:
    plane = Plane(
        1,
        located("ImageOrientationPatient", orientation),
        located("ImagePositionPatient", f"{position}\\{height:g}"),
        located("PixelSpacing", spacing),
    )
    elements = {
        "Modality": Element("CS", ("CT",)),
        "Rows": Element("US", (512,)),
        "Columns": Element("US", (512,)),
        "FrameOfReferenceUID": Element("UI", ("1.2.9",)),
        "PatientPosition": Element("CS", (patient_position,)),
    }
    return Instance(
        study_instance_uid="1.2",
        series_instance_uid="1.2.3",
        sop_instance_uid=f"1.2.3.{height:g}",
        sop_class_uid="1.2.840.10008.5.1.4.1.1.2",
        transfer_syntax_uid="1.2.840.10008.1.2.1",
        elements=elements,
        planes=(plane,),
        number_of_frames=1,
        digest=f"{height}",
    )


def stack(*instances: Instance) -> Series:
    return assemble(instances or [slice_at(100), slice_at(105), slice_at(110)])


def numbers(suggestion: Suggestion, attribute: str, at: int = 0) -> list[float]:
    changes = [change for change in suggestion.changes if change.attribute == attribute]
    proposed = changes[at].proposed
    assert proposed is not None
    return [float(str(text)) for text in proposed]


def by_hypothesis(suggestions: Sequence[Suggestion]) -> dict[Hypothesis | None, Suggestion]:
    return {each.hypothesis: each for each in suggestions}


def truth(instance: Instance, d: int) -> tuple[list[float], list[float]]:
    """Cosines and position of T_d of the array, by turning the places of its voxels."""
    (plane,) = instance.planes
    assert plane.orientation
    assert plane.position
    assert plane.spacing
    iop, ipp, (dr, dc) = (
        np.array(place.values, dtype=float)
        for place in (plane.orientation, plane.position, plane.spacing)
    )
    rows, columns = (int(str(instance.elements[k].values[0])) for k in ("Rows", "Columns"))
    old = turned(np.moveaxis(np.indices((rows, columns)), 0, -1), d)

    def place(r: int, c: int) -> NDArray[np.float64]:
        old_r, old_c = old[r, c]
        return np.asarray(ipp + iop[:3] * old_c * dc + iop[3:] * old_r * dr)

    row, column = place(0, 1) - place(0, 0), place(1, 0) - place(0, 0)
    cosines = np.concatenate([row / np.linalg.norm(row), column / np.linalg.norm(column)])
    return list(cosines), list(place(0, 0))


@pytest.mark.shared
@pytest.mark.parametrize("d", range(1, 8))
@pytest.mark.parametrize("name", ["ct_chest_ffs_lidc0001", "ct_abdomen_ircad17"])
def test_turned_copies_of_real_series_get_their_true_orientation_and_position(
    shared_data: Path, name: str, d: int
) -> None:
    folder = shared_data / "dicom" / name
    series = assemble(
        [
            read_instance(path.read_bytes(), Limits())
            for path in sorted(folder.rglob("*"))
            if path.is_file()
        ]
    )
    suggestions = orientation_suggestions(series, d, 0.99)
    right = by_hypothesis(suggestions).get(H2) or suggestions[0]
    by_uid = {(change.sop_instance_uid, change.attribute): change for change in right.changes}
    assert len(by_uid) == 2 * len(series.instances)
    for instance in series.instances:
        for attribute, true in zip(
            ("ImageOrientationPatient", "ImagePositionPatient"), truth(instance, d), strict=True
        ):
            change = by_uid[instance.sop_instance_uid, attribute]
            assert change.proposed is not None
            assert [float(str(text)) for text in change.proposed] == pytest.approx(true, abs=1e-4)
    assert suggestions[0] is right


@pytest.mark.shared
def test_a_real_tilt_is_kept_by_turned_pixels_and_reversed_by_a_wrong_frame(
    shared_data: Path,
) -> None:
    folder = shared_data / "dicom" / "ct_head_tilt_ge"
    series = assemble(
        [read_instance(p.read_bytes(), Limits()) for p in folder.rglob("*") if p.is_file()]
    )
    told = by_hypothesis(orientation_suggestions(series, 2, 0.9))
    assert told[H2].changes[0].proposed == (
        "-1.0000000", "0.0000000", "0.0000000", "0.0000000", "-0.9483237", "0.3173047",
    )  # fmt: skip
    assert numbers(told[H1B], "ImageOrientationPatient")[3:] == [0, -0.9483237, -0.3173047]


@given(
    d=st.integers(1, 7),
    e=st.integers(0, 7),
    tilt=st.floats(-29, 29),
    spacing=st.tuples(st.floats(0.1, 5), st.floats(0.1, 5)),
)
def test_every_proposed_value_obeys_its_vr_and_still_promises_the_class_seen(
    d: int, e: int, tilt: float, spacing: tuple[float, float]
) -> None:
    c, s = np.cos(np.radians(tilt)), np.sin(np.radians(tilt))
    tilting = np.array([[1, 0, 0], [0, c, -s], [0, s, c]])
    exact = np.array([CLASS_COSINES[e].row, CLASS_COSINES[e].column], dtype=float)
    iop = "\\".join(repr(float(value)) for value in (exact @ tilting.T).ravel())
    series = stack(slice_at(100, iop, spacing=f"{spacing[0]!r}\\{spacing[1]!r}"))
    suggestions = orientation_suggestions(series, compose(d, e), 0.9)
    assert suggestions
    for suggestion in suggestions:
        for change in suggestion.changes:
            assert change.proposed is not None
            assert all(len(str(value)) <= 16 for value in change.proposed)
        six = numbers(suggestion, "ImageOrientationPatient")
        assert np.linalg.norm(six[:3]) == pytest.approx(1, abs=1e-4)
        assert np.linalg.norm(six[3:]) == pytest.approx(1, abs=1e-4)
        assert np.dot(six[:3], six[3:]) == pytest.approx(0, abs=1e-4)
        cosines = Cosines((six[0], six[1], six[2]), (six[3], six[4], six[5]))
        assert expected_class(cosines).value == compose(d, e)
    confidences = [suggestion.confidence or 0 for suggestion in suggestions]
    assert confidences == sorted(confidences, reverse=True)
    assert 0.899 <= sum(confidences) <= 0.9


def test_the_numbers_of_the_handbook_come_out_as_texts() -> None:
    told = by_hypothesis(orientation_suggestions(stack(), 1, 0.95))
    assert set(told) == {H2, H1A, H1B}
    assert [change.proposed for change in told[H2].changes[:2]] == [
        ("0", "1", "0", "-1", "0", "0"),
        ("178.5", "-180", "100"),
    ]
    assert [change.proposed for change in told[H1A].changes[:2]] == [
        ("0", "1", "0", "-1", "0", "0"),
        ("-179.2", "-180", "100"),
    ]
    assert [change.proposed for change in told[H1B].changes[:3]] == [
        ("0", "1", "0", "-1", "0", "0"),
        ("180", "-179.2", "100"),
        ("HFDR",),
    ]


def test_each_change_names_its_element_and_what_stood_there() -> None:
    changes = orientation_suggestions(stack(), 2, 0.95)[0].changes
    assert [change.sop_instance_uid for change in changes] == [
        uid for uid in ("1.2.3.100", "1.2.3.105", "1.2.3.110") for _ in range(2)
    ]
    orientation, position = changes[:2]
    assert (orientation.tag, orientation.vr, orientation.path) == (
        "00200037",
        "DS",
        "ImageOrientationPatient",
    )
    assert orientation.current == ("1", "0", "0", "0", "1", "0")
    assert (position.tag, position.current) == ("00200032", ("-179.2", "-180", "100"))


def test_the_screen_is_turned_back_by_what_the_pixels_were_turned() -> None:
    def shown(predicted: int) -> tuple[int, str]:
        display = orientation_suggestions(stack(), predicted, 0.9)[0].display
        assert display is not None
        return display.image_rotation, display.image_horizontal_flip

    # One quarter counter-clockwise is undone by one clockwise.
    assert shown(1) == (90, "N")
    assert shown(3) == (270, "N")
    assert shown(4) == (0, "Y")
    assert shown(6) == (180, "Y")


def test_unequal_spacing_changes_sides_on_odd_turns_of_the_pixels_only() -> None:
    series = stack(slice_at(100, spacing="0.7\\1.40"))
    told = by_hypothesis(orientation_suggestions(series, 3, 0.9))
    (spacing,) = [change for change in told[H2].changes if change.attribute == "PixelSpacing"]
    assert spacing.proposed == ("1.40", "0.7")
    assert spacing.tag == "00280030"
    for hypothesis in (H1A, H1B):
        assert all(change.attribute != "PixelSpacing" for change in told[hypothesis].changes)
    even = by_hypothesis(orientation_suggestions(series, 2, 0.9))[H2]
    assert all(change.attribute != "PixelSpacing" for change in even.changes)


def test_an_odd_turn_of_an_oblong_array_counts_by_the_old_rows_and_columns() -> None:
    old = slice_at(100, spacing="0.5\\2")
    old = evolve(old, elements={**old.elements, "Rows": Element("US", (100,))})
    # Turned once the file has 512 rows of 100; the tag still speaks of 100 rows of 512.
    new = evolve(
        old,
        elements={
            **old.elements,
            "Rows": Element("US", (512,)),
            "Columns": Element("US", (100,)),
        },
    )
    cosines, position = truth(old, 1)
    told = by_hypothesis(orientation_suggestions(stack(new), 1, 0.9))[H2]
    assert numbers(told, "ImageOrientationPatient") == pytest.approx(cosines)
    assert numbers(told, "ImagePositionPatient") == pytest.approx(position)


def test_a_transposition_is_the_same_under_two_hypotheses_and_told_once() -> None:
    told = by_hypothesis(orientation_suggestions(stack(), 5, 0.9))
    assert set(told) == {H2, H1B}


def test_nothing_is_suggested_where_tag_and_pixels_agree_or_the_tag_is_not_axial() -> None:
    assert orientation_suggestions(stack(), 0, 0.9) == ()
    assert orientation_suggestions(stack(slice_at(1, "1\\0\\0\\0\\0\\-1")), 3, 0.9) == ()
    assert orientation_suggestions(stack(slice_at(1, "1\\0\\0")), 3, 0.9) == ()


def test_a_slice_of_another_orientation_gets_no_change() -> None:
    series = stack(slice_at(100), slice_at(105), slice_at(110, "0\\1\\0\\-1\\0\\0"))
    for suggestion in orientation_suggestions(series, 2, 0.9):
        assert {change.sop_instance_uid for change in suggestion.changes} == {
            "1.2.3.100",
            "1.2.3.105",
        }


def test_of_a_localiser_the_axial_slices_are_corrected() -> None:
    series = stack(
        slice_at(1, "1\\0\\0\\0\\0\\-1"), slice_at(2, "1\\0\\0\\0\\0\\-1"), slice_at(100)
    )
    (uids,) = {
        tuple({change.sop_instance_uid for change in suggestion.changes})
        for suggestion in orientation_suggestions(series, 2, 0.9)
    }
    assert uids == ("1.2.3.100",)


def first(predicted: int, series: Series | None = None, **evidence: object) -> Hypothesis | None:
    told = orientation_suggestions(series or stack(), predicted, 0.9, **evidence)  # type: ignore[arg-type]  # evidence by name
    return told[0].hypothesis


def test_without_evidence_turned_pixels_come_first() -> None:
    assert first(2) is H2


def test_a_table_at_the_bottom_says_that_the_pixels_are_as_acquired() -> None:
    assert first(2, table_side="bottom") is H1B


def test_a_table_that_turned_along_says_that_the_pixels_were_turned() -> None:
    told = orientation_suggestions(stack(), 1, 0.9, table_side="right")
    assert told[0].hypothesis is H2
    assert (told[0].confidence or 0) > 0.7


@pytest.mark.parametrize("side", ["left", None])
def test_a_table_elsewhere_says_nothing(side: str | None) -> None:
    assert orientation_suggestions(stack(), 1, 0.9, table_side=side) == orientation_suggestions(
        stack(), 1, 0.9
    )


def test_a_mirror_leaves_the_table_at_the_bottom_and_says_nothing() -> None:
    assert first(4, table_side="bottom") is H2


def test_regions_against_z_say_that_the_frame_is_wrong_if_the_picture_is_mirrored() -> None:
    assert first(4, stack_direction="reversed") is H1B
    agreeing = by_hypothesis(orientation_suggestions(stack(), 4, 0.9, stack_direction="agrees"))
    assert (agreeing[H1B].confidence or 0) < 0.1
    assert orientation_suggestions(stack(), 2, 0.9, stack_direction="reversed") == (
        orientation_suggestions(stack(), 2, 0.9)
    )


def test_a_field_that_lies_far_as_tagged_and_centred_as_corrected_had_a_wrong_orientation() -> None:
    # Position as sent by the scanner, cosines overwritten by those of another series.
    series = stack(slice_at(100, "-1\\0\\0\\0\\-1\\0"))
    assert first(0, series) is H1A


def test_other_series_of_the_frame_tell_where_the_field_lies() -> None:
    # A small field off the centre; both its orientations lie about as far from the isocentre.
    def small(orientation: str) -> Series:
        return stack(slice_at(100, orientation, position="75\\0", spacing="0.3\\0.3"))

    sibling = evolve(
        stack(slice_at(100, position="75\\0", spacing="0.3\\0.3")), series_instance_uid="1.2.4"
    )
    wrong = small("-1\\0\\0\\0\\-1\\0")
    with_sibling = by_hypothesis(orientation_suggestions(wrong, 0, 0.9, siblings=[sibling]))
    alone = by_hypothesis(orientation_suggestions(wrong, 0, 0.9))
    assert (with_sibling[H1A].confidence or 0) > (alone[H1A].confidence or 0)
    elsewhere = assemble(
        [
            evolve(
                instance,
                elements={**instance.elements, "FrameOfReferenceUID": Element("UI", ("1.9",))},
            )
            for instance in sibling.instances
        ]
    )
    apart = evolve(elsewhere, series_instance_uid="1.2.4")
    assert by_hypothesis(orientation_suggestions(wrong, 0, 0.9, siblings=[apart])) == alone


def test_a_patient_position_that_is_no_recumbent_term_is_left_alone() -> None:
    for term in ("", "XYZ", "LFP"):
        series = stack(slice_at(100, patient_position=term))
        changes = by_hypothesis(orientation_suggestions(series, 2, 0.9))[H1B].changes
        assert {change.attribute for change in changes} == {
            "ImageOrientationPatient",
            "ImagePositionPatient",
        }


def test_without_spacing_turned_pixels_cannot_be_placed_and_are_not_told() -> None:
    instance = slice_at(100)
    bare = evolve(instance, planes=(evolve(instance.planes[0], spacing=None),))
    assert set(by_hypothesis(orientation_suggestions(stack(bare), 2, 0.9))) == {H1A, H1B}


def test_without_position_the_orientation_is_corrected_alone() -> None:
    instance = slice_at(100)
    bare = evolve(instance, planes=(evolve(instance.planes[0], position=None),))
    for suggestion in orientation_suggestions(stack(bare), 2, 0.9):
        assert "ImagePositionPatient" not in {change.attribute for change in suggestion.changes}


def test_cosines_that_are_slightly_off_are_mended_on_the_way() -> None:
    series = stack(slice_at(100, "1\\0\\0\\0\\0.9995\\0"), slice_at(105, "1\\0\\0\\0\\0.9995\\0"))
    told = by_hypothesis(orientation_suggestions(series, 2, 0.9))[H2]
    assert numbers(told, "ImageOrientationPatient") == [-1, 0, 0, 0, -1, 0]
    parallel = read_cosines(("1", "0", "0", "1", "0", "0"))
    assert isinstance(parallel, Cosines)
    assert orientation_suggestions(stack(slice_at(1, "1\\0\\0\\1\\0\\0")), 2, 0.9) == ()


def multi_frame() -> Instance:
    shared = "SharedFunctionalGroupsSequence[1]."
    orientation = located(
        f"{shared}PlaneOrientationSequence[1].ImageOrientationPatient", HEAD_FIRST
    )
    spacing = located(f"{shared}PixelMeasuresSequence[1].PixelSpacing", "0.7\\0.8")
    return evolve(
        slice_at(0),
        planes=tuple(
            Plane(
                frame,
                orientation,
                located(
                    f"PerFrameFunctionalGroupsSequence[{frame}]."
                    "PlanePositionSequence[1].ImagePositionPatient",
                    f"-179.2\\-180\\{5 * frame}",
                ),
                spacing,
            )
            for frame in (1, 2, 3)
        ),
        number_of_frames=3,
    )


def test_frames_are_corrected_in_the_groups_where_their_values_stand() -> None:
    told = by_hypothesis(orientation_suggestions(stack(multi_frame()), 1, 0.9))[H2]
    assert [change.path for change in told.changes] == [
        "SharedFunctionalGroupsSequence[1].PlaneOrientationSequence[1].ImageOrientationPatient",
        "PerFrameFunctionalGroupsSequence[1].PlanePositionSequence[1].ImagePositionPatient",
        "SharedFunctionalGroupsSequence[1].PixelMeasuresSequence[1].PixelSpacing",
        "PerFrameFunctionalGroupsSequence[2].PlanePositionSequence[1].ImagePositionPatient",
        "PerFrameFunctionalGroupsSequence[3].PlanePositionSequence[1].ImagePositionPatient",
    ]
    assert told.changes[0].attribute == "ImageOrientationPatient"
    assert told.changes[-1].proposed == ("229.6", "-180", "15")
