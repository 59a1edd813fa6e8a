import numpy as np
import pytest

from qa_daemon.training.evaluation import results
from qa_daemon.training.evaluation.results import Told
from qa_daemon.training.recipe import Kind

RANDOM = np.random.default_rng(5)
TRUTH = np.eye(3, dtype=bool)[RANDOM.integers(3, size=400)]
LOGITS = (TRUTH * 2.0 + RANDOM.normal(0, 1, TRUTH.shape)).astype(np.float32)
LABELS = ("AP", "PA", "LATERAL")


def told(logits: np.ndarray, truth: np.ndarray, kind: Kind = Kind.SINGLE) -> Told:
    groups = tuple(f"p{number // 2}" for number in range(len(truth)))
    return Told(results.shares_at(logits, 1.0, truth.shape[1], kind), truth, groups)


def test_figures_of_single_labels() -> None:
    found = results.figures(told(LOGITS, TRUTH), LABELS, Kind.SINGLE)
    assert (found["n"], found["patients"]) == (400, 200)
    right = (LOGITS.argmax(axis=1) == TRUTH.argmax(axis=1)).mean()
    assert found["best label right"][0] == pytest.approx(right, abs=1e-4)  # type: ignore[index]
    assert set(found["AUC by label"]) == set(LABELS)  # type: ignore[call-overload]
    assert "labels exactly right" not in found


def test_figures_of_several_labels() -> None:
    both = TRUTH | np.roll(TRUTH, 1, axis=1)
    found = results.figures(told(LOGITS, both, Kind.MULTI), LABELS, Kind.MULTI)
    exact = ((LOGITS >= 0) == both).all(axis=1).mean()
    assert found["labels exactly right"][0] == pytest.approx(exact, abs=1e-4)  # type: ignore[index]


def test_the_surest_err_less() -> None:
    found = results.surest(told(LOGITS, TRUTH))
    assert found["wrong among the surest 80%"][0] < found["wrong among the surest 90%"][0]  # type: ignore[index]


def test_the_temperature_cools_what_is_too_sure() -> None:
    one = results.temperature([LOGITS * 2], [TRUTH], Kind.SINGLE)
    sure = results.temperature([LOGITS * 4], [TRUTH], Kind.SINGLE)
    assert sure == pytest.approx(2 * one, rel=0.06)


def test_of_several_right_labels_the_one_that_was_said_has_its_row() -> None:
    truth = np.asarray([[True, True, False], [True, False, False], [False, False, False]])
    logits = np.asarray([[0, 5, 0], [0, 0, 5], [5, 0, 0]], np.float32)
    assert results.table(told(logits, truth)).tolist() == [[0, 0, 1], [0, 1, 0], [0, 0, 0]]


def test_a_label_that_all_or_none_have_gets_no_curve() -> None:
    truth = np.asarray([[True, False, True], [True, False, False]])
    found = results.rocs(told(np.zeros((2, 3), np.float32), truth))
    assert set(found) == set(results.precisions(told(np.zeros((2, 3), np.float32), truth))) == {2}


def test_outputs_that_stand_for_none_of_the_labels_are_set_aside() -> None:
    wide = np.hstack([LOGITS, np.full((400, 1), 3.0, np.float32)])
    assert np.allclose(
        results.shares_at(wide, 1.0, 3, Kind.SINGLE), results.shares_at(LOGITS, 1.0, 3, Kind.SINGLE)
    )
