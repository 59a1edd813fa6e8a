"""Faults of radiographs, made from faultless ones: what `image_quality` is fitted on and shown.

In: a picture as displayed, float32 0..1, shape (rows, columns), and a random generator. Out: the
picture with one fault. All of it is synthetic: real repeats were not to be had. Lengths are those
of a picture with a long edge of 256 pixels and scale with it.
"""

from collections.abc import Callable, Mapping
from typing import Final

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from qa_daemon.pixels.tensor import Frame, Grey, framed

EDGE: Final = 256
#: Standard deviation of the blur, in pixels at `EDGE`.
BLUR: Final = (1.3, 4.5)
#: Way of the motion, in pixels at `EDGE`; one in four rests twice and jerks between.
WAY: Final = (6.0, 22.0)
JERK_SHARE: Final = 0.25
#: Share of the tissue whose levels are lost at one end, or at both.
LOST: Final = (0.22, 0.6)
LOST_AT_BOTH: Final = (0.12, 0.35)
#: Share of a side that is cut off.
CUT: Final = (0.25, 0.5)
#: What is darker than this is ground, not tissue.
TISSUE_MIN: Final = 0.04


def too_dark(shown: Grey, random: Generator) -> Grey:
    """Return the picture underexposed: scaled down, bent down, or shifted below black."""
    way = random.random()
    if way < 0.5:
        return shown * np.float32(random.uniform(0.1, 0.42))
    if way < 0.8:
        bent = shown ** np.float32(random.uniform(2.2, 4.5))
        return np.asarray(bent * np.float32(random.uniform(0.5, 1.0)), np.float32)
    return np.asarray(np.clip(shown - random.uniform(0.3, 0.5), 0.0, 1.0), np.float32)


def clipped(shown: Grey, random: Generator) -> Grey:
    """Return the picture with levels of tissue lost in white, in black, or in both."""
    tissue = shown[shown > TISSUE_MIN]
    if tissue.size == 0:
        tissue = shown.ravel()
    way = random.random()
    if way < 0.1:
        return np.asarray(np.clip(shown * random.uniform(1.5, 3.0), 0.0, 1.0), np.float32)
    low, high = 0.0, 1.0
    if way < 0.5:
        high = float(np.quantile(tissue, 1.0 - random.uniform(*LOST)))
    elif way < 0.75:
        low = float(np.quantile(tissue, random.uniform(*LOST)))
    else:
        low = float(np.quantile(tissue, random.uniform(*LOST_AT_BOTH)))
        high = float(np.quantile(tissue, 1.0 - random.uniform(*LOST_AT_BOTH)))
    stretched = (shown - np.float32(low)) / np.float32(max(high - low, 0.02))
    return np.asarray(np.clip(stretched, 0.0, 1.0), np.float32)


def blurred(shown: Grey, random: Generator) -> Grey:
    """Return the picture out of focus."""
    deviation = random.uniform(*BLUR) * max(shown.shape) / EDGE
    reach = int(np.ceil(2.5 * deviation))
    kernel = np.exp(-(np.arange(-reach, reach + 1) ** 2) / (2 * deviation**2))
    kernel = (kernel / kernel.sum()).astype(np.float32)
    return _along(_along(shown, kernel).T, kernel).T


def moving(shown: Grey, random: Generator) -> Grey:
    """Return the picture of a patient who moved: mean of copies along a straight or bent way."""
    length = random.uniform(*WAY) * max(shown.shape) / EDGE
    count = int(length) + 3
    along = np.linspace(-0.5, 0.5, count) * length
    if random.random() < JERK_SHARE:
        rests = np.where(np.arange(count) < count * random.uniform(0.4, 0.6), -0.5, 0.5)
        along = rests * length + random.normal(0.0, 0.4, count)
    bend = random.normal(0.0, 0.1) * length * np.linspace(-1.0, 1.0, count) ** 2
    angle = random.uniform(0.0, np.pi)
    down = np.sin(angle) * along + np.cos(angle) * bend
    across = np.cos(angle) * along - np.sin(angle) * bend
    room = int(np.abs([down, across]).max()) + 1
    padded = np.pad(shown, room, "edge")
    rows, columns = shown.shape
    total = np.zeros(shown.shape, np.float32)
    for row, column in np.round(np.stack([down, across], axis=1)).astype(int) + room:
        total += padded[row : row + rows, column : column + columns]
    return total / np.float32(count)


def cut_off(shown: Grey, random: Generator) -> Grey:
    """Return the picture without a strip of one side: left out of the field, or blank."""
    turn = int(random.integers(4))
    turned = np.rot90(shown, turn)
    count = int(len(turned) * random.uniform(*CUT))
    if random.random() < 0.5:
        left = turned[count:]
    else:
        left = turned.copy()
        left[:count] = random.choice([0.0, 0.0, 1.0, float(np.median(turned))])
    return np.ascontiguousarray(np.rot90(left, -turn))


def inverted(shown: Grey, random: Generator) -> Grey:  # noqa: ARG001  there is one way only
    """Return the negative."""
    return np.float32(1.0) - shown


Fault = Callable[[Grey, Generator], Grey]
#: By label of the contract, in the order in which they befall a picture.
FAULTS: Final[Mapping[str, Fault]] = {
    "cut_off": cut_off,
    "moving": moving,
    "blurred": blurred,
    "inverted": inverted,
    "clipped": clipped,
    "too_dark": too_dark,
}


def usual(shown: Grey, random: Generator) -> Grey:
    """Return the picture as another hospital might have made it: no fault at all."""
    if random.random() < 0.7:
        shown = shown ** np.float32(np.exp(random.normal(0.0, 0.22)))
        gain, lift = random.uniform(0.8, 1.1), random.uniform(-0.04, 0.06)
        shown = np.clip(shown * np.float32(gain) + np.float32(lift), 0.0, 1.0)
    if random.random() < 0.3:
        noise = random.standard_normal(shown.shape, np.float32)
        shown = np.clip(shown + noise * np.float32(random.uniform(0.0, 0.03)), 0.0, 1.0)
    if random.random() < 0.3:
        top, bottom, left, right = (random.random(4) * 0.06 * np.repeat(shown.shape, 2)).astype(int)
        shown = shown[top : shown.shape[0] - bottom, left : shown.shape[1] - right]
    if random.random() < 0.25:
        edges = random.integers(0, 20, (2, 2))
        level = float(random.choice([0.0, 0.0, 1.0, 0.5]))
        shown = np.pad(shown, edges, constant_values=level)
    if random.random() < 0.35:
        shown = softened(shown, random.uniform(0.8, 1.0))
    if random.random() < 0.5:
        shown = shown[:, ::-1]
    if random.random() < 0.25:
        shown = np.rot90(shown, int(random.integers(4)))
    return np.ascontiguousarray(shown)


def softened(shown: Grey, share: float) -> Grey:
    """Return the picture resampled to a share of its size, aspect kept."""
    long = max(shown.shape)
    size = max(8, int(long * share))
    rows, columns = (max(1, round(side * size / long)) for side in shown.shape)
    return framed(shown, Frame(long / 2, long / 2, float(long)), size)[:rows, :columns]


def _along(shown: Grey, kernel: NDArray[np.float32]) -> Grey:
    """Return the picture convolved along its columns; its edge is repeated."""
    reach = len(kernel) // 2
    padded = np.pad(shown, ((reach, reach), (0, 0)), "edge")
    total = np.zeros(shown.shape, np.float32)
    for at, weight in enumerate(kernel):
        total += weight * padded[at : at + len(shown)]
    return total
