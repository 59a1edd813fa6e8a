"""The eight classes against arrays, numbers of the handbook and each other."""

from typing import Final

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa_daemon.geometry.cosines import Cosines
from qa_daemon.geometry.orientation import (
    CLASS_BOTTOM_SIDES,
    CLASS_COSINES,
    CLASS_PATIENT_POSITIONS,
    PLANE_CLASS_COSINES,
    compose,
    display,
    expected_class,
    frame_turn,
    inverse,
    keeping_mirror,
    patient_position_turned,
    turn_between,
    turned,
)
from qa_daemon.geometry.placement import turned_cosines
from qa_daemon.geometry.planes import BodyPlane, body_plane
from qa_daemon.records.prediction import Abstention

CLASSES: Final = st.integers(0, 7)
PLANES: Final = st.sampled_from([BodyPlane.AXIAL, BodyPlane.SAGITTAL, BodyPlane.CORONAL])
PICTURE: Final = np.arange(12).reshape(3, 4)


@pytest.mark.parametrize("g", range(8))
@pytest.mark.parametrize("h", range(8))
def test_a_composed_class_turns_an_array_as_its_parts_do_in_turn(g: int, h: int) -> None:
    assert np.array_equal(turned(turned(PICTURE, h), g), turned(PICTURE, compose(g, h)))


@pytest.mark.parametrize("g", range(8))
def test_the_inverse_gives_the_array_back(g: int) -> None:
    assert np.array_equal(turned(turned(PICTURE, g), inverse(g)), PICTURE)


def test_flipping_up_down_and_transposing_have_their_numbers() -> None:
    assert np.array_equal(turned(PICTURE, 6), np.flipud(PICTURE))
    assert np.array_equal(turned(PICTURE, 5), PICTURE.T)
    assert np.array_equal(turned(PICTURE, 7), np.rot90(PICTURE, 2).T)


@given(predicted=CLASSES, expected=CLASSES)
def test_the_turn_between_leads_from_the_expected_to_the_predicted(
    predicted: int, expected: int
) -> None:
    assert compose(turn_between(predicted, expected), expected) == predicted


@pytest.mark.parametrize("g", range(8))
def test_each_row_of_the_class_table_expects_its_own_class(g: int) -> None:
    answer = expected_class(CLASS_COSINES[g])
    assert answer.value == g
    assert answer.margin == 2


@given(plane=PLANES, g=CLASSES)
def test_each_plane_expects_the_class_of_its_own_table(plane: BodyPlane, g: int) -> None:
    exact = PLANE_CLASS_COSINES[plane][g]
    assert body_plane(exact.normal) is plane
    assert expected_class(exact, plane).value == g


@given(plane=PLANES, d=CLASSES, e=CLASSES)
def test_each_table_turns_as_the_correction_of_cosines_does(
    plane: BodyPlane, d: int, e: int
) -> None:
    table = PLANE_CLASS_COSINES[plane]
    assert turned_cosines(table[e], d) == table[compose(d, e)]


def test_a_sagittal_head_with_its_face_to_the_left_is_class_zero() -> None:
    row_to_posterior = Cosines((0.0, 1.0, 0.0), (0.0, 0.0, -1.0))
    assert expected_class(row_to_posterior, BodyPlane.SAGITTAL).value == 0
    row_to_anterior = Cosines((0.0, -1.0, 0.0), (0.0, 0.0, -1.0))
    assert expected_class(row_to_anterior, BodyPlane.SAGITTAL).value == 4


def test_a_slice_of_another_plane_has_no_class_in_this_one() -> None:
    coronal = PLANE_CLASS_COSINES[BodyPlane.CORONAL][0]
    assert expected_class(coronal, BodyPlane.SAGITTAL).why_not is Abstention.NOT_APPLICABLE
    assert expected_class(coronal).why_not is Abstention.NOT_AXIAL


@given(d=CLASSES, e=CLASSES)
def test_the_class_table_turns_as_the_correction_of_cosines_does(d: int, e: int) -> None:
    assert turned_cosines(CLASS_COSINES[e], d) == CLASS_COSINES[compose(d, e)]


@pytest.mark.parametrize("k", range(8))
def test_what_lies_below_moves_to_the_side_of_the_table(k: int) -> None:
    picture = np.zeros((5, 5))
    picture[-1] = 1
    ends = {"top": (0, 2), "bottom": (4, 2), "left": (2, 0), "right": (2, 4)}
    assert turned(picture, k)[ends[CLASS_BOTTOM_SIDES[k]]] == 1


@given(g=CLASSES)
def test_rotation_clockwise_then_flip_shows_the_same_as_the_class(g: int) -> None:
    pair = display(g)
    shown = np.rot90(PICTURE, -(pair.image_rotation // 90))
    if pair.image_horizontal_flip == "Y":
        shown = np.fliplr(shown)
    assert np.array_equal(shown, turned(PICTURE, g))


@given(turn=st.integers(0, 3), expected=CLASSES)
def test_an_undecided_mirror_stays_as_tagged(turn: int, expected: int) -> None:
    kept = keeping_mirror(turn, expected)
    assert kept % 4 == turn
    assert (kept >= 4) == (expected >= 4)
    assert turn_between(kept, expected) < 4


def in_plane(degrees: float) -> Cosines:
    a = np.radians(degrees)
    return Cosines((np.cos(a), np.sin(a), 0), (-np.sin(a), np.cos(a), 0))


@pytest.mark.parametrize(("degrees", "value"), [(0, 0), (34, 0), (56, 1), (124, 1), (180, 2)])
def test_a_rotation_inside_the_plane_is_told_up_to_35_degrees(degrees: float, value: int) -> None:
    assert expected_class(in_plane(degrees)).value == value


def test_between_two_classes_the_tag_decides_nothing() -> None:
    answer = expected_class(in_plane(45))
    assert answer.value is None
    assert answer.why_not is Abstention.LOW_PROBABILITY
    assert answer.margin == pytest.approx(0, abs=1e-12)


def tilted(degrees: float) -> Cosines:
    a = np.radians(degrees)
    return Cosines((1, 0, 0), (0, np.cos(a), -np.sin(a)))


def test_a_gantry_tilt_of_30_degrees_is_axial_still_and_keeps_the_margin_of_the_chapter() -> None:
    answer = expected_class(tilted(30))
    assert answer.value == 0
    assert answer.margin == pytest.approx(1.732, abs=1e-3)


@pytest.mark.parametrize("degrees", [30.1, 60, 90])
def test_a_steeper_slice_is_not_axial(degrees: float) -> None:
    answer = expected_class(tilted(degrees))
    assert answer.value is None
    assert answer.why_not is Abstention.NOT_AXIAL


def test_parallel_directions_have_no_class() -> None:
    assert expected_class(Cosines((1, 0, 0), (1, 0, 0))).why_not is Abstention.NOT_AXIAL


# Q of the handbook's table for a tag of class 0.
Q_FOR_CLASS_0: Final = (
    np.diag([1, 1, 1]),
    np.array([[0, -1, 0], [1, 0, 0], [0, 0, 1]]),
    np.diag([-1, -1, 1]),
    np.array([[0, 1, 0], [-1, 0, 0], [0, 0, 1]]),
    np.diag([-1, 1, -1]),
    np.array([[0, 1, 0], [1, 0, 0], [0, 0, -1]]),
    np.diag([1, -1, -1]),
    np.array([[0, -1, 0], [-1, 0, 0], [0, 0, -1]]),
)


@pytest.mark.parametrize("d", range(8))
def test_the_turn_of_the_patient_frame_is_that_of_the_handbook(d: int) -> None:
    assert np.array_equal(np.array(frame_turn(d, 0)), Q_FOR_CLASS_0[d])


@given(d=CLASSES, e=CLASSES)
def test_the_patient_frame_turns_without_mirroring(d: int, e: int) -> None:
    q = np.array(frame_turn(d, e))
    assert np.linalg.det(q) == pytest.approx(1)
    assert np.array_equal(q @ q.T, np.eye(3))
    assert np.array_equal(q @ CLASS_COSINES[e].row, CLASS_COSINES[compose(d, e)].row)
    assert np.array_equal(q @ CLASS_COSINES[e].column, CLASS_COSINES[compose(d, e)].column)


def test_a_wrong_frame_names_the_position_that_was_meant() -> None:
    assert patient_position_turned("HFS", 2, 0) == "HFP"
    assert patient_position_turned("HFS", 4, 0) == "FFS"
    # FFS drawn with the patient's left on screen right, as many scanners do.
    assert patient_position_turned("FFS", 2, 0) == "FFP"
    assert patient_position_turned("LFP", 2, 0) is None
    assert patient_position_turned("", 2, 0) is None


@given(d=CLASSES, e=CLASSES, position=st.sampled_from(CLASS_PATIENT_POSITIONS))
def test_correcting_a_frame_back_names_the_entered_position_again(
    d: int, e: int, position: str
) -> None:
    there = patient_position_turned(position, d, e)
    assert there is not None
    assert patient_position_turned(there, inverse(d), compose(d, e)) == position
