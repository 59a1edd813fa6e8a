"""From answers to the figures of a report. Pure.

In: probabilities of a model or a baseline, and the truth. Out: figures, and the curves to draw.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeAlias

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from qa_daemon.predict.calibrate import sigmoid, softmax
from qa_daemon.training.figures import curves
from qa_daemon.training.figures.calibration import TEMPERATURES
from qa_daemon.training.figures.intervals import wilson
from qa_daemon.training.recipe import Figures, Kind

Numbers: TypeAlias = NDArray[np.float64]
#: Shares of all pictures, the surest first, of which the share of wrong answers is told.
COVERAGES: Final = (0.8, 0.9)


@frozen(eq=False)
class Told:
    """Answers to some pictures: probabilities and truth, shape (n, labels); groups, shape (n,)."""

    shares: Numbers
    truth: NDArray[np.bool_]
    groups: tuple[str, ...]

    @property
    def best(self) -> NDArray[np.intp]:
        """The most probable label of each, shape (n,)."""
        return np.asarray(self.shares.argmax(axis=1), np.intp)

    @property
    def right(self) -> NDArray[np.bool_]:
        """Whether it is a right one, shape (n,)."""
        return np.asarray(self.truth[np.arange(len(self.best)), self.best], bool)

    @property
    def sure(self) -> Numbers:
        """The probability of it, shape (n,)."""
        return np.asarray(self.shares.max(axis=1), np.float64)


def joined(parts: Sequence[Told]) -> Told:
    """Return the answers of several folds as one."""
    return Told(
        np.concatenate([part.shares for part in parts]),
        np.concatenate([part.truth for part in parts]),
        tuple(group for part in parts for group in part.groups),
    )


def shares_at(logits: NDArray[np.float32], temperature: float, labels: int, kind: Kind) -> Numbers:
    """Return probabilities of the labels; what stands for none of them is set aside."""
    if kind is Kind.MULTI:
        return sigmoid(logits, temperature)[:, :labels]
    own = softmax(logits, temperature)[:, :labels]
    return np.asarray(own / np.maximum(own.sum(axis=1, keepdims=True), 1e-12), np.float64)


def temperature(logits: Sequence[NDArray[Any]], truth: Sequence[NDArray[Any]], kind: Kind) -> float:
    """Return the temperature at which the truth of these folds surprises least."""
    given, right = np.concatenate(logits), np.concatenate(truth)

    def surprise(value: float) -> float:
        own = np.clip(shares_at(given, value, right.shape[1], kind), 1e-6, 1 - 1e-6)
        if kind is Kind.MULTI:
            return float(-np.log(np.where(right, own, 1 - own)).mean())
        return float(-np.log(np.clip((own * right).sum(axis=1), 1e-9, 1)).mean())

    return float(min(TEMPERATURES, key=surprise))


def figures(told: Told, labels: Sequence[str], kind: Kind) -> Figures:
    """Return what the report says of a model or a baseline over all its folds."""
    found: Figures = {
        "n": len(told.shares),
        "patients": len(set(told.groups)),
        "best label right": wilson(int(told.right.sum()), len(told.right)),
        "macro F1": round(curves.macro_f1(table(told)), 4),
        "ECE": round(curves.reliability(told.right, told.sure).error, 4),
        "mean AUC": round(float(np.mean([each.area for each in rocs(told).values()] or [0.0])), 4),
        "AUC by label": {
            labels[place]: round(curve.area, 4) for place, curve in rocs(told).items()
        },
        **surest(told),
    }
    if kind is Kind.MULTI:
        exact = ((told.shares >= 0.5) == told.truth).all(axis=1)
        found["labels exactly right"] = wilson(int(exact.sum()), len(exact))
    return found


def surest(told: Told) -> Figures:
    """Return the share of wrong answers among the surest."""
    order = np.argsort(-told.sure, kind="stable")
    found: Figures = {}
    for share in COVERAGES:
        kept = order[: max(1, round(share * len(order)))]
        found[f"wrong among the surest {share:.0%}"] = wilson(
            int((~told.right[kept]).sum()), len(kept)
        )
    return found


def of_source(told: Told) -> Figures:
    """Return what the report says of one source."""
    return {
        "n": len(told.shares),
        "patients": len(set(told.groups)),
        "best label right": wilson(int(told.right.sum()), len(told.right)),
        "ECE": round(curves.reliability(told.right, told.sure).error, 4),
    }


def table(told: Told) -> NDArray[np.int_]:
    """Return the confusion, rows the truth; of several right labels the one that was said counts.

    Pictures that show none of the labels have no row.
    """
    kept = np.flatnonzero(told.truth.any(axis=1))
    best = told.best[kept]
    truth = np.where(told.right[kept], best, told.truth[kept].argmax(axis=1))
    return curves.confusion(truth.tolist(), best.tolist(), told.truth.shape[1])


def rocs(told: Told) -> Mapping[int, curves.Curve]:
    """Return the ROC curve of each label that is right for some pictures and wrong for others."""
    return {
        place: curves.roc(told.truth[:, place], told.shares[:, place]) for place in _telling(told)
    }


def precisions(told: Told) -> Mapping[int, curves.Curve]:
    """Return the precision-recall curve of each such label."""
    return {
        place: curves.precision_recall(told.truth[:, place], told.shares[:, place])
        for place in _telling(told)
    }


def _telling(told: Told) -> list[int]:
    counts = told.truth.sum(axis=0)
    return np.flatnonzero((counts > 0) & (counts < len(told.truth))).tolist()
