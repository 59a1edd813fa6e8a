"""Pictures that are no radiograph of a known part, drawn: they teach a model to abstain.

Each function returns grey values in 0..1, shape (side, side). Drawn, so that no third-party picture
is needed and none of those that the figures are measured on is imitated closely.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from qa_daemon.pixels.tensor import Grey


def cloud(random: Generator, side: int) -> Grey:
    """Return noise whose power falls with the frequency: skies, stone, fur, low-contrast plates."""
    frequency = np.hypot(np.fft.fftfreq(side)[:, None], np.fft.rfftfreq(side)[None, :])
    frequency[0, 0] = 1.0
    spectrum = np.fft.rfft2(random.standard_normal((side, side)))
    return _stretched(
        np.fft.irfft2(spectrum * frequency ** -random.uniform(0.0, 2.2), (side, side))
    )


def leaves(random: Generator, side: int) -> Grey:
    """Return overlapping things of all sizes under one light: the statistics of a photograph."""
    picture = cloud(random, side)
    down, across = np.mgrid[0 : 1 : side * 1j, 0 : 1 : side * 1j].astype(np.float32)
    for _ in range(int(random.integers(8, 90))):
        radius = min(0.5, 0.03 / max(random.random(), 0.02))
        inside = _thing(random, down, across, radius)
        light = random.uniform(-1, 1) * down + random.uniform(-1, 1) * across
        shade = (
            random.random()
            + 0.4 * light
            + 0.25 * random.random() * (cloud(random, side) if radius > 0.2 else 0)
        )
        picture = np.where(inside, shade, picture)
    return _stretched(picture)


def _thing(random: Generator, down: Grey, across: Grey, radius: float) -> NDArray[np.bool_]:
    y, x = random.uniform(0, 1, 2)
    angle = random.uniform(0, np.pi)
    along = (down - y) * np.cos(angle) + (across - x) * np.sin(angle)
    beside = (across - x) * np.cos(angle) - (down - y) * np.sin(angle)
    slim = random.uniform(0.3, 1.0)
    if random.random() < 0.5:
        return np.asarray((along / radius) ** 2 + (beside / radius / slim) ** 2 < 1)
    return np.asarray((abs(along) < radius) & (abs(beside) < radius * slim))


def page(random: Generator, side: int) -> Grey:
    """Return lines of print, tables and frames, dark on light or light on dark."""
    picture = np.ones((side, side), np.float32)
    if random.random() < 0.3:
        picture *= 0.7 + 0.3 * cloud(random, side)
    line, letter = int(random.integers(5, 14)), int(random.integers(2, 6))
    left, top = int(random.integers(4, side // 4)), int(random.integers(4, side // 4))
    for row in range(top, side - line, line):
        if random.random() < 0.15:
            continue
        end = int(random.uniform(0.3, 0.95) * side)
        ink = random.random((max(2, line // 2), max(1, (end - left) // letter))) < 0.6
        ink[:, random.random(ink.shape[1]) < 0.18] = False
        print_ = np.kron(ink, np.ones((1, letter)))
        area = picture[row : row + print_.shape[0], left : left + print_.shape[1]]
        area[print_[: area.shape[0], : area.shape[1]] > 0] = random.uniform(0, 0.3)
    for _ in range(int(random.integers(0, 7))):
        _frame(random, picture)
    return picture if random.random() < 0.75 else 1 - picture


def _frame(random: Generator, picture: Grey) -> None:
    side = len(picture)
    top, left = random.integers(0, side * 3 // 4, 2)
    height, width = random.integers(side // 10, side // 2, 2)
    area = picture[top : top + height, left : left + width]
    if random.random() < 0.5:
        area[:] = random.random()
    area[:2] = area[-2:] = area[:, :2] = area[:, -2:] = random.uniform(0, 0.4)


def fan(random: Generator, side: int) -> Grey:
    """Return speckle in a fan or a box on black with lines of print: an ultrasound picture."""
    down, across = np.mgrid[0 : 1 : side * 1j, -0.5 : 0.5 : side * 1j].astype(np.float32)
    speckle = np.abs(cloud(random, side) - 0.5) * 2
    tissue = cloud(random, side) ** random.uniform(0.6, 2.0)
    depth = np.hypot(down + random.uniform(0.0, 0.3), across)
    angle = np.arctan2(across, down + random.uniform(0.02, 0.3))
    inside = (
        (abs(angle) < random.uniform(0.4, 0.9))
        & (depth < random.uniform(0.8, 1.2))
        & (depth > random.uniform(0.05, 0.3))
    )
    if random.random() < 0.3:
        inside = (
            (abs(across) < random.uniform(0.25, 0.45))
            & (down > 0.08)
            & (down < random.uniform(0.7, 0.95))
        )
    grain = random.gamma(1.5, 0.6, (side, side))
    picture = np.where(inside, tissue * (0.4 + 0.6 * speckle) * np.clip(grain, 0, 2.5), 0)
    for _ in range(int(random.integers(0, 4))):
        y, x, r = random.uniform(0.2, 0.8), random.uniform(-0.3, 0.3), random.uniform(0.03, 0.2)
        hole = ((down - y) / r) ** 2 + ((across - x) / r / random.uniform(0.6, 2)) ** 2 < 1
        picture = np.where(hole & inside, picture * random.uniform(0.05, 0.5), picture)
    ink = (page(random, side) < 0.4) & ~inside & (random.random() < 0.6)
    return _stretched(np.where(ink, 0.8, picture))


def breast(random: Generator, side: int) -> Grey:
    """Return a half ellipse of cloudy tissue on black at one side: a mammogram."""
    down, across = np.mgrid[-1 : 1 : side * 1j, 0 : 1 : side * 1j].astype(np.float32)
    high, wide = random.uniform(0.5, 1.0), random.uniform(0.4, 0.85)
    rest = 1 - ((down - random.uniform(-0.2, 0.2)) / high) ** 2 - (across / wide) ** 2
    tissue = np.clip(rest, 0, 1) ** random.uniform(0.15, 0.5) * (
        0.3 + 0.7 * cloud(random, side) ** random.uniform(0.7, 2)
    )
    if random.random() < 0.5:
        wedge = across < random.uniform(0.1, 0.35) * (1 - (down + 1) / random.uniform(0.8, 1.6))
        tissue = np.where(wedge, 0.75 + 0.2 * cloud(random, side), tissue)
    picture = _stretched(np.where(rest > 0, tissue, 0))
    return picture if random.random() < 0.5 else picture[:, ::-1]


def phantom(random: Generator, side: int) -> Grey:
    """Return rings, bars, wedges and grids of a test object, or an empty plate with its grid."""
    down, across = np.mgrid[-1 : 1 : side * 1j, -1 : 1 : side * 1j].astype(np.float32)
    picture = np.full((side, side), random.random(), np.float32) + cloud(
        random, side
    ) * random.choice([0.02, 0.2])
    if random.random() < 0.5:
        pitch = random.uniform(4, 30)
        lines = (np.arange(side) % pitch) < random.uniform(1, pitch / 2)
        picture += np.where(
            lines[:, None] | (lines[None, :] & (random.random() < 0.6)),
            random.uniform(-0.5, 0.5),
            0,
        )
    for _ in range(int(random.integers(0, 12))):
        inside = _thing(random, (down + 1) / 2, (across + 1) / 2, random.uniform(0.02, 0.35))
        picture = np.where(
            inside, picture * random.uniform(0, 1) + random.uniform(-0.5, 0.9), picture
        )
    if random.random() < 0.4:
        picture = np.where(
            np.hypot(down, across) < random.uniform(0.5, 1.0), picture, random.choice([0.0, 1.0])
        )
    return _stretched(picture)


def cells(random: Generator, side: int) -> Grey:
    """Return many small blobs, or a disc with branching lines: microscopy, an eye, stars."""
    down, across = np.mgrid[0 : 1 : side * 1j, 0 : 1 : side * 1j].astype(np.float32)
    picture = 0.3 * cloud(random, side)
    radius = random.uniform(0.006, 0.05)
    for _ in range(int(random.integers(20, 150))):
        y, x = random.random(2)
        top, left = int(max(0, (y - 3 * radius) * side)), int(max(0, (x - 3 * radius) * side))
        at = np.s_[top : int((y + 3 * radius) * side) + 2, left : int((x + 3 * radius) * side) + 2]
        far = np.hypot(down[at] - y, across[at] - x) / radius
        picture[at] += np.exp(-(far ** random.uniform(2, 6))) * random.uniform(0.2, 0.8)
    if random.random() < 0.3:
        for _ in range(int(random.integers(5, 20))):
            angle, bend = random.uniform(0, 6.3), random.uniform(-2, 2)
            along = np.linspace(0, 0.5, 2 * side)
            y = 0.5 + along * np.sin(angle + bend * along)
            x = 0.5 + along * np.cos(angle + bend * along)
            picture[(y * (side - 2)).astype(int), (x * (side - 2)).astype(int)] -= 0.3
        picture = np.where(np.hypot(down - 0.5, across - 0.5) < 0.48, picture + 0.5, 0)
    return _stretched(picture)


def snow(random: Generator, side: int) -> Grey:
    """Return coarse or fine noise without any shape."""
    coarse = int(random.choice([1, 2, 4, 8]))
    count = -(-side // coarse)
    return np.kron(random.random((count, count)), np.ones((coarse, coarse)))[:side, :side].astype(
        np.float32
    )


KINDS: Final[Mapping[str, Callable[[Generator, int], Grey]]] = {
    "cloud": cloud, "leaves": leaves, "page": page, "fan": fan, "breast": breast,
    "phantom": phantom, "cells": cells, "snow": snow,
}  # fmt: skip


def stranger(random: Generator, side: int) -> Grey:
    """Return one of `KINDS`, cut to a random aspect."""
    picture = KINDS[str(random.choice(list(KINDS)))](random, side)
    rows, columns = random.uniform(0.6, 1.0, 2) ** (random.random() < 0.6)
    return np.ascontiguousarray(picture[: int(rows * side), : int(columns * side)])


def _stretched(picture: NDArray[Any]) -> Grey:
    low, high = float(picture.min()), float(picture.max())
    return np.asarray((picture - low) / max(high - low, 1e-6), np.float32)
