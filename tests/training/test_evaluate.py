import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa_daemon.training.evaluate import threshold, wilson


@given(st.integers(1, 500), st.floats(0, 1))
def test_an_interval_holds_its_share(count: int, part: float) -> None:
    share, low, high = wilson(round(part * count), count)
    assert 0 <= low <= share <= high <= 1


def test_intervals_are_those_of_the_literature() -> None:
    assert wilson(0, 0) == [0.0, 0.0, 1.0]
    assert wilson(81, 263) == pytest.approx([0.3080, 0.2553, 0.3662], abs=2e-4)


def test_the_threshold_lies_above_the_wrong_answers() -> None:
    said = [(0.99, False)] * 700 + [(0.97, True)] * 2 + [(0.96, False)] * 5
    assert threshold(said, 0.9) == pytest.approx(0.971)


def test_no_threshold_goes_below_its_floor_nor_is_one_found_among_wrong_answers() -> None:
    assert threshold([(0.5, False)] * 10, 0.9) == 0.9
    assert threshold([(0.99, True)] * 10, 0.9) == 1.0
    assert threshold([(0.95, False), (0.4, True)], 0.9) == 0.9
