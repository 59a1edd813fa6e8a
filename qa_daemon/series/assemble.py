"""What instances of one series share, where they conflict, and their order."""

from collections import Counter
from collections.abc import Sequence
from typing import Final

from qa_daemon.geometry.cosines import Cosines, Fault, are_alike, dot, read_cosines
from qa_daemon.geometry.placement import read_position
from qa_daemon.records.element import Element, first_text
from qa_daemon.records.instance import Instance
from qa_daemon.records.series import Series
from qa_daemon.series.slices import whole

# Places that differ by rounding only are told apart by Instance Number.
_PLACE_DECIMALS: Final = 2


def is_repeat(one: Instance, other: Instance) -> bool:
    """Whether two instances of one UID hold the same data set."""
    if one.digest and other.digest:
        return one.digest == other.digest
    return one.elements == other.elements and one.planes == other.planes


def assemble(instances: Sequence[Instance], revision: int = 1) -> Series:
    """Return the series that instances of one Series Instance UID make.

    Repeats with equal bytes are dropped; of several objects with one SOP Instance UID the first
    belongs to the series and the others are `colliding`.

    Parameters
    ----------
    instances
        At least one, in the order in which they were received.
    """
    assert instances
    distinct: dict[str, Instance] = {}
    colliding: list[Instance] = []
    for instance in instances:
        first = distinct.setdefault(instance.sop_instance_uid, instance)
        if first is instance or is_repeat(first, instance):
            continue
        if not any(
            other.sop_instance_uid == instance.sop_instance_uid and is_repeat(other, instance)
            for other in colliding
        ):
            colliding.append(instance)
    members = ordered(tuple(distinct.values()))
    shared, conflicting = _shared(members)
    return Series(
        study_instance_uid=_majority(tuple(one.study_instance_uid for one in members)),
        series_instance_uid=_majority(tuple(one.series_instance_uid for one in members)),
        modality=_majority(tuple(first_text(one.elements, "Modality") for one in members)),
        instances=members,
        shared=shared,
        conflicting=conflicting,
        revision=revision,
        colliding=tuple(colliding),
    )


def _majority(values: Sequence[str]) -> str:
    """Return the most frequent value; of equally frequent ones the first in the series."""
    return Counter(values).most_common(1)[0][0]


def _shared(members: Sequence[Instance]) -> tuple[dict[str, Element], frozenset[str]]:
    first = members[0].elements
    keywords = set(first)
    conflicting: set[str] = set()
    for instance in members[1:]:
        elements = instance.elements
        conflicting.update(keywords ^ elements.keys())
        differing = [
            keyword
            for keyword in keywords & elements.keys()
            if (mine := elements[keyword]) is not (theirs := first[keyword])
            and mine.values != theirs.values
        ]
        conflicting.update(differing)
        keywords -= conflicting
    return {
        keyword: element for keyword, element in first.items() if keyword not in conflicting
    }, frozenset(conflicting)


def ordered(instances: Sequence[Instance]) -> tuple[Instance, ...]:
    """Return instances along their common normal, else by Instance Number, else by UID.

    Multi-frame objects stand where their first frame lies.
    """
    along = _along(instances)

    def key(instance: Instance) -> tuple[float, bool, int, str]:
        number = whole(instance.elements, "InstanceNumber")
        place = along[instance.sop_instance_uid] if along else 0.0
        return (place, number is None, number or 0, instance.sop_instance_uid)

    return tuple(sorted(instances, key=key))


def _along(instances: Sequence[Instance]) -> dict[str, float] | None:
    """Return the distance of each instance along the common normal, None if there is none."""
    read: dict[tuple[str, ...], Cosines | Fault] = {}
    common: Cosines | None = None
    along = {}
    for instance in instances:
        plane = instance.planes[0] if instance.planes else None
        if plane is None or plane.orientation is None or plane.position is None:
            return None
        texts = plane.orientation.values
        cosines = read[texts] if texts in read else read.setdefault(texts, read_cosines(texts))
        position = read_position(plane.position.values)
        if isinstance(cosines, Fault) or isinstance(position, Fault):
            return None
        common = common or cosines
        if not are_alike(common, cosines):
            return None
        along[instance.sop_instance_uid] = round(dot(common.normal, position), _PLACE_DECIMALS)
    return along
