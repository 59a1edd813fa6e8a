"""What may differ between two radiographs of the same part: plate, shutter, marker, exposure, pose.

In: grey values as published and a random generator. Out: another picture of the same part, as
another hospital could have sent it. `pixels.radiograph` then makes the input of it, so that what
the service undoes is undone here by the same code, and what it cannot undo is learned.
"""

from typing import Final

import numpy as np
from attrs import frozen
from numpy.random import Generator
from numpy.typing import NDArray

from qa_daemon.pixels.radiograph import Field, exposed_field
from qa_daemon.pixels.tensor import Grey

#: Knots of a random curve of exposure.
CURVE_KNOTS: Final = 6
#: Letters as lead markers show them, rows of five bits.
GLYPHS: Final = {
    "L": (16, 16, 16, 16, 16, 16, 31),
    "R": (30, 17, 17, 30, 20, 18, 17),
    "D": (30, 17, 17, 17, 17, 17, 30),
    "E": (31, 16, 16, 30, 16, 16, 31),
    "A": (14, 17, 17, 31, 17, 17, 17),
    "P": (30, 17, 17, 30, 16, 16, 16),
    "4": (2, 6, 10, 18, 31, 2, 2),
    "7": (31, 1, 2, 4, 8, 8, 8),
    "O": (14, 17, 17, 17, 17, 17, 14),
    "T": (31, 4, 4, 4, 4, 4, 4),
}


@frozen(kw_only=True)
class Variety:
    """How much may change; shares are those of the pictures that are changed in that way.

    Attributes
    ----------
    turn_degrees
        Greatest small turn.
    quarter, mirrored
        Shares turned by 90, 180 or 270 degrees, and mirrored.
    zoom, shift, stretch
        Least and greatest share of the field's sides that the new picture shows; greatest shift in
        shares of the field; greatest change of the aspect.
    inverted, curved, local
        Shown as a negative; under another curve of exposure; large structures flattened.
    blurred, noisy, shuttered, marked
        Less or more sharp; with noise; cut by a shutter; with letters in it.
    """

    turn_degrees: float = 20.0
    quarter: float = 0.12
    mirrored: float = 0.5
    zoom: tuple[float, float] = (0.62, 1.5)
    shift: float = 0.12
    stretch: float = 1.2
    inverted: float = 0.12
    curved: float = 0.8
    local: float = 0.25
    blurred: float = 0.3
    noisy: float = 0.35
    shuttered: float = 0.25
    marked: float = 0.4


STRONG: Final = Variety()


@frozen(eq=False)
class Ready:
    """A picture and its field, found once."""

    pixels: NDArray[np.uint8]
    field: Field

    @property
    def shown(self) -> Grey:
        """The picture in 0..1."""
        low, high = int(self.pixels.min()), int(self.pixels.max())
        return (self.pixels - np.float32(low)) / np.float32(max(high - low, 1))


def ready(pixels: NDArray[np.uint8]) -> Ready:
    """Return what does not change between two draws."""
    return Ready(pixels, exposed_field(pixels.astype(np.float32)))


def varied(subject: Ready, random: Generator, side: int, variety: Variety = STRONG) -> Grey:
    """Return another picture of the same part, its longer side about `side` samples, in 0..1."""
    posed = _posed(subject, random, side, variety)
    inside = posed >= 0
    picture = _exposed(np.clip(posed, 0.0, 1.0), random, variety)
    if random.random() < variety.inverted:
        picture = np.float32(1.0) - picture
    picture = np.where(inside, picture, np.float32(_plate(random)))
    if random.random() < variety.shuttered:
        picture = _shuttered(picture, random)
    if random.random() < variety.marked:
        for _ in range(int(random.integers(1, 4))):
            _mark(picture, random)
    return np.asarray(picture, np.float32)


def _exposed(picture: Grey, random: Generator, variety: Variety) -> Grey:
    """Return the picture as another machine would have shown it."""
    if random.random() < variety.local:
        picture = _locally_evened(picture, random)
    if random.random() < variety.blurred:
        picture = _blurred(picture, random)
    if random.random() < variety.curved:
        picture = _curved(picture, random)
    if random.random() < variety.noisy:
        noise = random.standard_normal(picture.shape, np.float32)
        picture = picture + noise * np.float32(random.uniform(0.0, 0.06))
    return picture


def _plate(random: Generator) -> float:
    """Return the brightness of what lies beyond the picture."""
    lot = random.random()
    if lot < 0.45:
        return float(random.uniform(0.0, 0.08))
    return float(random.uniform(0.0, 1.0)) if lot < 0.7 else float(random.uniform(0.92, 1.0))


def _posed(subject: Ready, random: Generator, side: int, variety: Variety) -> Grey:
    """Return a window on the field, turned, zoomed and stretched; -1 beyond the picture."""
    shown, field = subject.shown, subject.field
    rows, columns = shown.shape
    height = (field.bottom - field.top) * rows
    width = (field.right - field.left) * columns
    zoom = np.exp(random.uniform(*np.log(variety.zoom)))
    stretch = np.exp(random.uniform(-1, 1) * np.log(variety.stretch))
    high, wide = height * zoom * stretch**0.5, width * zoom / stretch**0.5
    row = (field.top + field.bottom) / 2 * rows + _slack(random, height, high, variety.shift)
    column = (field.left + field.right) / 2 * columns + _slack(random, width, wide, variety.shift)
    scale = side / max(high, wide)
    down = (np.arange(max(8, round(high * scale))) + 0.5) / scale - high / 2
    across = (np.arange(max(8, round(wide * scale))) + 0.5) / scale - wide / 2
    own = 0.06 if variety.stretch > 1.0 else 0.0
    down = down / random.uniform(1 - own, 1 + own)
    across = across / random.uniform(1 - own, 1 + own)
    angle = np.deg2rad(random.uniform(-1, 1) * variety.turn_degrees * random.random())
    sine, cosine = np.sin(angle), np.cos(angle)
    at_rows = row - 0.5 + cosine * down[:, None] - sine * across[None, :]
    at_columns = column - 0.5 + sine * down[:, None] + cosine * across[None, :]
    picture = _bilinear(shown, at_rows, at_columns)
    if random.random() < variety.mirrored:
        picture = picture[:, ::-1]
    if random.random() < variety.quarter:
        picture = np.rot90(picture, int(random.integers(1, 4)))
    return np.ascontiguousarray(picture)


def _slack(random: Generator, whole: float, part: float, shift: float) -> float:
    return float(random.uniform(-1, 1) * (shift * whole + max(0.0, whole - part) * 0.25))


def _bilinear(shown: Grey, rows: NDArray[np.float64], columns: NDArray[np.float64]) -> Grey:
    """Return samples between pixels; -1 where there are none."""
    height, width = shown.shape
    rows, columns = rows.astype(np.float32), columns.astype(np.float32)
    outside = (rows < -0.5) | (rows > height - 0.5) | (columns < -0.5) | (columns > width - 0.5)
    np.clip(rows, 0, height - 1.001, out=rows)
    np.clip(columns, 0, width - 1.001, out=columns)
    top, left = rows.astype(np.int32), columns.astype(np.int32)
    rows -= top
    columns -= left
    flat = np.ascontiguousarray(shown).ravel()
    at = top * np.int32(width) + left
    first, below = flat.take(at), flat.take(at + width)
    first += (flat.take(at + 1) - first) * columns
    below += (flat.take(at + width + 1) - below) * columns
    first += (below - first) * rows
    first[outside] = -1.0
    return first


def _locally_evened(picture: Grey, random: Generator) -> Grey:
    """Return the picture with large structures flattened, as adaptive equalisation does."""
    radius = int(random.uniform(0.06, 0.2) * max(picture.shape))
    smooth = box_mean(picture, radius)
    spread = np.sqrt(np.maximum(box_mean(picture * picture, radius) - smooth * smooth, 1e-4))
    share = np.float32(random.uniform(0.3, 1.0))
    evened = np.clip(0.5 + (picture - smooth) / spread * np.float32(0.2), 0.0, 1.0)
    return np.asarray(picture * (1 - share) + evened * share, np.float32)


def box_mean(picture: Grey, radius: int) -> Grey:
    """Return the mean of each pixel's square neighbourhood, edges repeated."""
    padded = np.pad(picture, ((radius + 1, radius), (radius + 1, radius)), mode="edge")
    summed = padded.cumsum(0, dtype=np.float64).cumsum(1)
    side = 2 * radius + 1
    total = summed[side:, side:] - summed[:-side, side:] - summed[side:, :-side]
    return np.asarray((total + summed[:-side, :-side]) / side**2, np.float32)


def _blurred(picture: Grey, random: Generator) -> Grey:
    """Return the picture less sharp, or sharper."""
    smooth = box_mean(picture, int(random.integers(1, 3)))
    share = np.float32(random.uniform(-1.0, 1.0))
    return np.asarray(picture + (smooth - picture) * share, np.float32)


def _curved(picture: Grey, random: Generator) -> Grey:
    """Return the picture under another rising curve of exposure."""
    power = np.exp(random.normal(0.0, 0.35))
    knots = np.linspace(0.0, 1.0, CURVE_KNOTS)
    steps = np.cumsum(random.uniform(0.4, 1.6, CURVE_KNOTS - 1))
    values = np.concatenate([[0.0], steps / steps[-1]]) ** power
    clipped = np.clip(picture * random.uniform(0.9, 1.15) - random.uniform(-0.03, 0.06), 0, 1)
    return np.asarray(np.interp(clipped, knots, values), np.float32)


def _shuttered(picture: Grey, random: Generator) -> Grey:
    """Return the picture with strips beyond a shutter, straight or turned a little."""
    rows, columns = picture.shape
    down, across = np.mgrid[-1 : 1 : rows * 1j, -1 : 1 : columns * 1j].astype(np.float32)
    angle = np.deg2rad(random.uniform(-10, 10)) * (random.random() < 0.5)
    turned_down = np.cos(angle) * down - np.sin(angle) * across
    turned_across = np.sin(angle) * down + np.cos(angle) * across
    reach = random.uniform(0.7, 1.1, 4)
    hidden = (turned_down < -reach[0]) | (turned_down > reach[1])
    hidden |= (turned_across < -reach[2]) | (turned_across > reach[3])
    return np.where(hidden, np.float32(_plate(random)), picture)


def _mark(picture: Grey, random: Generator) -> None:
    """Write a letter or a line of print somewhere near an edge."""
    rows, columns = picture.shape
    count = 1 if random.random() < 0.7 else int(random.integers(2, 9))
    letters = random.choice(list(GLYPHS), count)
    bits = np.concatenate(
        [
            np.asarray([[(row >> at) & 1 for at in (5, 4, 3, 2, 1, 0)] for row in GLYPHS[letter]])
            for letter in letters
        ],
        axis=1,
    )
    scale = max(1, round(random.uniform(0.004, 0.016) * max(rows, columns)))
    if count > 1:
        scale = max(1, scale // 2)
    mark = np.kron(bits, np.ones((scale, scale))).astype(bool)
    if random.random() < 0.3:
        mark = np.rot90(mark, int(random.integers(1, 4)))
    height, width = mark.shape
    if height >= rows or width >= columns:
        return
    top, left = _edge(random, rows - height), _edge(random, columns - width)
    bright = np.float32(random.uniform(0.75, 1.0) if random.random() < 0.85 else 0.0)
    picture[top : top + height, left : left + width][mark] = bright


def _edge(random: Generator, room: int) -> int:
    """Return a place between 0 and `room`, mostly near one of the two."""
    share = random.beta(0.5, 0.5) if random.random() < 0.8 else random.random()
    return int(share * room)
