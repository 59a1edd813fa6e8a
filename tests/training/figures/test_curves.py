import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa_daemon.training.figures.curves import (
    confusion,
    macro_f1,
    precision_recall,
    reliability,
    risk_coverage,
    roc,
)

TRUTH = np.asarray([True, True, False, True, False, False])
SHARES = np.asarray([0.9, 0.8, 0.7, 0.6, 0.2, 0.2])


def test_the_area_is_the_share_of_pairs_in_the_right_order() -> None:
    assert roc(TRUTH, SHARES).area == pytest.approx(8 / 9)
    assert roc(TRUTH, np.zeros(6)).area == pytest.approx(0.5)
    assert roc(TRUTH, TRUTH.astype(float)).area == 1.0


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 5)), min_size=2, max_size=40))
def test_the_area_agrees_with_counting_pairs(rows: list[tuple[bool, int]]) -> None:
    truth = np.asarray([row[0] for row in rows])
    share = np.asarray([row[1] / 5 for row in rows])
    if truth.all() or not truth.any():
        return
    ahead = share[truth][:, None] - share[~truth][None, :]
    assert roc(truth, share).area == pytest.approx(((ahead > 0) + 0.5 * (ahead == 0)).mean())


def test_average_precision_is_that_of_the_definition() -> None:
    assert precision_recall(TRUTH, SHARES).area == pytest.approx((1 + 1 + 3 / 4) / 3)


def test_confusion_and_macro_f1_leave_labels_out_that_do_not_occur() -> None:
    table = confusion([0, 0, 1, 1], [0, 1, 1, 1], 3)
    assert table.tolist() == [[1, 1, 0], [0, 2, 0], [0, 0, 0]]
    assert macro_f1(table) == pytest.approx((2 / 3 + 4 / 5) / 2)


def test_calibration_error_is_the_distance_of_belief_and_truth() -> None:
    right = np.asarray([True] * 6 + [False] * 4)
    assert reliability(right, np.full(10, 0.9)).error == pytest.approx(0.3)
    assert reliability(right, np.full(10, 0.6)).error == pytest.approx(0.0)
    assert reliability(right, np.ones(10)).count.tolist() == [10]


def test_risk_falls_where_sure_answers_are_right() -> None:
    curve = risk_coverage(np.asarray([False, True, True, True]), np.asarray([0.1, 0.9, 0.8, 0.7]))
    assert curve.up.tolist() == [0.0, 0.0, 0.0, 0.25]
    assert curve.across.tolist() == [0.25, 0.5, 0.75, 1.0]
