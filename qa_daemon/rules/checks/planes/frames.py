"""Frames of multi-frame objects: their numbers in a stack, against where they lie."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final

from qa_daemon.dicom.coding.concepts import items
from qa_daemon.dicom.elements import PER_FRAME
from qa_daemon.geometry.cosines import Cosines, dot, length
from qa_daemon.records.element import first_text
from qa_daemon.records.instance import Instance
from qa_daemon.rules.checks.registry import Options, of_series
from qa_daemon.rules.facts import PASSED, Answer, Hit, NotApplicable, SeriesFacts, Slice, uids
from qa_daemon.series.slices import whole

# Frames of one place, as echoes and phases are, differ by rounding only.
_SAME_PLACE_MM: Final = 0.01


@of_series
def stack_positions_follow(facts: SeriesFacts, _: Options) -> Answer:
    """Check that In-Stack Position Numbers rise or fall along the normal (PS3.3 C.7.6.16.2.2.4)."""
    by_instance: dict[str, list[Slice]] = defaultdict(list)
    for each in facts.slices:
        by_instance[each.instance.sop_instance_uid].append(each)
    applies, wrong = False, list[Instance]()
    for slices in by_instance.values():
        for stack in _stacks(slices):
            applies = True
            if not _is_ordered(stack):
                wrong.append(slices[0].instance)
                break
    if not applies:
        return NotApplicable()
    return (Hit(sop_instance_uids=uids(wrong, facts.series.instances)),) if wrong else PASSED


_Placed = tuple[int, float]


def _stacks(slices: Sequence[Slice]) -> Iterator[list[_Placed]]:
    """Return number and place of the frames, by Stack ID; stacks of one place say nothing."""
    groups = items(slices[0].instance.elements, PER_FRAME)
    found: dict[str, list[_Placed]] = defaultdict(list)
    for each in slices:
        if each.frame > len(groups) or not isinstance(each.cosines, Cosines):
            continue
        content = (*items(groups[each.frame - 1], "FrameContentSequence"), {})[0]
        number = whole(content, "InStackPositionNumber")
        normal = each.cosines.normal
        if number is None or not isinstance(each.position, tuple) or length(normal) == 0:
            continue
        stack = first_text(content, "StackID")
        found[stack].append((number, dot(normal, each.position) / length(normal)))
    yield from (stack for stack in found.values() if len({number for number, _ in stack}) > 1)


def _is_ordered(stack: Sequence[_Placed]) -> bool:
    """Whether places rise or fall with the numbers, and one number has one place."""
    places: dict[int, float] = {}
    for number, at in stack:
        if abs(places.setdefault(number, at) - at) > _SAME_PLACE_MM:
            return False
    along = [places[number] for number in sorted(places)]
    steps = [after - before for before, after in pairwise(along)]
    return all(step > 0 for step in steps) or all(step < 0 for step in steps)
