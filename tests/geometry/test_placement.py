"""Equation (1) at the corners, on arrays, for any plane; the numbers of the handbook."""

from typing import Any, Final

import numpy as np
import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from qa_daemon.geometry.cosines import Cosines, Fault, Vector, dot
from qa_daemon.geometry.orientation import turned
from qa_daemon.geometry.placement import (
    Placement,
    frame_replaced,
    pixels_turned,
    read_position,
    read_spacing,
    turned_cosines,
)

HANDBOOK: Final = Placement(Cosines((1, 0, 0), (0, 1, 0)), (-179.2, -180, 100), 0.7, 0.7, 512, 512)


def vector(values: NDArray[Any]) -> Vector:
    return (float(values[0]), float(values[1]), float(values[2]))


@st.composite
def placements(draw: st.DrawFn) -> Placement:
    """Any plane in space, from a random rotation by a unit quaternion."""
    parts = [draw(st.floats(-1, 1)) for _ in range(3)]
    a, b, c, d = np.array([1.0, *parts]) / np.linalg.norm([1.0, *parts])
    row = np.array([1 - 2 * (c * c + d * d), 2 * (b * c + a * d), 2 * (b * d - a * c)])
    column = np.array([2 * (b * c - a * d), 1 - 2 * (b * b + d * d), 2 * (c * d + a * b)])
    spacing = st.floats(0.1, 5)
    size = st.integers(1, 6)
    return Placement(
        Cosines(vector(row), vector(column)),
        vector(np.array([draw(st.floats(-2000, 2000)) for _ in range(3)])),
        draw(spacing),
        draw(spacing),
        draw(size),
        draw(size),
    )


def points(placement: Placement) -> NDArray[Any]:
    """Where each voxel lies, shape (rows, columns, 3)."""
    return np.array(
        [[placement.point(r, c) for c in range(placement.columns)] for r in range(placement.rows)]
    )


@given(old=placements(), d=st.integers(0, 7))
def test_turned_pixels_keep_every_voxel_where_it_was(old: Placement, d: int) -> None:
    new = pixels_turned(old, d)
    assert np.allclose(points(new), turned(points(old), d), atol=1e-9)


@given(old=placements(), d=st.integers(0, 7))
def test_turned_pixels_keep_the_centre_and_a_mirror_reverses_the_normal(
    old: Placement, d: int
) -> None:
    new = pixels_turned(old, d)
    assert np.allclose(new.centre, old.centre, atol=1e-9)
    assert dot(new.cosines.normal, old.cosines.normal) == pytest.approx(1 if d < 4 else -1)


# S' of the handbook under H2 and Q S under H1b.
NUMBERS: Final = (
    ((-179.2, -180, 100), (-179.2, -180, 100)),
    ((178.5, -180, 100), (180, -179.2, 100)),
    ((178.5, 177.7, 100), (179.2, 180, 100)),
    ((-179.2, 177.7, 100), (-180, 179.2, 100)),
    ((178.5, -180, 100), (179.2, -180, -100)),
    ((-179.2, -180, 100), (-180, -179.2, -100)),
    ((-179.2, 177.7, 100), (-179.2, 180, -100)),
    ((178.5, 177.7, 100), (180, 179.2, -100)),
)


@pytest.mark.parametrize("d", range(8))
def test_positions_are_the_numbers_of_the_handbook(d: int) -> None:
    under_h2, under_h1b = NUMBERS[d]
    assert pixels_turned(HANDBOOK, d).position == pytest.approx(under_h2)
    assert frame_replaced(HANDBOOK.cosines, HANDBOOK.position, d, 0)[1] == pytest.approx(under_h1b)


@pytest.mark.parametrize("d", range(8))
def test_all_hypotheses_give_the_same_cosines_on_an_exact_slice(d: int) -> None:
    cosines = pixels_turned(HANDBOOK, d).cosines
    assert turned_cosines(HANDBOOK.cosines, d) == cosines
    assert frame_replaced(HANDBOOK.cosines, None, d, 0) == (cosines, None)


def test_a_tilt_changes_its_sign_against_the_patient_only_if_the_frame_was_wrong() -> None:
    c, s = np.cos(0.3), np.sin(0.3)
    placement = Placement(Cosines((1, 0, 0), (0, c, -s)), (0, 0, 0), 1, 1, 2, 2)
    assert pixels_turned(placement, 2).cosines.column == pytest.approx((0, -c, s))
    cosines, _ = frame_replaced(placement.cosines, placement.position, 2, 0)
    assert cosines.column == pytest.approx((0, -c, -s))


def test_wrong_cosines_alone_let_the_field_jump_by_a_whole_field() -> None:
    assert HANDBOOK.centre[0] == pytest.approx(-0.35)
    wrong = evolve(HANDBOOK, cosines=turned_cosines(HANDBOOK.cosines, 1))
    assert wrong.centre[0] == pytest.approx(-358, abs=0.1)
    assert HANDBOOK.field_mm == pytest.approx((358.4, 358.4))


@pytest.mark.parametrize(
    ("texts", "kind"),
    [
        ((), "ipp-missing"),
        (("",), "ipp-missing"),
        (("0", "0"), "ipp-invalid"),
        (("nan", "nan", "nan"), "ipp-invalid"),
        (("1e30", "0", "0"), "ipp-implausible"),
    ],
)
def test_a_position_that_cannot_be_used_says_why(texts: tuple[str, ...], kind: str) -> None:
    answer = read_position(texts)
    assert isinstance(answer, Fault)
    assert answer.kind == kind


@pytest.mark.parametrize(
    ("texts", "kind"),
    [
        ((), "pixel-spacing-missing"),
        (("0", "0"), "pixel-spacing-invalid"),
        (("-1", "1"), "pixel-spacing-invalid"),
        (("0,5", "0,5"), "pixel-spacing-invalid"),
        (("0.5",), "pixel-spacing-invalid"),
    ],
)
def test_a_spacing_that_cannot_be_used_says_why(texts: tuple[str, ...], kind: str) -> None:
    answer = read_spacing(texts)
    assert isinstance(answer, Fault)
    assert answer.kind == kind


def test_good_texts_are_read() -> None:
    assert read_position(("-125.0", " 0 ", "+5.8360586")) == (-125.0, 0.0, 5.8360586)
    assert read_spacing((".72916668653488", "1")) == (0.72916668653488, 1.0)
