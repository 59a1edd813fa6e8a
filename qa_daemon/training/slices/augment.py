"""What may differ between two pictures of the same anatomy: field, window, table, noise, contrast.

In: a labelled slice and a random generator. Out: a square as `pixels.tensor` makes it. The frame
and the disc are those of the service; only what a hospital could have done otherwise is random.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
from attrs import frozen
from numpy.random import Generator
from numpy.typing import NDArray

from qa_daemon.pixels.tensor import (
    CT_WINDOW_HU,
    MODEL_SIZE,
    Frame,
    Grey,
    body_frame,
    contrast,
    orientation_tensor,
    standardised,
)
from qa_daemon.training.slices.datasets import LabelledSlice

#: Patients lie a little rolled and heads tilt; 15 degrees keeps classes 90 degrees apart.
TURN_DEGREES_MAX: Final = 15.0
ZOOM: Final = (0.82, 1.15)
ZOOM_OF_CROP: Final = (1.1, 1.9)
SHIFT_MAX: Final = 0.10
ASPECT_MAX: Final = 1.15
CURVE_KNOTS: Final = 7
#: How much more often slices are drawn on which the side is known.
SIDED_WEIGHT: Final = 2.2


@frozen(kw_only=True)
class Variety:
    """How often a picture is changed in which way, each a share of the pictures.

    Attributes
    ----------
    crop
        A small field of view: aorta, spine, prostate.
    table, cut
        A table is drawn on any side; a strip is blanked on any side.
    recoloured
        MR sequences show tissues in any order of brightness, and body MR is rare in the data: a
        random curve over the contrast makes one picture look like another sequence. Air stays dark.
    uneven
        Receive coils of MR make one side brighter than the other.
    noise
        The greatest deviation of the noise, in units of contrast.
    """

    crop: float
    table: float
    cut: float
    recoloured: float
    inverted: float
    uneven: float
    noise: float


#: For fitting: more than a hospital would do, so that the network leans on anatomy.
STRONG: Final = Variety(
    crop=0.4, table=0.3, cut=0.25, recoloured=0.35, inverted=0.06, uneven=0.25, noise=0.08
)
#: For choosing thresholds: what hospitals do.
USUAL: Final = Variety(
    crop=0.2, table=0.3, cut=0.05, recoloured=0.0, inverted=0.0, uneven=0.1, noise=0.03
)


@frozen(eq=False)
class Prepared:
    """A slice with what does not change between two draws."""

    item: LabelledSlice
    frame: Frame


def prepared(item: LabelledSlice) -> Prepared:
    """Find the body once; the search is the same as in the service."""
    shown = contrast(item.grey(), item.shown_as)
    return Prepared(item, body_frame(shown))


def draw(
    subject: Prepared, random: Generator, size: int = MODEL_SIZE, variety: Variety = STRONG
) -> Grey:
    """Return one random variant of the slice, upright, shape (size, size)."""
    shown = _windowed(subject.item, random)
    if random.random() < variety.table:
        add_table(shown, random)
    is_crop = random.random() < variety.crop
    square = sampled(shown, _field(subject.frame, random, is_crop=is_crop), random, size)
    if random.random() < variety.cut:
        cut(square, random)
    if random.random() < variety.recoloured:
        square = recoloured(square, random)
    if random.random() < variety.uneven:
        square *= unevenness(random, size)
    square **= np.float32(np.exp(random.normal(0.0, 0.3)))
    if random.random() < variety.inverted:
        square = np.float32(1.0) - square
    if random.random() < 0.5:
        noise = random.standard_normal(square.shape, np.float32)
        square = square + noise * np.float32(random.uniform(0.0, variety.noise))
    return standardised(square)


def _windowed(item: LabelledSlice, random: Generator) -> Grey:
    """Return contrast under a random window around the one of the service."""
    grey = item.grey()
    if not item.in_hu:
        gained = contrast(grey, "MR") * np.float32(random.uniform(0.9, 1.25))
        return np.asarray(np.clip(gained, 0.0, 1.0), np.float32)
    # Steps of 8 HU would be seen as terraces that no real CT has.
    grey += random.uniform(-4.0, 4.0, grey.shape).astype(np.float32)
    if random.random() < 0.12:
        low, high = random.uniform(-1000, -700), random.uniform(200, 600)
    else:
        width = (CT_WINDOW_HU[1] - CT_WINDOW_HU[0]) * np.exp(random.normal(0.0, 0.3))
        centre = sum(CT_WINDOW_HU) / 2 + random.normal(0.0, 35.0)
        low, high = centre - width / 2, centre + width / 2
    shown = (grey - np.float32(low)) / np.float32(high - low)
    return np.asarray(np.clip(shown, 0.0, 1.0), np.float32)


def add_table(shown: Grey, random: Generator) -> None:
    """Draw an arc like a table or a cushion on any side, so that none of them tells a turn."""
    height, width = shown.shape
    along = np.linspace(-1.0, 1.0, width)
    depth = random.uniform(0.02, 0.2) * height + random.uniform(-0.12, 0.12) * height * along**2
    rows = np.clip(depth.astype(int), 0, height - 2)
    reach = np.abs(along) < random.uniform(0.4, 1.0)
    bright = np.float32(random.uniform(0.2, 1.0))
    turned = np.rot90(shown, int(random.integers(4)))
    columns = np.flatnonzero(reach)
    for thick in range(int(random.integers(1, 3))):
        line = turned[rows[columns] + thick, columns]
        turned[rows[columns] + thick, columns] = np.maximum(line, bright)


def cut(square: Grey, random: Generator) -> None:
    """Blank a strip along any side: a cropped field, a table taken away, an arm cut off."""
    turned = np.rot90(square, int(random.integers(4)))
    turned[: int(random.uniform(0.03, 0.22) * square.shape[0])] = 0.0


def recoloured(square: Grey, random: Generator) -> Grey:
    """Return the square under a random curve from contrast to contrast, 0 kept at 0."""
    knots = np.linspace(0.0, 1.0, CURVE_KNOTS)
    share = random.uniform(0.2, 1.0)
    values = (1 - share) * knots + share * random.random(CURVE_KNOTS)
    values[0] = 0.0
    return np.interp(square, knots, values).astype(np.float32)


def unevenness(random: Generator, size: int) -> Grey:
    """Return a slope of brightness in a random direction, shape (size, size)."""
    across = np.linspace(-1, 1, size, dtype=np.float32)
    angle, slope = random.uniform(0, 2 * np.pi), random.uniform(0.0, 0.5)
    slopes = 1 + slope * (np.cos(angle) * across[:, None] + np.sin(angle) * across[None, :])
    return np.asarray(slopes, np.float32)


def _field(frame: Frame, random: Generator, *, is_crop: bool) -> Frame:
    """Return the frame moved and zoomed: a little, or to a part of the body."""
    side = frame.side / random.uniform(*(ZOOM_OF_CROP if is_crop else ZOOM))
    slack = max(0.0, frame.side - side) * 0.4 if is_crop else SHIFT_MAX * frame.side
    return Frame(
        frame.centre_row + random.uniform(-1, 1) * slack,
        frame.centre_column + random.uniform(-1, 1) * slack,
        side,
    )


def sampled(shown: Grey, field: Frame, random: Generator, size: int) -> Grey:
    """Resample the field, turned and stretched, onto (size, size)."""
    side, row, column = field.side, field.centre_row, field.centre_column
    angle = np.deg2rad(random.uniform(-TURN_DEGREES_MAX, TURN_DEGREES_MAX))
    stretch = np.exp(random.uniform(-1, 1) * np.log(ASPECT_MAX))
    pitch = side / size
    if pitch > 1.3:
        shown = _halved(shown)
        pitch, row, column = pitch / 2, row / 2, column / 2
    steps = (np.arange(size) - (size - 1) / 2) * pitch
    down, across = steps[:, None] * stretch, steps[None, :] / stretch
    rows = row - 0.5 + np.cos(angle) * down - np.sin(angle) * across
    columns = column - 0.5 + np.sin(angle) * down + np.cos(angle) * across
    return _bilinear(shown, rows, columns)


def _halved(shown: Grey) -> Grey:
    """Return the mean of each two by two pixels: no aliasing when the grid is coarse."""
    return (shown[::2, ::2] + shown[1::2, ::2] + shown[::2, 1::2] + shown[1::2, 1::2]) * np.float32(
        0.25
    )


def _bilinear(shown: Grey, rows: NDArray[np.float64], columns: NDArray[np.float64]) -> Grey:
    padded = np.pad(shown, 1)
    rows = np.clip(rows + 1, 0, padded.shape[0] - 1.001)
    columns = np.clip(columns + 1, 0, padded.shape[1] - 1.001)
    top, left = rows.astype(np.intp), columns.astype(np.intp)
    down, across = (rows - top).astype(np.float32), (columns - left).astype(np.float32)
    flat, stride = padded.ravel(), padded.shape[1]
    at = top * stride + left
    above = flat[at] * (1 - across) + flat[at + 1] * across
    below = flat[at + stride] * (1 - across) + flat[at + stride + 1] * across
    sampled: Grey = (above * (1 - down) + below * down).astype(np.float32)
    return sampled


def turned_array(picture: Grey, label: int) -> Grey:
    """Return T_label of (h, w): mirror first, then quarter turns anti-clockwise."""
    return np.rot90(np.fliplr(picture) if label >= 4 else picture, label % 4)


def drawing_weights(items: Sequence[LabelledSlice]) -> NDArray[np.float64]:
    """Return how often each slice is drawn, sum 1.

    A patient of many slices counts by the root of them, and so does a kind (modality, plane,
    region): else two stacks of heads would outvote a hundred single abdomens.
    """

    def share(keys: list[object], weights: NDArray[np.float64]) -> NDArray[np.float64]:
        totals: dict[object, float] = {}
        for key, weight in zip(keys, weights, strict=True):
            totals[key] = totals.get(key, 0.0) + weight
        return np.asarray(weights / np.sqrt([totals[key] for key in keys]), np.float64)

    weights = share([item.patient for item in items], np.ones(len(items)))
    weights = share([item.source for item in items], weights) ** 0.75
    weights = share([(item.modality, item.plane, item.regions) for item in items], weights)
    weights *= [SIDED_WEIGHT if item.is_sided or item.is_sided_between else 1.0 for item in items]
    return np.asarray(weights / weights.sum(), np.float64)


def shown(item: LabelledSlice, size: int = MODEL_SIZE) -> Grey:
    """Return the input that the service makes of the slice, shape (size, size)."""
    return orientation_tensor(item.grey(), item.shown_as, size=size)
