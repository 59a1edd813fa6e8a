"""Pictures that no source has: a head at the upper rim of the field, above something else.

In: slices and a random generator. Out: drawn-together slices. The sources show heads alone; a
hospital shows half of one above a cervical spine.
"""

import math
from collections.abc import Sequence
from functools import partial
from typing import Final

import numpy as np
from attrs import evolve, frozen
from numpy.random import Generator
from numpy.typing import NDArray

from qa_daemon.pixels.tensor import Frame, Grey, body_frame, contrast, framed
from qa_daemon.training.slices.datasets import LabelledSlice
from qa_daemon.training.slices.reformats import SIDE

#: Source of what is drawn together.
COMPOSED: Final = "drawn together"
#: How wide the upper part is, and how much of it is cut away by the upper rim of the field.
UPPER_WIDTH: Final = (0.45, 1.05)
UPPER_CUT_MAX: Final = 0.55
#: The upper part never fills more of the picture than this.
UPPER_SHARE_MAX: Final = 0.62
#: Rows over which the parts fade into each other.
SEAM_ROWS: Final = 6


@frozen
class Parts:
    """What may stand above and below, with the chances of each; all of one plane."""

    heads: tuple[LabelledSlice, ...]
    head_chances: NDArray[np.float64]
    others: tuple[LabelledSlice, ...]
    other_chances: NDArray[np.float64]


def one_above_another(parts: Parts, random: Generator) -> LabelledSlice:
    """Return a picture of two slices, the upper one mostly a head that the field cuts.

    The head is a label. What stands below may be cut to anything, so its labels stay open, and so
    does the neck between them.
    """
    is_head = bool(random.random() < 0.75)
    above = (
        _chosen(parts.heads, parts.head_chances, random)
        if is_head
        else _chosen(parts.others, parts.other_chances, random)
    )
    below = _chosen(parts.others, parts.other_chances, random)
    upper, rows = _upper(above, random)
    fade = np.clip((rows - np.arange(SIDE)) / SEAM_ROWS, 0, 1)[:, None].astype(np.float32)
    shown = np.clip(upper * fade + _lower(below, rows, random) * (1 - fade), 0, 1)
    if random.random() < 0.3:  # a receive coil at the back of the neck
        shown *= np.clip(np.linspace(random.uniform(0, 0.6), 1, SIDE), 0, 1).astype(np.float32)
    regions = ("HEAD",) if is_head else ()
    maybe = {*below.regions, *below.regions_open, "NECK"}
    maybe |= set() if is_head else {*above.regions, *above.regions_open}
    return _drawn(above, shown, regions, frozenset(maybe.difference(regions)))


def _chosen(
    items: Sequence[LabelledSlice], chances: NDArray[np.float64], random: Generator
) -> LabelledSlice:
    return items[int(random.choice(len(items), p=chances))]


def _shown(item: LabelledSlice) -> Grey:
    return contrast(item.grey(), item.shown_as)


def _upper(item: LabelledSlice, random: Generator) -> tuple[Grey, int]:
    """Return the upper part on an empty picture, and how many rows it fills."""
    shown = _shown(item)
    width = int(SIDE * random.uniform(*UPPER_WIDTH))
    square = framed(shown, body_frame(shown), width)
    last = int(random.uniform(0.8, 1.0) * width)
    first = int(random.uniform(0, UPPER_CUT_MAX) * width)
    part = square[max(first, last - int(UPPER_SHARE_MAX * SIDE)) : last]
    picture = np.zeros((SIDE, SIDE), np.float32)
    left = int(random.uniform(-0.12, 1.12 - width / SIDE) * SIDE)
    begin, end = max(0, left), min(SIDE, left + width)
    picture[: len(part), begin:end] = part[:, begin - left : end - left]
    return picture, len(part)


def _lower(item: LabelledSlice, rows: int, random: Generator) -> Grey:
    """Return the lower part, which fills the picture from some rows above its seam on."""
    shown = _shown(item)
    frame = body_frame(shown)
    side = int(SIDE * random.uniform(0.9, 1.5))
    closer = Frame(frame.centre_row, frame.centre_column, frame.side * random.uniform(0.8, 1.05))
    square = framed(shown, closer, side)
    height, width = min(side, SIDE - rows + SEAM_ROWS), min(side, SIDE)
    top = int(random.integers(side - height + 1))
    left = int(random.integers(side - width + 1))
    picture = np.zeros((SIDE, SIDE), np.float32)
    at = int(random.integers(SIDE - width + 1))
    part = square[top : top + height, left : left + width]
    picture[SIDE - height :, at : at + width] = part * np.float32(random.uniform(0.6, 1.4))
    return picture


def _drawn(
    item: LabelledSlice, shown: Grey, regions: tuple[str, ...], maybe: frozenset[str]
) -> LabelledSlice:
    pixels = np.round(shown * 255).astype(np.uint8)
    return evolve(
        item,
        read=partial(np.asarray, pixels),
        pixels=pixels,
        in_hu=False,
        source=COMPOSED,
        labels=regions,
        regions=regions,
        regions_open=maybe,
        place_mm=math.nan,
    )
