import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from qa_daemon.predict.calibrate import effective_count, pooled, sigmoid, softmax


@given(st.lists(st.floats(-50, 50), min_size=2, max_size=8), st.floats(0.3, 5))
def test_softmax_sums_to_one_and_keeps_the_order(logits: list[float], temperature: float) -> None:
    shares = softmax(np.asarray([logits]), temperature)[0]
    assert abs(shares.sum() - 1) < 1e-9
    assert shares[int(np.argmax(logits))] == shares.max()


def test_a_higher_temperature_is_less_sure() -> None:
    logits = np.asarray([[4.0, 0.0]])
    assert softmax(logits, 2.0)[0, 0] < softmax(logits, 1.0)[0, 0]
    assert sigmoid(logits, 2.0)[0, 0] < sigmoid(logits, 1.0)[0, 0]


def test_a_sigmoid_of_any_logit_is_a_probability() -> None:
    shares = sigmoid(np.asarray([[-1e30, 0.0, 1e30]], np.float32), 0.5)[0]
    assert 0 <= shares[0] < 1e-9
    assert shares[1] == 0.5
    assert 1 - 1e-9 < shares[2] <= 1


@given(st.integers(1, 500), st.floats(0.01, 1))
def test_correlated_slices_count_for_less_and_never_for_more_than_the_bound(
    count: int, correlation: float
) -> None:
    assert 1 - 1e-9 <= effective_count(count, correlation) <= min(count, 1 / correlation) + 1e-9


def test_no_slices_count_for_nothing() -> None:
    assert effective_count(0, 0.25) == 0.0


def test_agreeing_slices_raise_the_probability_and_one_dissenter_cannot_veto() -> None:
    sure = np.asarray([[0.9, 0.1]])
    alone, together = pooled(sure, 0.25)[0], pooled(np.repeat(sure, 6, axis=0), 0.25)[0]
    assert together > alone
    mixed = np.asarray([[0.97, 0.03]] * 6 + [[0.0, 1.0]])
    assert pooled(mixed, 0.25)[0] > 0.97
