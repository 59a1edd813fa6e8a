"""Slices in space: groups of one orientation, order, spacing, gaps, duplicates, strays.

All distances count along the slice normal, so that a tilted gantry, whose positions move along
the table and not along the normal, is a stack like any other.
"""

import itertools
import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from statistics import median, median_low
from typing import Final

from attrs import frozen

from qa_daemon.geometry.cosines import Cosines, Vector, added, are_alike, dot, length, scaled

# Positions nearer than this are one place: devices write 1e-3 mm or better, and no slice
# distance in use is below 0.1 mm.
SAME_PLACE_MM: Final = 0.01

# Thinned and cardiac stacks vary by a third (public data: up to 1.5); a missing slice doubles it.
GAP_RATIO_MIN: Final = 1.6

# Where Instance Numbers do not confirm a gap, its neighbours must be ordinary distances (else the
# spacing changes there, as between skull base and vertex), and gaps must be rare.
ORDINARY_RATIO_MAX: Final = 1.25
RARE_SHARE_MAX: Final = 0.25

# Numbers count as an order of the stack only if they follow it but for one slice in five.
STRAGGLER_SHARE_MAX: Final = 0.2
ORDERED_SLICES_MIN: Final = 4

# A foreign slice is one if its series is of one orientation otherwise: localisers and radial
# series have groups of similar size.
MAJORITY_RATIO_MIN: Final = 3

# Radial series have an orientation per slice; beyond so many groups the rest are not told apart.
ORIENTATION_GROUPS_MAX: Final = 32

# The sideways step of a slice against the line of the others; fields follow tilted and oblique
# stacks smoothly, so that a centimetre is no rounding.
STRAY_MM_MIN: Final = 10.0


@frozen
class Slice:
    """One image plane.

    Attributes
    ----------
    uid
        SOP Instance UID.
    number
        Instance Number, None if absent, unreadable, or for a frame of a multi-frame object.
    variant
        What tells images of one place apart: echo, time, b-value and so on, as text.
    frame
        Counted from 1 in multi-frame objects, None for single images.
    """

    uid: str
    cosines: Cosines
    position: Vector
    number: int | None = None
    variant: tuple[str, ...] = ()
    frame: int | None = None


@frozen
class Gap:
    """Slices that are missing between two neighbours.

    Attributes
    ----------
    missing_count
        How many slices of typical distance would fill it.
    is_confirmed
        Whether Instance Numbers are missing there too. Without that it may be a choice of the
        operator (two slabs in one series).
    """

    before_uid: str
    after_uid: str
    distance_mm: float
    typical_mm: float
    missing_count: int
    is_confirmed: bool


@frozen
class StackFacts:
    """What the positions of one series say.

    Attributes
    ----------
    orientation_count
        Groups of slices of one orientation.
    dissenter_uids
        Slices of other orientation in a series that has one orientation otherwise.
    spacing_mm
        Typical distance of neighbours in the largest group, None below two places.
    tilt_degrees
        Angle between the normal and the line of positions, None below two places: about the
        gantry tilt, legitimate up to 30.
    duplicate_uids
        Per place the instances that nothing tells apart.
    straggler_uids
        Slices whose Instance Number breaks an order that the others follow.
    stray_uids
        Slices whose position lies beside the line of the others.
    """

    orientation_count: int
    dissenter_uids: tuple[str, ...] = ()
    spacing_mm: float | None = None
    tilt_degrees: float | None = None
    gaps: tuple[Gap, ...] = ()
    duplicate_uids: tuple[tuple[str, ...], ...] = ()
    straggler_uids: tuple[str, ...] = ()
    stray_uids: tuple[str, ...] = ()


@frozen
class _Place:
    """Slices at one distance along the normal."""

    along_mm: float
    slices: tuple[Slice, ...]

    @property
    def number(self) -> int | None:
        """The least Instance Number: steps evenly, whether numbers run through places or times."""
        numbers = [one.number for one in self.slices if one.number is not None]
        return min(numbers) if len(numbers) == len(self.slices) else None


def orientation_groups(slices: Iterable[Slice]) -> tuple[tuple[Slice, ...], ...]:
    """Return slices of like orientation together, within 1 degree, the largest group first."""
    exact: defaultdict[Cosines, list[Slice]] = defaultdict(list)
    for one in slices:
        exact[one.cosines].append(one)
    groups: list[tuple[Cosines, list[Slice]]] = []
    for cosines, members in sorted(exact.items(), key=lambda item: -len(item[1])):
        group = next((g for g in groups if are_alike(g[0], cosines)), None)
        if group is None and len(groups) == ORIENTATION_GROUPS_MAX:
            group = groups[-1]
        if group is None:
            groups.append((cosines, list(members)))
        else:
            group[1].extend(members)
    return tuple(tuple(members) for _, members in sorted(groups, key=lambda g: -len(g[1])))


def dissenters(groups: Sequence[Sequence[Slice]]) -> tuple[str, ...]:
    """Return the instances outside the largest group, if that is the rule of the series."""
    others = [one.uid for group in groups[1:] for one in group]
    if not others or len(groups[0]) < MAJORITY_RATIO_MIN * len(others):
        return ()
    return tuple(dict.fromkeys(others))


def _places(group: Sequence[Slice]) -> tuple[_Place, ...]:
    """Return the places of one orientation group in their order along the normal."""
    normal = group[0].cosines.normal
    ordered = sorted(((dot(normal, one.position), one) for one in group), key=lambda pair: pair[0])
    places: list[tuple[float, list[Slice]]] = []
    for along, one in ordered:
        if places and along - places[-1][0] <= SAME_PLACE_MM:
            places[-1][1].append(one)
        else:
            places.append((along, [one]))
    return tuple(_Place(along, tuple(members)) for along, members in places)


def _number_steps(places: Sequence[_Place]) -> list[int] | None:
    """Return the steps of Instance Numbers along the stack, None if they do not follow it."""
    numbers = [place.number for place in places]
    known = [number for number in numbers if number is not None]
    if len(known) < len(numbers):
        return None
    steps = [after - before for before, after in itertools.pairwise(known)]
    if all(step > 0 for step in steps):
        return steps
    if all(step < 0 for step in steps):
        return [-step for step in steps]
    return None


def _is_isolated(ratios: Sequence[float], i: int) -> bool:
    """Whether distance i has an ordinary distance on either side."""
    return 0 < i < len(ratios) - 1 and max(ratios[i - 1], ratios[i + 1]) <= ORDINARY_RATIO_MAX


def gaps(places: Sequence[_Place]) -> tuple[Gap, ...]:
    """Return where slices are missing between neighbouring places."""
    if len(places) < 3:
        return ()
    distances = [b.along_mm - a.along_mm for a, b in itertools.pairwise(places)]
    typical = median_low(distances)
    ratios = [distance / typical for distance in distances]
    wide = [i for i, ratio in enumerate(ratios) if ratio >= GAP_RATIO_MIN]
    steps = _number_steps(places)
    confirmed: set[int] = set()
    if steps is not None:
        usual = median_low(steps)
        confirmed = {i for i in wide if steps[i] >= GAP_RATIO_MIN * usual}
    are_rare = len(wide) <= max(1.0, RARE_SHARE_MAX * len(distances))
    return tuple(
        Gap(
            before_uid=places[i].slices[-1].uid,
            after_uid=places[i + 1].slices[0].uid,
            distance_mm=distances[i],
            typical_mm=typical,
            missing_count=round(ratios[i]) - 1,
            is_confirmed=i in confirmed,
        )
        for i in wide
        if i in confirmed or (are_rare and _is_isolated(ratios, i))
    )


def duplicates(places: Sequence[_Place]) -> tuple[tuple[str, ...], ...]:
    """Return per place the single images that nothing tells apart.

    Where at least half of the places are taken more than once by images of different number, it
    is a series of times or echoes whose distinction is private, and no duplicate.
    """
    found = []
    for place in places:
        alike: defaultdict[tuple[object, ...], list[Slice]] = defaultdict(list)
        for one in place.slices:
            if one.frame is None:
                spot = tuple(round(value, 2) for value in one.position)
                alike[(spot, one.variant)].append(one)
        found += [tuple(group) for group in alike.values() if len(group) > 1]
    if 2 * len(found) >= len(places):
        found = [group for group in found if _repeats_a_number(group)]
    return tuple(tuple(one.uid for one in group) for group in found)


def _repeats_a_number(group: Sequence[Slice]) -> bool:
    return max(Counter(one.number for one in group).values()) > 1


def _outside_longest_run(numbers: Sequence[int]) -> set[int]:
    """Return the indices outside the longest increasing subsequence (patience sorting)."""
    ends: list[int] = []
    before: list[int | None] = []
    for i, number in enumerate(numbers):
        low, high = 0, len(ends)
        while low < high:
            middle = (low + high) // 2
            if numbers[ends[middle]] < number:
                low = middle + 1
            else:
                high = middle
        before.append(ends[low - 1] if low else None)
        ends[low : low + 1] = [i]
    outside = set(range(len(numbers)))
    at: int | None = ends[-1] if ends else None
    while at is not None:
        outside.discard(at)
        at = before[at]
    return outside


def stragglers(places: Sequence[_Place]) -> tuple[str, ...]:
    """Return the slices whose Instance Number breaks the order that the others follow."""
    numbers = [place.number for place in places]
    known = [number for number in numbers if number is not None]
    if len(known) < max(len(numbers), ORDERED_SLICES_MIN):
        return ()
    outside = min(
        _outside_longest_run(known), _outside_longest_run([-number for number in known]), key=len
    )
    if len(outside) > max(1.0, STRAGGLER_SHARE_MAX * len(known)):
        return ()
    return tuple(one.uid for i in sorted(outside) for one in places[i].slices)


def _sideways(place: _Place, normal: Vector) -> Vector:
    position = place.slices[0].position
    return added(position, scaled(normal, -dot(normal, position)))


def strays(places: Sequence[_Place]) -> tuple[str, ...]:
    """Return the slices whose position lies beside the line of the others."""
    if len(places) < ORDERED_SLICES_MIN:
        return ()
    normal = places[0].slices[0].cosines.normal
    offsets = [_sideways(place, normal) for place in places]
    off = [0.0] * len(places)
    for axis in range(3):
        values = [offset[axis] for offset in offsets]
        slope = median(
            (values[i + 1] - values[i]) / (places[i + 1].along_mm - places[i].along_mm)
            for i in range(len(places) - 1)
        )
        rest = [v - slope * place.along_mm for v, place in zip(values, places, strict=True)]
        middle = median(rest)
        off = [max(a, abs(value - middle)) for a, value in zip(off, rest, strict=True)]
    far = [i for i, distance in enumerate(off) if distance > STRAY_MM_MIN]
    if len(far) > max(1.0, STRAGGLER_SHARE_MAX * len(places)):
        return ()
    return tuple(one.uid for i in far for one in places[i].slices)


def _tilt_degrees(places: Sequence[_Place]) -> float:
    """Return the angle between the normal and the way from the first position to the last."""
    first, last = places[0].slices[0], places[-1].slices[0]
    way = added(last.position, scaled(first.position, -1))
    cosine = dot(way, first.cosines.normal) / (length(way) * length(first.cosines.normal))
    return math.degrees(math.acos(max(-1.0, min(1.0, cosine))))


def stack_facts(slices: Sequence[Slice]) -> StackFacts:
    """Return what the positions of a series say, each group of one orientation by itself."""
    groups = orientation_groups(slices)
    if not groups:
        return StackFacts(0)
    placed = [_places(group) for group in groups]
    largest = placed[0]
    distances = [b.along_mm - a.along_mm for a, b in itertools.pairwise(largest)]
    return StackFacts(
        orientation_count=len(groups),
        dissenter_uids=dissenters(groups),
        spacing_mm=median_low(distances) if distances else None,
        tilt_degrees=_tilt_degrees(largest) if distances else None,
        gaps=tuple(gap for places in placed for gap in gaps(places)),
        duplicate_uids=tuple(group for places in placed for group in duplicates(places)),
        straggler_uids=tuple(uid for places in placed for uid in stragglers(places)),
        stray_uids=tuple(uid for places in placed for uid in strays(places)),
    )
