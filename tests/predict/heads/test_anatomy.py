"""Regions corrected by their neighbours: what stands in its place stays, what does not goes."""

from typing import Final

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from qa_daemon.predict.heads.anatomy import ORDER, along_the_body

HEAD, NECK, CHEST, ABDOMEN, PELVIS, LOWERLIMB = range(6)
#: Ten slices of a trunk, head first, 40 mm apart.
TRUNK: Final = (NECK, CHEST, CHEST, CHEST, CHEST, ABDOMEN, ABDOMEN, ABDOMEN, PELVIS, PELVIS)
HEIGHTS: Final = np.linspace(400.0, 40.0, 10, dtype=np.float64)


def seen(regions: tuple[int, ...], sure: float = 0.95) -> NDArray[np.float64]:
    shares = np.full((len(regions), len(ORDER)), 0.01)
    shares[np.arange(len(regions)), regions] = sure
    return shares


def test_a_stack_in_its_order_keeps_its_regions() -> None:
    found = along_the_body(seen(TRUNK), HEIGHTS)
    assert tuple(found.argmax(axis=1)) == TRUNK
    assert found.max(axis=1).min() > 0.75


def test_one_slice_that_names_a_region_out_of_its_place_is_corrected() -> None:
    shares = seen(TRUNK)
    shares[6] = 0.01
    shares[6, HEAD] = 0.95
    found = along_the_body(shares, HEIGHTS)
    assert found[6, HEAD] < 0.1
    assert found[6].argmax() == ABDOMEN


def test_a_slice_between_two_regions_keeps_both() -> None:
    shares = seen(TRUNK)
    shares[4, ABDOMEN] = 0.9
    found = along_the_body(shares, HEIGHTS)
    assert found[4, CHEST] > 0.8
    assert found[4, ABDOMEN] > 0.6


@given(order=st.permutations(range(10)))
def test_the_order_of_the_instances_does_not_matter(order: list[int]) -> None:
    shares = seen(TRUNK, 0.7)
    straight = along_the_body(shares, HEIGHTS)
    assert along_the_body(shares[order], HEIGHTS[order]) == pytest.approx(straight[order])


def test_a_stack_whose_positions_run_the_wrong_way_keeps_its_regions_too() -> None:
    straight = along_the_body(seen(TRUNK), HEIGHTS)
    assert along_the_body(seen(TRUNK), -HEIGHTS) == pytest.approx(straight)


def test_two_slices_are_no_stack() -> None:
    shares = seen((HEAD, PELVIS))
    assert np.array_equal(along_the_body(shares, HEIGHTS[:2]), shares)


@given(
    shares=st.lists(st.lists(st.floats(0.0, 1.0), min_size=6, max_size=6), min_size=3, max_size=12)
)
def test_whatever_slices_say_the_answers_are_probabilities(shares: list[list[float]]) -> None:
    found = along_the_body(np.asarray(shares), np.linspace(0.0, 1.0, len(shares), dtype=np.float64))
    assert np.isfinite(found).all()
    assert ((found >= 0.0) & (found <= 1.0 + 1e-12)).all()
