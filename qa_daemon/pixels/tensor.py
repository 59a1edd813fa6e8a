"""What a model looks at: one slice as a standardised square, whatever its window and field.

The same functions make the input in training and in service; numpy only. Steps: grey values become
contrast in 0..1 (`contrast`), the body is framed (`body_frame`), the frame is resampled with
antialiasing onto a square grid (`framed`), and the disc inside is standardised (`standardised`).
What lies outside the disc is zero, so that padding, corners and table ends cannot be read.
"""

from typing import Final

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

Grey = NDArray[np.float32]

#: HU shown as 0 and 1: fat, organs and bone apart, lung and air black. Slices of teaching files
#: have about this window burned in, so CT of both kinds looks alike to the network.
CT_WINDOW_HU: Final = (-210.0, 290.0)
#: A CT slice with less spread than this inside the window is not in HU, or shows air only.
WINDOWED_SPREAD_MIN: Final = 0.02
#: Percentiles shown as 0 and 1 where grey values have no unit (MR, PET, 8-bit pictures).
GREY_PERCENTILES: Final = (1.0, 99.5)
#: Contrast above this is body: -160 HU in CT, just above the noise floor in most MR.
BODY_CONTRAST_MIN: Final = 0.1
#: A row or column belongs to the body if this share of it is body; noise specks stay below.
BODY_SHARE_MIN: Final = 0.03
#: What is thinner than twice this plus one sample is no body: table shells, wires, noise.
THIN_SAMPLES: Final = 2
#: The frame is a little larger than the body, so that skin is not cut by the disc everywhere.
FRAME_MARGIN: Final = 1.06
#: A frame is at least this share of the picture; smaller ones are specks.
FRAME_SHARE_MIN: Final = 0.15
#: The frame and percentiles are sought on about this many samples per side: 10 ms less at 512.
SAMPLES: Final = 192
#: Rows of the resampling matrix multiplied at once: a sixth of the work at 512 pixels.
BAND_ROWS: Final = 10
#: Standard deviation below this is an empty picture, which becomes zeros.
SPREAD_MIN: Final = 1e-4
#: The side of the square that the shipped models take, in pixels.
MODEL_SIZE: Final = 80


@frozen
class Frame:
    """A square of a slice: centre (row, column) and side, in units of the spacing given."""

    centre_row: float
    centre_column: float
    side: float


def contrast(grey: Grey, modality: str) -> Grey:
    """Return grey values as contrast in 0..1, shape unchanged.

    CT in Hounsfield units is windowed by `CT_WINDOW_HU`; everything else, and CT that turns out
    not to be in HU, by the percentiles `GREY_PERCENTILES` of the slice.
    """
    step = _stride(grey.shape)
    if modality == "CT":
        windowed = _windowed(grey, *CT_WINDOW_HU)
        if float(windowed[::step, ::step].std()) > WINDOWED_SPREAD_MIN:
            return windowed
    low, high = np.percentile(grey[::step, ::step], GREY_PERCENTILES)
    if high - low < SPREAD_MIN:
        return np.zeros(grey.shape, np.float32)
    return _windowed(grey, float(low), float(high))


def _windowed(grey: Grey, low: float, high: float) -> Grey:
    """Return grey values with `low` as 0 and `high` as 1, clipped; one new array, three passes."""
    shown = np.subtract(grey, np.float32(low), dtype=np.float32)
    shown *= np.float32(1.0 / (high - low))
    return np.clip(shown, 0.0, 1.0, out=shown)


def body_frame(shown: Grey, spacing: tuple[float, float] = (1.0, 1.0)) -> Frame:
    """Return the square around the body of a slice in contrast; the whole slice if none is seen.

    Parameters
    ----------
    shown
        Contrast in 0..1, shape (rows, columns).
    spacing
        Between rows, between columns (Pixel Spacing, PS3.3 10.7.1.3); only their ratio matters.
    """
    rows, columns = shown.shape
    step = _stride(shown.shape)
    body = _thick(shown[::step, ::step] > BODY_CONTRAST_MIN)
    top, bottom = _extent(np.count_nonzero(body, axis=1) / body.shape[1], step, rows)
    left, right = _extent(np.count_nonzero(body, axis=0) / body.shape[0], step, columns)
    whole = max(rows * spacing[0], columns * spacing[1])
    side = max((bottom - top) * spacing[0], (right - left) * spacing[1])
    if side < FRAME_SHARE_MIN * whole:
        return Frame(rows * spacing[0] / 2, columns * spacing[1] / 2, whole)
    return Frame(
        (top + bottom) / 2 * spacing[0],
        (left + right) / 2 * spacing[1],
        min(side * FRAME_MARGIN, whole),
    )


def framed(shown: Grey, frame: Frame, size: int, spacing: tuple[float, float] = (1.0, 1.0)) -> Grey:
    """Resample the frame onto (size, size) by an antialiasing triangle filter; outside is zero."""
    first = frame.centre_row - frame.side / 2
    rows = triangle_weights(shown.shape[0], spacing[0], first, frame.side, size)
    first = frame.centre_column - frame.side / 2
    columns = triangle_weights(shown.shape[1], spacing[1], first, frame.side, size)
    return np.asarray(_banded(rows, shown) @ columns.T, np.float32)


def disc(size: int) -> NDArray[np.bool_]:
    """Return which pixels of a (size, size) square lie in the inscribed disc."""
    across = np.arange(size) - (size - 1) / 2
    inside: NDArray[np.bool_] = across[:, None] ** 2 + across[None, :] ** 2 <= (size / 2) ** 2
    return inside


def standardised(square: Grey) -> Grey:
    """Return the square with mean 0 and deviation 1 inside its disc, and 0 outside."""
    inside = disc(square.shape[0])
    values = square[inside]
    spread = float(values.std())
    if not np.isfinite(spread) or spread < SPREAD_MIN:
        return np.zeros(square.shape, np.float32)
    scaled = np.where(inside, (square - float(values.mean())) / spread, 0.0)
    return scaled.astype(np.float32)


def orientation_tensor(
    grey: Grey,
    modality: str,
    *,
    spacing: tuple[float, float] = (1.0, 1.0),
    size: int = MODEL_SIZE,
) -> Grey:
    """Return one slice as a model sees it, shape (size, size), as stored (not turned).

    Parameters
    ----------
    grey
        Values after the modality LUT (CT: HU), shape (rows, columns).
    modality
        Modality (0008,0060).
    spacing
        Pixel Spacing, between rows and between columns; (1, 1) where unknown.
    size
        Side of the square, as the model's card says.
    """
    shown = contrast(_finite(grey.astype(np.float32, copy=False)), modality)
    return standardised(framed(shown, body_frame(shown, spacing), size, spacing))


def _finite(grey: Grey) -> Grey:
    with np.errstate(over="ignore", invalid="ignore"):
        total = float(grey.sum())  # one number tells of all, at a fifth of the cost
    return grey if np.isfinite(total) else np.nan_to_num(grey)


def _stride(shape: tuple[int, ...]) -> int:
    return max(1, max(shape) // SAMPLES)


def _extent(share: NDArray[np.float64], step: int, whole: int) -> tuple[float, float]:
    """Return where the body begins and ends along one axis, in pixels."""
    found = np.flatnonzero(share > BODY_SHARE_MIN)
    if found.size == 0:
        return 0.0, 0.0
    first, last = found[0] - THIN_SAMPLES, found[-1] + THIN_SAMPLES + 1
    return float(max(0, first * step)), float(min(last * step, whole))


def _thick(body: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return the samples whose whole neighbourhood is body; beyond the edge counts as body."""
    reach = THIN_SAMPLES
    rows, columns = body.shape
    padded = np.pad(body, reach, constant_values=True)
    down = padded[:rows].copy()
    for at in range(1, 2 * reach + 1):
        down &= padded[at : at + rows]
    thick = down[:, :columns].copy()
    for at in range(1, 2 * reach + 1):
        thick &= down[:, at : at + columns]
    return thick


def _banded(weights: Grey, values: Grey) -> Grey:
    """Return `weights @ values`, leaving out the zeros on both sides of the diagonal."""
    parts = []
    for first in range(0, len(weights), BAND_ROWS):
        part = weights[first : first + BAND_ROWS]
        used = np.flatnonzero(part.any(axis=0))
        inside = slice(used[0], used[-1] + 1) if used.size else slice(0, 0)
        parts.append(part[:, inside] @ values[inside])
    return np.concatenate(parts)


def triangle_weights(count: int, pitch: float, first: float, side: float, size: int) -> Grey:
    """Return the matrix (size, count) that resamples one axis of `count` pixels of width `pitch`.

    Weights are those of a triangle as wide as the coarser of the two grids. They sum to one over
    an endless axis, so what hangs over the edge of the slice fades to zero.
    """
    centres = first + (np.arange(size) + 0.5) * side / size
    reach = max(side / size, pitch)
    before = max(0, int(np.ceil((reach - first) / pitch)))
    after = max(0, int(np.ceil((first + side + reach) / pitch)) - count)
    pixels = (np.arange(-before, count + after) + 0.5) * pitch
    weights = np.maximum(0.0, 1.0 - np.abs(centres[:, None] - pixels[None, :]) / reach)
    weights /= weights.sum(axis=1, keepdims=True)
    return weights[:, before : before + count].astype(np.float32)
