"""Confusion, ROC, precision-recall, reliability and risk-coverage. Pure, numpy only.

`truth` is boolean, `share` a calibrated probability or any score that grows with belief; both have
shape (n,). Curves are pairs of arrays, first the abscissa.
"""

from collections.abc import Sequence
from typing import Final, TypeAlias

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

Numbers: TypeAlias = NDArray[np.float64]
BINS: Final = 10


@frozen(eq=False)
class Curve:
    """A line to be drawn: abscissa and ordinate, same shape, and the area below it."""

    across: Numbers
    up: Numbers
    area: float


@frozen(eq=False)
class Bins:
    """A reliability diagram: per bin how sure, how often right, and how many.

    `error` is the expected calibration error: |sure - right|, weighted by count.
    """

    sure: Numbers
    right: Numbers
    count: NDArray[np.int_]
    error: float


def confusion(truth: Sequence[int], said: Sequence[int], labels: int) -> NDArray[np.int_]:
    """Return counts, shape (labels, labels); rows are the truth."""
    table = np.zeros((labels, labels), int)
    np.add.at(table, (np.asarray(truth, int), np.asarray(said, int)), 1)
    return table


def macro_f1(table: NDArray[np.int_]) -> float:
    """Return the mean F1 over labels that occur; rows are the truth."""
    right = np.diag(table)
    sizes = table.sum(axis=0) + table.sum(axis=1)
    occurs = table.sum(axis=1) > 0
    return float((2 * right[occurs] / sizes[occurs]).mean()) if occurs.any() else 0.0


def roc(truth: NDArray[np.bool_], share: Numbers) -> Curve:
    """Return sensitivity over 1 - specificity; ties are one step, so the area is exact."""
    hits, alarms = _counted(truth, share)
    up, across = hits / max(1.0, hits[-1]), alarms / max(1.0, alarms[-1])
    return Curve(across, up, float(np.trapezoid(up, across)))


def precision_recall(truth: NDArray[np.bool_], share: Numbers) -> Curve:
    """Return precision over recall, and the average precision."""
    hits, alarms = _counted(truth, share)
    recall = hits / max(1.0, hits[-1])
    precision = np.where(hits + alarms > 0, hits / np.maximum(hits + alarms, 1.0), 1.0)
    area = float((np.diff(recall) * precision[1:]).sum())
    return Curve(recall, precision, area)


def reliability(right: NDArray[np.bool_], share: Numbers, bins: int = BINS) -> Bins:
    """Return how often answers of each probability were right, in bins of equal width."""
    where = np.minimum((share * bins).astype(int), bins - 1)
    count = np.bincount(where, minlength=bins)
    shares = np.bincount(where, weights=share, minlength=bins)
    rights = np.bincount(where, weights=right.astype(float), minlength=bins)
    filled = count > 0
    sure, good = shares[filled] / count[filled], rights[filled] / count[filled]
    error = float((np.abs(sure - good) * count[filled]).sum() / max(1, count.sum()))
    return Bins(sure, good, count[filled], error)


def risk_coverage(right: NDArray[np.bool_], share: Numbers) -> Curve:
    """Return the share of wrong answers among the surest, over the share that is answered."""
    order = np.argsort(-share, kind="stable")
    counts = np.arange(1, len(order) + 1)
    risk = np.cumsum(~right[order]) / counts
    return Curve(counts / max(1, len(order)), risk, float(risk.mean()) if len(order) else 0.0)


def _counted(truth: NDArray[np.bool_], share: Numbers) -> tuple[Numbers, Numbers]:
    """Return true and false positives at each threshold, from none on."""
    order = np.argsort(-share, kind="stable")
    ends = np.flatnonzero(np.diff(share[order], append=-np.inf) != 0)
    hits = np.cumsum(truth[order])[ends]
    alarms = np.cumsum(~truth[order])[ends]
    first = np.zeros(1)
    return np.concatenate([first, hits]), np.concatenate([first, alarms])
