"""Stacks cut along another plane: few sources publish sagittal or coronal slices.

In: slices of stacks whose places are known. Out: slices of the other two planes through the same
body, in the axes that `datasets.LabelledSlice` promises. They are synthetic and counted as such.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Final

import numpy as np
from attrs import evolve, frozen
from numpy.typing import NDArray

from qa_daemon.pixels.tensor import Frame, framed
from qa_daemon.training.slices.datasets import REGIONS, LabelledSlice

#: A source of reformatted slices ends so, and is counted apart.
SYNTHETIC: Final = " (reformatted)"
#: Fewer slices or a shorter stack make pictures of a few rows.
SLICES_MIN: Final = 14
LENGTH_MM_MIN: Final = 70.0
#: Cuts per plane, over this middle part of the body: its ends show skin.
CUTS: Final = 9
MIDDLE: Final = (0.2, 0.8)
#: A place along an axis belongs to the body if it holds this share of the fullest place.
BODY_SHARE_MIN: Final = 0.35
#: Steps of grey above the emptiest from which on a voxel is body: 780 HU above air, or 10 %.
BODY_STEPS: Final = {True: 100, False: 25}
#: A region is a label of a cut if it fills this share of its rows; a smaller share stays open.
ROWS_SHARE_MIN: Final = 0.12
SIDE: Final = 160
#: What may be in view beside a region.
NEIGHBOURS: Final[Mapping[str, frozenset[str]]] = {
    region: frozenset(REGIONS[max(0, at - 1) : at + 2]) - {region}
    for at, region in enumerate(REGIONS)
}
#: Axes of an array (slices, rows, columns), each growing as named; and how to look at it along
#: another plane: the axis that is cut, and whether what is left has to be transposed.
_CUTS_OF: Final[Mapping[str, Mapping[str, tuple[int, bool]]]] = {
    # head to foot, posterior, left
    "axial": {"sagittal": (2, False), "coronal": (1, False)},
    # left, foot, posterior
    "sagittal": {"coronal": (2, True)},
    # posterior, foot, left
    "coronal": {"sagittal": (2, True)},
}


@frozen(eq=False)
class _Volume:
    """A stack with cubic voxels; the first axis runs as `_CUTS_OF` says."""

    voxels: NDArray[np.float32]
    regions: tuple[tuple[str, ...], ...]
    first: LabelledSlice


def reformatted(items: Iterable[LabelledSlice]) -> Iterator[LabelledSlice]:
    """Yield sagittal and coronal cuts through every stack that is long and dense enough."""
    stacks: dict[str, list[LabelledSlice]] = defaultdict(list)
    for item in items:
        if np.isfinite(item.place_mm) and item.plane in _CUTS_OF:
            stacks[f"{item.series}|{item.plane}"].append(item)
    for members in stacks.values():
        volume = _volume(members)
        if volume is not None:
            yield from _cuts(volume)


def _volume(members: Sequence[LabelledSlice]) -> _Volume | None:
    """Return the stack with voxels as thick as they are wide; None if it is too short."""
    ordered = sorted(members, key=lambda item: item.place_mm)
    if ordered[0].plane == "axial":
        ordered.reverse()  # the head comes first, as in the rows of the other planes
    places = np.abs(np.asarray([item.place_mm for item in ordered]) - ordered[0].place_mm)
    if len(ordered) < SLICES_MIN or places[-1] < LENGTH_MM_MIN:
        return None
    wanted = np.arange(0.0, places[-1], ordered[0].spacing_mm)
    above = np.clip(np.searchsorted(places, wanted), 1, len(places) - 1)
    share = (wanted - places[above - 1]) / np.maximum(places[above] - places[above - 1], 1e-6)
    stack = np.stack([item.pixels for item in ordered]).astype(np.float32)
    weight = share[:, None, None].astype(np.float32)
    nearest = np.where(share < 0.5, above - 1, above)
    return _Volume(
        stack[above - 1] * (1 - weight) + stack[above] * weight,
        tuple(ordered[at].regions for at in nearest),
        ordered[0],
    )


def _cuts(volume: _Volume) -> Iterator[LabelledSlice]:
    first = volume.first
    body = volume.voxels > volume.voxels.min() + BODY_STEPS[first.in_hu]
    labels, maybe = _regions(volume)
    for plane, (axis, is_transposed) in _CUTS_OF[first.plane].items():
        share = body.mean(axis=tuple(other for other in range(3) if other != axis))
        inside = np.flatnonzero(share > BODY_SHARE_MIN * share.max())
        ends = inside[0] + (inside[-1] - inside[0]) * np.asarray(MIDDLE)
        for number, place in enumerate(np.linspace(ends[0], ends[1], CUTS).astype(int)):
            cut = np.take(volume.voxels, place, axis)
            pixels = _squared(cut.T if is_transposed else cut)
            yield evolve(
                first,
                id=f"{first.id.partition('#')[0]}#{plane}{number}",
                read=partial(np.asarray, pixels),
                pixels=pixels,
                source=first.source + SYNTHETIC,
                plane=plane,
                series=f"{first.series}|{plane}",
                labels=labels,
                regions=labels,
                regions_open=maybe,
                place_mm=math.nan,
            )


def _regions(volume: _Volume) -> tuple[tuple[str, ...], frozenset[str]]:
    """Return the labels of a cut through the whole stack, and those that stay open."""
    if volume.first.plane != "axial":
        own = volume.first.regions
        return own, frozenset().union(*(NEIGHBOURS[region] for region in own))
    shares = {
        region: float(np.mean([region in row for row in volume.regions])) for region in REGIONS
    }
    found = tuple(region for region in REGIONS if shares[region] >= ROWS_SHARE_MIN)
    maybe = {region for region in REGIONS if shares[region] > 0}
    if not all(volume.regions) or found == ("HEAD",):
        maybe |= frozenset().union(*(NEIGHBOURS[region] for region in found))
    return found, frozenset(maybe.difference(found))


def _squared(cut: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Return the cut on a square of its darkest grey, resampled to (SIDE, SIDE)."""
    least = float(cut.min())
    rows, columns = cut.shape
    centre = Frame(rows / 2, columns / 2, float(max(rows, columns)))
    square = framed(cut - least, centre, SIDE) + least
    return np.clip(np.round(square), 0, 255).astype(np.uint8)
