import numpy as np
import pytest

from qa_daemon.pixels.inputs.displayed import OUTSIDE, displayed_tensor


def test_levels_stay_as_displayed_and_the_rest_is_no_level() -> None:
    square = displayed_tensor(np.full((100, 200), 0.25, np.float32), size=256)
    assert set(np.unique(square)) == {np.float32(0.25), np.float32(OUTSIDE)}
    assert (square == 0.25).sum() == 100 * 200


def test_a_long_picture_is_reduced_with_its_aspect() -> None:
    shown = np.full((1000, 400), 0.5, np.float32)
    square = displayed_tensor(shown, size=128)
    inside = square > 0
    assert inside.any(axis=1).sum() == 128
    assert inside.any(axis=0).sum() == pytest.approx(51, abs=1)


def test_what_is_no_number_is_black() -> None:
    shown = np.full((64, 64), np.nan, np.float32)
    assert displayed_tensor(shown, size=64).max() == 0.0
