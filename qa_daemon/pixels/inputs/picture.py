"""What `image_kind` looks at: any picture as a small square, freed of border and background.

Slices and radiographs, full-size or thumbnails, in HU or in 8 bits, come out alike: constant edges
are peeled off, a constant background becomes 0 (and tells whether the picture is inverted), the
contrast above it is stretched, the body is framed, and what lies outside the inscribed disc is 0.
The same function makes the input in training and in service; numpy only.
"""

from typing import Final

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from qa_daemon.pixels.tensor import (
    BODY_CONTRAST_MIN,
    SPREAD_MIN,
    Frame,
    body_frame,
    contrast,
    framed,
    standardised,
)

Grey = NDArray[np.float32]

#: The side of the square that the shipped model takes: that of the pictures of Medical MNIST.
PICTURE_SIZE: Final = 64
#: Larger pictures are reduced by whole blocks, smaller ones repeated, to about this many pixels.
REDUCED_SIDE: Final = 160
REDUCED_REPEATS_MAX: Final = 4
#: A CT whose lowest values lie below this is in Hounsfield units; 8-bit copies never are.
HU_LOW_MAX: Final = -300.0
#: Percentiles taken as the whole range of a picture.
RANGE_PERCENTILES: Final = (0.5, 99.5)
#: White, as a percentile of what is brighter than the background.
WHITE_PERCENTILE: Final = 99.0
#: Old 8-bit copies of CT show soft tissue in the lowest fifth of their range, below bone: a power
#: brings it out and keeps which is how much brighter than which.
POWER: Final = 0.6
#: Body is where this share of the neighbourhood, `SMOOTH_SAMPLES` wide, is brighter than a tenth:
#: slices of noisy copies are made of specks.
BODY_SHARE_MIN: Final = 0.3
SMOOTH_SAMPLES: Final = 5
#: Grey values this share of the range apart count as equal: JPEG noise in constant areas.
EQUAL_SHARE: Final = 0.03
#: An edge row or column is a border if this share of it equals its median ...
BORDER_SHARE_MIN: Final = 0.96
#: ... and at most this share of a side is peeled off from each edge.
PEELED_SHARE_MAX: Final = 0.3
#: Background is what at least three of the four corners show; a corner is this share of a side.
CORNER_SHARE: Final = 1 / 16
CORNERS_MIN: Final = 3


@frozen(eq=False)
class Shown:
    """A picture in contrast 0..1 without borders, and the square around what it shows."""

    contrast: Grey
    frame: Frame


def picture_tensor(grey: Grey, modality: str, *, size: int = PICTURE_SIZE) -> Grey:
    """Return a picture as the model sees it, shape (size, size), as stored (not turned).

    Parameters
    ----------
    grey
        Values after the modality LUT (CT: HU where it says so), shape (rows, columns).
    modality
        Modality (0008,0060); only CT in HU is treated apart.
    size
        Side of the square, as the model's card says.
    """
    shown = shown_picture(grey, modality)
    return standardised(framed(shown.contrast, shown.frame, size))


def shown_picture(grey: Grey, modality: str) -> Shown:
    """Return the picture without borders and background, reduced, with the frame of its body."""
    picture = peeled(_reduced(np.nan_to_num(grey.astype(np.float32, copy=False))))
    if modality == "CT" and float(np.percentile(picture, 2.0)) < HU_LOW_MAX:
        clear = contrast(picture, "CT")
    else:
        clear = stretched(picture)
    body = _smoothed((clear > BODY_CONTRAST_MIN).astype(np.float32))
    return Shown(clear, body_frame(body * np.float32(BODY_CONTRAST_MIN / BODY_SHARE_MIN)))


def peeled(picture: Grey) -> Grey:
    """Return the picture without constant rows and columns at its edges: frames and padding."""
    low, high = np.percentile(picture, RANGE_PERCENTILES)
    equal = EQUAL_SHARE * float(high - low)
    if equal <= 0.0:
        return picture
    rows, columns = picture.shape
    most = (int(rows * PEELED_SHARE_MAX), int(columns * PEELED_SHARE_MAX))
    top, bottom, left, right = 0, 0, 0, 0
    while True:
        inner = picture[top : rows - bottom, left : columns - right]
        before = (top, bottom, left, right)
        top += top < most[0] and _is_constant(inner[0], equal)
        bottom += bottom < most[0] and _is_constant(inner[-1], equal)
        left += left < most[1] and _is_constant(inner[:, 0], equal)
        right += right < most[1] and _is_constant(inner[:, -1], equal)
        if (top, bottom, left, right) == before:
            return inner


def stretched(picture: Grey) -> Grey:
    """Return grey values without a unit as contrast 0..1: background black, the rest stretched."""
    low, high = (float(value) for value in np.percentile(picture, RANGE_PERCENTILES))
    if high - low < SPREAD_MIN:
        return np.zeros(picture.shape, np.float32)
    equal = EQUAL_SHARE * (high - low)
    background = _background(picture, equal)
    if background is not None:
        brighter = picture > background + equal
        # A bright background is that of an inverted picture or of a plate: nothing to subtract.
        if brighter.sum() > (picture < background - equal).sum():
            low = background + equal
            high = float(np.percentile(picture[brighter], WHITE_PERCENTILE))
    clear = (picture - np.float32(low)) / np.float32(max(high - low, SPREAD_MIN))
    return np.asarray(np.clip(clear, 0.0, 1.0) ** np.float32(POWER), np.float32)


def _smoothed(body: Grey) -> Grey:
    """Return the mean over the neighbourhood of each sample; the edge goes on beyond itself."""
    reach = SMOOTH_SAMPLES // 2
    rows, columns = body.shape
    padded = np.pad(body, reach, mode="edge")
    down = sum(padded[at : at + rows] for at in range(SMOOTH_SAMPLES))
    across = sum(np.asarray(down)[:, at : at + columns] for at in range(SMOOTH_SAMPLES))
    return np.asarray(across, np.float32) / np.float32(SMOOTH_SAMPLES**2)


def _background(picture: Grey, equal: float) -> float | None:
    """Return the value on which the corners agree, None if they do not."""
    rows, columns = picture.shape
    down, across = max(1, int(rows * CORNER_SHARE)), max(1, int(columns * CORNER_SHARE))
    corners = [
        float(np.median(picture[place]))
        for place in (
            np.s_[:down, :across],
            np.s_[:down, -across:],
            np.s_[-down:, :across],
            np.s_[-down:, -across:],
        )
    ]
    middle = float(np.median(corners))
    agreed = [corner for corner in corners if abs(corner - middle) <= equal]
    return float(np.mean(agreed)) if len(agreed) >= CORNERS_MIN else None


def _is_constant(line: Grey, equal: float) -> bool:
    return float(np.mean(np.abs(line - np.median(line)) <= equal)) >= BORDER_SHARE_MIN


def _reduced(picture: Grey) -> Grey:
    """Return means of square blocks, or repeated pixels: widths in pixels mean the same then."""
    block = max(1, min(picture.shape) // REDUCED_SIDE)
    if block == 1:
        repeats = min(REDUCED_REPEATS_MAX, max(1, REDUCED_SIDE // max(picture.shape)))
        return np.kron(picture, np.ones((repeats, repeats), np.float32))
    rows, columns = (side // block * block for side in picture.shape)
    blocks = picture[:rows, :columns].reshape(rows // block, block, columns // block, block)
    return np.asarray(blocks.mean(axis=(1, 3)), np.float32)
