"""A grey picture made small, whole, for labelled pictures that leave the site."""

from typing import Final

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from qa_daemon.pixels.tensor import Grey, triangle_weights

#: Range of the values that are written.
STEPS: Final = (1 << 16) - 1


@frozen(eq=False)
class Reduced:
    """A picture as it is written.

    Attributes
    ----------
    values
        uint16, shape (rows, columns); grey = slope x value + intercept.
    factor
        How much larger its pixels are than before, rows and columns alike.
    """

    values: NDArray[np.uint16]
    slope: float
    intercept: float
    factor: float


def reduced(grey: Grey, side_max: int) -> Reduced:
    """Return a finite picture with neither side longer than `side_max`; never enlarged.

    Values keep whole units (HU) where their range allows it.
    """
    factor = max(1.0, max(grey.shape) / side_max)
    small = grey if factor == 1.0 else _resampled(grey, factor)
    low, high = float(small.min()), float(small.max())
    intercept = float(np.floor(low))
    slope = 1.0 if high - intercept <= STEPS else float((high - intercept) / STEPS)
    if slope == 1.0 and high - low < 2.0:  # fractions, not units
        slope = max((high - intercept) / STEPS, 1e-9)
    values = np.rint((small - intercept) / slope)
    return Reduced(values.clip(0, STEPS).astype(np.uint16), slope, intercept, factor)


def _resampled(grey: Grey, factor: float) -> Grey:
    rows, columns = (max(1, round(side / factor)) for side in grey.shape)
    down, across = _whole(grey.shape[0], rows), _whole(grey.shape[1], columns)
    return (down @ grey @ across.T).astype(np.float32)


def _whole(count: int, size: int) -> Grey:
    """Return the weights of one axis; at its ends they sum to one, so that no edge fades."""
    weights = triangle_weights(count, 1.0, 0.0, float(count), size)
    whole: Grey = (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)
    return whole
