"""Where slices lie: positions, spacing, gaps, duplicates, order, foreign planes."""

import math
from collections.abc import Collection, Iterable
from typing import Final

from qa_daemon.geometry.cosines import Cosines, Fault, dot
from qa_daemon.geometry.placement import Placement
from qa_daemon.geometry.stack import Gap, dissenters, orientation_groups
from qa_daemon.rules.checks.registry import Options, number, of_series
from qa_daemon.rules.facts import (
    PASSED,
    Answer,
    Hit,
    NotApplicable,
    SeriesFacts,
    Slice,
    demands_plane,
    uids,
)
from qa_daemon.series.slices import whole

# A field whose first voxel lies half a field beyond the isocentre, within a tenth of the field:
# reversed, it would be centred. Smaller fields (wrist, elbow) do lie that far out.
_HALF_FIELD: Final = (0.4, 0.6)
_FIELD_MM_MIN: Final = 200.0
# The other direction must be centred, else nothing is known of where the middle is.
_CENTRED_WITHIN: Final = 0.1

_STACK_SLICES_MIN: Final = 2


def _hit(concerned: Iterable[str], facts: SeriesFacts, message: str = "") -> Answer:
    wanted = set(concerned)
    if not wanted:
        return PASSED
    instances = [each for each in facts.series.instances if each.sop_instance_uid in wanted]
    return (Hit(message, uids(instances, facts.series.instances)),)


def _planar(facts: SeriesFacts) -> tuple[Slice, ...]:
    """Return the frames of objects that speak of a plane at all."""
    return tuple(each for each in facts.slices if each.cosines is not None)


def _is_wrong(value: tuple[float, ...] | Fault | None, each: Slice) -> bool:
    """Whether a value is faulty, or absent from an object whose class demands it."""
    if value is None:
        return demands_plane(each.instance)
    return isinstance(value, Fault)


@of_series
def image_position_valid(facts: SeriesFacts, _: Options) -> Answer:
    """Check that every frame with an orientation has a position of three plausible numbers."""
    slices = _planar(facts)
    if not slices:
        return NotApplicable()
    wrong = [each for each in slices if _is_wrong(each.position, each)]
    said = wrong[0].position if wrong else None
    message = said.message if isinstance(said, Fault) else "Image Position (Patient) is absent"
    return _hit((each.instance.sop_instance_uid for each in wrong), facts, f"{message}.")


@of_series
def pixel_spacing_valid(facts: SeriesFacts, _: Options) -> Answer:
    """Check that every frame with an orientation has a Pixel Spacing of two numbers above zero."""
    slices = _planar(facts)
    if not slices:
        return NotApplicable()
    wrong = [each for each in slices if _is_wrong(each.spacing, each)]
    said = wrong[0].spacing if wrong else None
    message = said.message if isinstance(said, Fault) else "Pixel Spacing is absent"
    return _hit((each.instance.sop_instance_uid for each in wrong), facts, f"{message}.")


@of_series
def image_position_fits_orientation(facts: SeriesFacts, _: Options) -> Answer:
    """Check that no direction leads a field away from the isocentre, reversed to its middle."""
    placed = [
        (frame.instance.sop_instance_uid, placement)
        for frame in facts.frames
        if (placement := frame.placement) is not None
    ]
    if not placed:
        return NotApplicable()
    wrong = [(uid, along) for uid, placement in placed if (along := _runs_away(placement))]
    if 2 * len(wrong) <= len(placed):
        return PASSED
    message = (
        "By Image Position (Patient) the first voxel lies on the far side of the isocentre, and "
        f"by Image Orientation (Patient) the {wrong[0][1]} run further away. One is wrong."
    )
    return _hit((uid for uid, _ in wrong), facts, message)


def _runs_away(placement: Placement) -> str:
    width, height = placement.field_mm
    if min(width, height) < _FIELD_MM_MIN:
        return ""
    across = dot(placement.cosines.row, placement.position) / width
    down = dot(placement.cosines.column, placement.position) / height
    if _is_centred(across) and _HALF_FIELD[0] <= down <= _HALF_FIELD[1]:
        return "columns"
    if _is_centred(down) and _HALF_FIELD[0] <= across <= _HALF_FIELD[1]:
        return "rows"
    return ""


def _is_centred(offset: float) -> bool:
    return abs(offset + 0.5) <= _CENTRED_WITHIN


def _is_single(facts: SeriesFacts) -> bool:
    return len(facts.placed) < _STACK_SLICES_MIN


@of_series
def planes_alike(facts: SeriesFacts, options: Options) -> Answer:
    """Check that no single slices lie in another plane than nearly all the others."""
    if _is_single(facts):
        return NotApplicable()
    groups = orientation_groups(facts.placed)
    foreign = set(dissenters(groups))
    common, limit = groups[0][0].cosines, number(options, "degrees", 30.0)
    outside = [
        each.uid
        for group in groups[1:]
        for each in group
        if each.uid in foreign and _degrees_between(common, each.cosines) > limit
    ]
    count = f"{len(set(outside))} of {len(facts.series.instances)} instances"
    return _hit(outside, facts, f"{count} lie in another plane than the rest of the series.")


def _degrees_between(a: Cosines, b: Cosines) -> float:
    """Return the angle of the rotation that brings one slice's directions to the other's."""
    trace = dot(a.row, b.row) + dot(a.column, b.column) + dot(a.normal, b.normal)
    return math.degrees(math.acos(max(-1.0, min(1.0, (trace - 1) / 2))))


@of_series
def planes_same(facts: SeriesFacts, _: Options) -> Answer:
    """Check that all slices have one orientation, within a degree."""
    if _is_single(facts):
        return NotApplicable()
    count = facts.stack.orientation_count
    if count == 1:
        return PASSED
    return (Hit(f"The series has {count} different orientations."),)


def _slices(count: int) -> str:
    return "1 slice is" if count == 1 else f"{count} slices are"


def _is_explained(
    gap: Gap, before: int | None, after: int | None, astray: Collection[int | None]
) -> bool:
    """Whether Instance Numbers say that nothing was lost at a gap.

    They run on across it, as in two slabs that were planned; or the slices that would fill it are
    there, and lie in another plane, which is a finding of its own.
    """
    if before is None or after is None:
        return False
    between = range(min(before, after) + 1, max(before, after))
    return not between or (len(between) == gap.missing_count and set(between) <= set(astray))


@of_series
def stack_without_gaps(facts: SeriesFacts, _: Options) -> Answer:
    """Check that no neighbouring slices lie several slice distances apart."""
    if _is_single(facts):
        return NotApplicable()
    numbers = {
        each.sop_instance_uid: whole(each.elements, "InstanceNumber")
        for each in facts.series.instances
    }
    astray = {numbers.get(uid) for uid in facts.stack.dissenter_uids} - {None}
    gaps = [
        gap
        for gap in facts.stack.gaps
        if not _is_explained(gap, numbers.get(gap.before_uid), numbers.get(gap.after_uid), astray)
    ]
    if not gaps:
        return PASSED
    missing = sum(gap.missing_count for gap in gaps)
    at = ", ".join(f"{gap.distance_mm:.1f} mm" for gap in gaps[:3])
    number_too = " Their Instance Numbers are missing too." if gaps[0].is_confirmed else ""
    message = (
        f"About {_slices(missing)} missing: neighbours lie {at} apart instead of "
        f"{gaps[0].typical_mm:.1f} mm.{number_too}"
    )
    return _hit((uid for gap in gaps for uid in (gap.before_uid, gap.after_uid)), facts, message)


@of_series
def stack_without_duplicates(facts: SeriesFacts, _: Options) -> Answer:
    """Check that no two single-frame instances show one place, and nothing tells them apart."""
    if _is_single(facts):
        return NotApplicable()
    groups = facts.stack.duplicate_uids
    places = "1 place of the stack is" if len(groups) == 1 else f"{len(groups)} places are"
    message = f"{places} shown by several instances alike."
    return _hit((uid for group in groups for uid in group), facts, message)


@of_series
def stack_in_order(facts: SeriesFacts, _: Options) -> Answer:
    """Check that Instance Numbers rise or fall along the stack."""
    if _is_single(facts):
        return NotApplicable()
    out_of_order = facts.stack.straggler_uids
    message = f"Instance Number out of order: {_slices(len(set(out_of_order)))} affected."
    return _hit(out_of_order, facts, message)


@of_series
def stack_in_line(facts: SeriesFacts, _: Options) -> Answer:
    """Check that no slice lies beside the line on which the others follow each other."""
    if _is_single(facts):
        return NotApplicable()
    beside = facts.stack.stray_uids
    message = f"{_slices(len(set(beside)))} beside the others by more than a centimetre."
    return _hit(beside, facts, message)
