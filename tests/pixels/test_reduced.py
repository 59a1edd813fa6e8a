import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from qa_daemon.pixels.reduced import Reduced, reduced


def read_back(made: Reduced) -> NDArray[np.float64]:
    return made.values.astype(np.float64) * made.slope + made.intercept


def test_a_small_picture_stays_as_it_is() -> None:
    grey = np.arange(-1000, 1000, dtype=np.float32).reshape(40, 50)
    made = reduced(grey, 160)
    assert (made.factor, made.slope) == (1.0, 1.0)
    assert np.array_equal(read_back(made), grey)


def test_a_large_one_fits_and_its_edges_keep_their_values() -> None:
    made = reduced(np.full((512, 256), -1000, np.float32), 160)
    assert made.values.shape == (160, 80)
    assert made.factor == pytest.approx(3.2)
    assert np.allclose(read_back(made), -1000)


def test_means_are_kept() -> None:
    grey = np.random.default_rng(0).normal(40, 200, (300, 400)).astype(np.float32)
    assert read_back(reduced(grey, 100)).mean() == pytest.approx(grey.mean(), abs=2)


LOW, SPAN, SIDE = st.floats(-1e6, 1e6, width=32), st.floats(0, 1e6, width=32), st.integers(1, 40)


@given(LOW, SPAN, SIDE, SIDE)
def test_any_range_is_held_within_a_step(low: float, span: float, rows: int, columns: int) -> None:
    grey = np.linspace(low, low + span, rows * columns, dtype=np.float32).reshape(rows, columns)
    made = reduced(grey, 1000)
    assert np.abs(read_back(made) - grey).max() <= made.slope + abs(low) * 1e-6
