"""Where a lead letter may stand on a radiograph: small bright things that their ground is not.

In: a grey picture. Out: squares around the places, most conspicuous first at each scale, and the
box of each in pixels of the picture. Whether a letter stands there is the model's business
(`side_marker`). The same function makes inputs in training and in service; numpy only.
"""

from collections.abc import Iterator
from typing import Final

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from qa_daemon.pixels.tensor import Frame, framed

Grey = NDArray[np.float32]

#: The side of the square that the shipped model takes.
PLACE_SIZE: Final = 32
#: Places are sought on a copy of at most this long edge: a letter of 6 mm on a plate of 43 cm is
#: 7 pixels high there, and on thumbnails of 256 pixels nothing is gained by more.
SOUGHT_EDGE: Final = 512
#: Pictures with a shorter long edge cannot hold a letter of 5 pixels beside anatomy.
EDGE_MIN: Final = 96
#: Heights of letters or of the plate that they stand on, as shares of the long edge.
HEIGHTS: Final = (0.020, 0.028, 0.039, 0.055, 0.077)
#: The ring around a place is this many heights wide and high; it shows what the ground is like.
RING: Final = 2.0
#: A square around a place shows this many heights.
SQUARE: Final = 1.9
#: Places per height; the letter was among them in all cases looked at but faint ones on anatomy.
PLACES_PER_HEIGHT: Final = 10
#: Range of grey values taken as black to white.
PERCENTILES: Final = (1.0, 99.7)
#: They are taken of about this many pixels per side: a tenth of a second less at 2,000.
SAMPLES: Final = 512
#: Least brightness above the ground, as a share of the range.
STEP_MIN: Final = 0.03
#: Added to the deviation of the ground, so that perfectly flat ground does not win by noise.
GROUND_SPREAD: Final = 0.04
SPREAD_MIN: Final = 1e-4


@frozen
class Place:
    """Where something may be: centre and height, in pixels of the picture it was sought on."""

    row: int
    column: int
    height: float


@frozen(eq=False)
class Places:
    """Squares, float32 (n, size, size), standardised, and their boxes as (n, 4).

    A box is left, top, right, bottom in pixels of the picture as stored, counted from 0; `heights`
    are those that were sought, shape (n,), in the same pixels.
    """

    squares: Grey
    boxes: NDArray[np.float64]
    heights: NDArray[np.float64]


def _none(size: int) -> Places:
    return Places(np.zeros((0, size, size), np.float32), np.zeros((0, 4)), np.zeros(0))


def marker_places(grey: Grey, *, size: int = PLACE_SIZE) -> Places:
    """Return the places of a radiograph that may hold a marker, shape (rows, columns); none if so.

    Parameters
    ----------
    grey
        Values after the modality LUT, bright as displayed.
    size
        Side of the squares, as the model's card says.
    """
    sought, scale = sought_on(grey)
    if max(sought.shape) < EDGE_MIN or not sought.any():
        return _none(size)
    squares, boxes, heights = [], [], []
    for place in places(sought):
        square = around(sought, place, size)
        squares.append(square)
        boxes.append(box_of(square, place) * scale)
        heights.append(place.height * scale)
    if not squares:
        return _none(size)
    return Places(np.stack(squares), np.stack(boxes), np.array(heights))


def sought_on(grey: Grey) -> tuple[Grey, float]:
    """Return the picture in 0..1, reduced to `SOUGHT_EDGE`, and how many pixels one stands for."""
    clean = np.nan_to_num(grey.astype(np.float32, copy=False))
    long = max(clean.shape)
    step = max(1, long // SAMPLES)
    low, high = (float(value) for value in np.percentile(clean[::step, ::step], PERCENTILES))
    if high - low < SPREAD_MIN:
        return np.zeros((1, 1), np.float32), 1.0
    shown = np.subtract(clean, np.float32(low))
    shown *= np.float32(1.0 / (high - low))
    np.clip(shown, 0.0, 1.0, out=shown)
    if long <= SOUGHT_EDGE:
        return shown, 1.0
    reduced = framed(shown, Frame(long / 2, long / 2, float(long)), SOUGHT_EDGE)
    rows, columns = (max(1, round(side * SOUGHT_EDGE / long)) for side in shown.shape)
    return np.ascontiguousarray(reduced[:rows, :columns]), long / SOUGHT_EDGE


def places(sought: Grey) -> Iterator[Place]:
    """Yield the most conspicuous places of each height, apart by half a height."""
    sums, squares = _integral(sought), _integral(sought**2)
    for share in HEIGHTS:
        height = share * max(sought.shape)
        found = _conspicuous(sums, squares, height)
        reach = max(1, round(height / 2))
        for _ in range(PLACES_PER_HEIGHT):
            row, column = np.unravel_index(int(found.argmax()), found.shape)
            if found[row, column] <= 0.0:
                break
            yield Place(int(row), int(column), height)
            found[
                max(0, row - reach) : row + reach + 1, max(0, column - reach) : column + reach + 1
            ] = 0.0


def around(sought: Grey, place: Place, size: int) -> Grey:
    """Return the square around a place, shape (size, size), mean 0 and deviation 1."""
    square = framed_inside(sought, place.row + 0.5, place.column + 0.5, SQUARE * place.height, size)
    return standardised_square(square)


def framed_inside(sought: Grey, row: float, column: float, side: float, size: int) -> Grey:
    """Return a square part resampled to (size, size); beyond the picture its edge is repeated."""
    reach = int(np.ceil(side / 2)) + 2
    rows = np.clip(np.arange(int(row) - reach, int(row) + reach + 1), 0, sought.shape[0] - 1)
    columns = np.clip(
        np.arange(int(column) - reach, int(column) + reach + 1), 0, sought.shape[1] - 1
    )
    part = sought[np.ix_(rows, columns)]
    return framed(part, Frame(row - int(row) + reach, column - int(column) + reach, side), size)


def standardised_square(square: Grey) -> Grey:
    """Return the square with mean 0 and deviation 1; zeros where it is flat."""
    spread = float(square.std())
    if spread < SPREAD_MIN:
        return np.zeros(square.shape, np.float32)
    return np.asarray((square - square.mean()) / spread, np.float32)


def box_of(square: Grey, place: Place) -> NDArray[np.float64]:
    """Return left, top, right, bottom of what stands out in the middle of the square."""
    size = len(square)
    middle = square[size // 4 : size - size // 4, size // 4 : size - size // 4]
    bright: NDArray[np.bool_] = square > (np.percentile(middle, 90.0) + np.median(square)) / 2
    pitch = SQUARE * place.height / size
    top, bottom = _run(np.asarray(bright.any(axis=1)))
    left, right = _run(np.asarray(bright[top:bottom].any(axis=0)))
    corner = np.array([place.column, place.row] * 2) + 0.5 - size / 2 * pitch
    return np.asarray(corner + np.array([left, top, right, bottom]) * pitch, np.float64)


def _run(stands_out: NDArray[np.bool_]) -> tuple[int, int]:
    """Return first and one past the last of the run that holds the middle; small gaps are bridged.

    A letter has gaps: rows of a D hold both strokes, columns of an L may be faint.
    """
    size = len(stands_out)
    first, last, gap = size // 2, size // 2 + 1, max(2, size // 10)
    while first > 0 and stands_out[max(0, first - gap) : first].any():
        first -= 1
    while last < size and stands_out[last : last + gap].any():
        last += 1
    return first, last


def _conspicuous(
    sums: NDArray[np.float64], squares: NDArray[np.float64], height: float
) -> NDArray[np.float64]:
    """Return how much each pixel's surrounding of a height is brighter than the ring around it."""
    inner, outer = max(3, round(height)), max(5, round(RING * height))
    inner_sum, inner_count = _boxes(sums, inner), _areas(sums, inner)
    count = np.maximum(_areas(sums, outer) - inner_count, 1.0)
    ground = (_boxes(sums, outer) - inner_sum) / count
    ring_square = _boxes(squares, outer) - _boxes(squares, inner)
    spread = np.sqrt(np.maximum(ring_square / count - ground**2, 0.0))
    step = inner_sum / inner_count - ground
    found: NDArray[np.float64] = np.where(step > STEP_MIN, step / (spread + GROUND_SPREAD), 0.0)
    return found


def _integral(picture: Grey) -> NDArray[np.float64]:
    padded = np.pad(picture.astype(np.float64), ((1, 0), (1, 0)))
    return np.asarray(padded.cumsum(axis=0).cumsum(axis=1), np.float64)


def _boxes(sums: NDArray[np.float64], side: int) -> NDArray[np.float64]:
    """Return the sum over the square around each pixel, cut at the edges."""
    (top, bottom), (left, right) = (_ends(length - 1, side) for length in sums.shape)
    rows = sums[bottom] - sums[top]
    return np.asarray(rows[:, right] - rows[:, left], np.float64)


def _areas(sums: NDArray[np.float64], side: int) -> NDArray[np.float64]:
    """Return how many pixels lie in the square around each."""
    high, wide = (np.subtract(*_ends(length - 1, side)[::-1]) for length in sums.shape)
    return np.outer(high, wide).astype(np.float64)


def _ends(length: int, side: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return where the square around each place of an axis begins and ends."""
    first = np.arange(length) - side // 2
    return np.clip(first, 0, length), np.clip(first + side, 0, length)
