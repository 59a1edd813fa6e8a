"""What a model looks at: a radiograph as a standardised square, whatever its plate and exposure.

The same function makes the input in training and in service; numpy only. Steps: the picture is
made small (`reduced`), the exposed field is found and what lies around it cut away
(`exposed_field`), the field is stretched to a common contrast (`evened`), resampled with its
aspect onto the middle of a square and standardised. What the field does not fill is zero, the mean
of the field, so that plates, shutters and frames cannot be read.
"""

from typing import Final

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from qa_daemon.pixels.tensor import SPREAD_MIN, Grey, triangle_weights

#: The picture is reduced to about this many samples per side before anything else: it bounds the
#: time at any size and keeps twice what the largest input square shows.
SAMPLES_MAX: Final = 384
#: The field is sought on at most this many samples per side: one in a hundred rows may be lost.
FIELD_SAMPLES: Final = 128
#: Percentiles shown as 0 and 1 while the field is sought, and inside it afterwards.
SEEKING_PERCENTILES: Final = (0.5, 99.5)
FIELD_PERCENTILES: Final = (1.0, 99.0)
#: A row or column is empty if `EMPTY_SHARE` of it lies within `EMPTY_SPREAD` of its median: air,
#: shutter and plate do, also with noise and a small lead marker; a finger across it does not.
EMPTY_SPREAD: Final = 0.06
EMPTY_SHARE: Final = 0.93
#: Frames lie in frames: a white line around a black plate around a shutter.
TRIMS_MAX: Final = 4
#: A field is at least this share of each side; less is no field but a speck on an empty plate.
FIELD_SHARE_MIN: Final = 0.12
#: Between these contrasts a sample is tissue; air and metal say nothing about the exposure.
TISSUE: Final = (0.04, 0.96)
#: The median of tissue is brought to one half by a power between these two.
POWER: Final = (0.4, 2.5)
#: Sides longer than this many times the other are squeezed: a full spine of 1 : 3 would be a thread
#: in the square. The excess counts by its root.
ASPECT_KEPT: Final = 1.4


@frozen
class Field:
    """The exposed part of a picture, in shares of its height and width, 0 to 1."""

    top: float
    bottom: float
    left: float
    right: float


WHOLE: Final = Field(0.0, 1.0, 0.0, 1.0)


def radiograph_tensor(grey: Grey, *, size: int) -> Grey:
    """Return one radiograph as a model sees it, shape (size, size), float32, as stored.

    Parameters
    ----------
    grey
        Values that rise with brightness (MONOCHROME1 already inverted), shape (rows, columns).
    size
        Side of the square, as the model's card says.
    """
    small = reduced(grey)
    field = exposed_field(small)
    rows, columns = small.shape
    top, left = round(field.top * rows), round(field.left * columns)
    bottom = max(top + 1, round(field.bottom * rows))
    right = max(left + 1, round(field.right * columns))
    return _squared(evened(small[top:bottom, left:right]), size)


def exposed_field(grey: Grey) -> Field:
    """Return the part of a picture that is no border; the whole picture if nothing is left."""
    step = _step(grey)
    shown = _stretched(grey[::step, ::step], SEEKING_PERCENTILES)
    rows, columns = shown.shape
    top, bottom, left, right = 0, rows, 0, columns
    for _ in range(TRIMS_MAX):
        before = top, bottom, left, right
        first, last = _filled(shown[top:bottom, left:right])
        top, bottom = top + first, top + last
        first, last = _filled(shown[top:bottom, left:right].T)
        left, right = left + first, left + last
        if before == (top, bottom, left, right):
            break
    if bottom - top < FIELD_SHARE_MIN * rows or right - left < FIELD_SHARE_MIN * columns:
        return WHOLE
    # The first and the last row found are in the field; those between samples may be of the border.
    high, wide = grey.shape
    return Field(
        top * step / high,
        1.0 if bottom == rows else ((bottom - 1) * step + 1) / high,
        left * step / wide,
        1.0 if right == columns else ((right - 1) * step + 1) / wide,
    )


def _step(grey: Grey) -> int:
    return int(-(-max(grey.shape) // FIELD_SAMPLES))


def reduced(grey: Grey) -> Grey:
    """Return means of square blocks, so that no side has more than `SAMPLES_MAX` samples."""
    block = -(-max(grey.shape) // SAMPLES_MAX)
    values = grey.astype(np.float32, copy=False)
    if block <= 1:
        return np.nan_to_num(values)
    # A side shorter than a block keeps one sample.
    down, across = min(block, grey.shape[0]), min(block, grey.shape[1])
    rows, columns = grey.shape[0] // down, grey.shape[1] // across
    kept = values[: rows * down, : columns * across]
    # Rows first: the sums run along memory, and little is left for the columns.
    summed = np.add.reduce(kept.reshape(rows, down, columns * across), axis=1)
    summed = np.add.reduce(summed.reshape(rows, columns, across), axis=2)
    return np.asarray(np.nan_to_num(summed / np.float32(down * across)), np.float32)


def _stretched(grey: Grey, percentiles: tuple[float, float], step: int = 1) -> Grey:
    """Return grey values as contrast in 0..1, by the percentiles of each `step`th sample."""
    low, high = np.percentile(grey[::step, ::step], percentiles)
    if not high - low > SPREAD_MIN:
        return np.zeros(grey.shape, np.float32)
    return np.asarray(np.clip((grey - low) / (high - low), 0.0, 1.0), np.float32)


def _filled(shown: Grey) -> tuple[int, int]:
    """Return the first row that is not empty and the one after the last; all if all are empty."""
    middle = np.median(shown, axis=1, keepdims=True)
    share = (np.abs(shown - middle) < EMPTY_SPREAD).mean(axis=1)
    found: NDArray[np.intp] = np.flatnonzero(share < EMPTY_SHARE)
    if found.size == 0:
        return 0, len(shown)
    return int(found[0]), int(found[-1]) + 1


def evened(grey: Grey) -> Grey:
    """Return contrast in 0..1 with the median of tissue at one half."""
    step = _step(grey)
    shown = _stretched(grey, FIELD_PERCENTILES, step)
    sample = shown[::step, ::step]
    tissue = sample[(sample > TISSUE[0]) & (sample < TISSUE[1])]
    if tissue.size == 0:
        return shown
    power = np.clip(np.log(0.5) / np.log(float(np.median(tissue))), *POWER)
    return np.asarray(shown ** np.float32(power), np.float32)


def _squared(shown: Grey, size: int) -> Grey:
    """Return the field standardised in the middle of a square, shape (size, size)."""
    rows, columns = shown.shape
    long, short = max(rows, columns), min(rows, columns)
    aspect = long / short
    if aspect > ASPECT_KEPT:
        aspect = ASPECT_KEPT * (aspect / ASPECT_KEPT) ** 0.5
    narrow = max(1, round(size / aspect))
    height, width = (size, narrow) if rows >= columns else (narrow, size)
    down = triangle_weights(rows, 1.0, 0.0, float(rows), height)
    across = triangle_weights(columns, 1.0, 0.0, float(columns), width)
    # What hangs over the edge would fade to zero; the field ends sharply instead.
    down /= down.sum(axis=1, keepdims=True)
    across /= across.sum(axis=1, keepdims=True)
    field = down @ shown @ across.T
    spread = float(field.std())
    square = np.zeros((size, size), np.float32)
    if np.isfinite(spread) and spread > SPREAD_MIN:
        top, left = (size - height) // 2, (size - width) // 2
        square[top : top + height, left : left + width] = (field - field.mean()) / spread
    return square
