"""A frame as a person looks at it: a window, square pixels, no turn, no letters.

The first rendering is as the object wants to be shown; a CT gets a second one in which other
tissue is seen.
"""

from typing import Final

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from qa_daemon.pixels.decode import Frame
from qa_daemon.pixels.grayscale import (
    displayed_values,
    grey_values,
    has_voi_table,
    pixel_spacing,
    voi_window,
)
from qa_daemon.pixels.image import Image
from qa_daemon.pixels.tensor import Frame as Square
from qa_daemon.pixels.tensor import framed
from qa_daemon.records.preview import Window

Shades = NDArray[np.uint8]
Grey = NDArray[np.float32]

#: Longer side of a picture; a screen of 1280 pixels gives each of a pair some 400.
PICTURE_PX: Final = 512
THUMBNAIL_PX: Final = 96
DEFAULT: Final = "default"
SOFT_TISSUE: Final = ("soft tissue", Window(40.0, 400.0))
LUNG: Final = ("lung", Window(-600.0, 1500.0))
BONE: Final = ("bone", Window(500.0, 2000.0))
#: A wider window is one for lung or bone.
SOFT_WIDTH_MAX: Final = 800.0
#: A slice of which so much is as thin as lung, without the air around, holds lung.
LUNG_SHARE_MIN: Final = 0.04
LUNG_HU: Final = (-950.0, -600.0)
#: Grey values without a unit and without a window: these percentiles are black and white.
PERCENTILES: Final = (1.0, 99.5)
#: Spacing of rows against that of columns beyond which one of them is no spacing.
ASPECT_MAX: Final = 8.0


@frozen(eq=False)
class Rendering:
    """One frame under one window.

    Attributes
    ----------
    shades
        Shape (rows, columns), 0 black, neither side longer than was asked.
    """

    preset: str
    window: Window | None
    shades: Shades


def renderings(image: Image, frame: Frame, modality: str, side_max: int) -> tuple[Rendering, ...]:
    """Return a frame as its object wants to be shown, and of a CT a second window."""
    spacing = pixel_spacing(image, frame.number)
    window, shown = _first(image, frame, modality)
    found = [(DEFAULT, window, shown)]
    if modality == "CT" and frame.photometric == "MONOCHROME2":
        hu = grey_values(image, frame)
        preset, second = _second(window, hu)
        found.append((preset, second, _through(hu, second)))
    return tuple(
        Rendering(preset, window, reduced(grey, spacing, side_max))
        for preset, window, grey in found
    )


def reduced(shown: Grey, spacing: tuple[float, float], side_max: int) -> Shades:
    """Return a picture in 0..1 as shades, its pixels square; never enlarged beyond its longer side.

    Parameters
    ----------
    spacing
        Between rows, between columns; only the ratio matters.
    """
    down, across = spacing
    if not 1 / ASPECT_MAX <= down / across <= ASPECT_MAX:
        down = across = 1.0
    rows, columns = shown.shape
    height, width = rows * down, columns * across
    long = max(height, width)
    side = min(side_max, max(rows, columns))
    square = framed(shown, Square(long / 2, long / 2, long), side, (down, across))
    kept = square[: max(1, round(side * height / long)), : max(1, round(side * width / long))]
    return np.ascontiguousarray(np.clip(kept, 0.0, 1.0) * 255.0 + 0.5, np.uint8)


def thumbnail(shades: Shades) -> Shades:
    """Return a picture reduced to `THUMBNAIL_PX`."""
    return reduced(shades.astype(np.float32) / 255.0, (1.0, 1.0), THUMBNAIL_PX)


def _first(image: Image, frame: Frame, modality: str) -> tuple[Window | None, Grey]:
    if has_voi_table(image) or frame.samples.ndim == 3:
        return None, displayed_values(image, frame)
    said = voi_window(image, frame)
    if said is not None:
        return Window(*said), displayed_values(image, frame)
    grey = grey_values(image, frame)
    if modality == "CT":
        return SOFT_TISSUE[1], _through(grey, SOFT_TISSUE[1])
    low, high = np.percentile(grey, PERCENTILES)
    return None, np.asarray((grey - low) / max(float(high - low), 1e-6), np.float32)


def _second(first: Window | None, hu: Grey) -> tuple[str, Window]:
    if first is None or first.width > SOFT_WIDTH_MAX:
        return SOFT_TISSUE
    thin = (hu > LUNG_HU[0]) & (hu < LUNG_HU[1])
    return LUNG if float(thin.mean()) >= LUNG_SHARE_MIN else BONE


def _through(grey: Grey, window: Window) -> Grey:
    return np.asarray((grey - window.centre) / window.width + 0.5, np.float32)
