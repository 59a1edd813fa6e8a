import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa_daemon.training.figures.intervals import Said, threshold, wilson


@given(st.integers(1, 500), st.floats(0, 1))
def test_an_interval_holds_its_share(count: int, part: float) -> None:
    share, low, high = wilson(round(part * count), count)
    assert 0 <= low <= share <= high <= 1


def test_intervals_are_those_of_the_literature() -> None:
    assert wilson(0, 0) == [0.0, 0.0, 1.0]
    assert wilson(81, 263) == pytest.approx([0.3080, 0.2553, 0.3662], abs=2e-4)


def right(count: int) -> list[Said]:
    return [Said(0.99, is_wrong=False, patient=f"right {number}") for number in range(count)]


def test_the_threshold_lies_above_the_first_wrong_answer_too_many() -> None:
    wrong = [Said(share, is_wrong=True, patient=f"wrong {share}") for share in (0.98, 0.97, 0.96)]
    assert threshold(right(100) + wrong, 0.9) == pytest.approx(0.981)
    assert threshold(right(400) + wrong, 0.9) == pytest.approx(0.971)
    assert threshold(right(2000) + wrong, 0.9) == 0.9


def test_a_patient_of_many_slices_counts_once() -> None:
    stack = [Said(0.98, is_wrong=number == 0, patient="stack") for number in range(50)]
    assert threshold(right(100) + stack, 0.9) == 0.9


def test_no_threshold_goes_below_its_floor() -> None:
    assert threshold(right(10), 0.9) == 0.9
    assert threshold([Said(0.4, is_wrong=True, patient="low")], 0.9) == 0.9
