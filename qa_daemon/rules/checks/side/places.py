"""The places in which an object states a side (PS3.3 C.7.3.1, C.7.6.1, C.7.6.16.2.8, 10.5)."""

from collections.abc import Iterator, Sequence
from typing import Final

from attrs import frozen

from qa_daemon.dicom.coding.concepts import codes, items
from qa_daemon.dicom.elements import PER_FRAME, SHARED
from qa_daemon.dicom.regions import BodyPart, body_part
from qa_daemon.records.element import Elements, first_text
from qa_daemon.records.instance import Instance
from qa_daemon.rules.facts import SeriesFacts

_LATERALITY: Final = {"Laterality": "Laterality", "ImageLaterality": "Image Laterality"}
#: Sequence with the code of a part, and the sequence in its items with the code of a side.
_MODIFIERS: Final = (
    ("AnatomicRegionSequence", "AnatomicRegionModifierSequence"),
    ("PrimaryAnatomicStructureSequence", "PrimaryAnatomicStructureModifierSequence"),
)
#: What an instance can differ in, so that a series is looked at once where it does not.
KEYWORDS: Final = frozenset(
    {*_LATERALITY, *(outer for outer, _ in _MODIFIERS), "BodyPartExamined", SHARED, PER_FRAME}
)
_VALUES: Final = frozenset("RLBU")
_LIMBS: Final = frozenset({"UPPERLIMB", "LOWERLIMB"})


@frozen
class Stated:
    """A side in one place.

    Attributes
    ----------
    place
        As people call it.
    path
        Of the element, or of the item that holds the code.
    side
        R, L, B (both) or U (unpaired).
    """

    place: str
    path: str
    side: str


def stated_sides(elements: Elements) -> tuple[Stated, ...]:
    """Return every side that an instance states in a coded place."""
    return tuple(_of_elements(elements)) + tuple(_of_modifiers(elements, "")) + _of_frames(elements)


def _of_elements(elements: Elements) -> Iterator[Stated]:
    for keyword, place in _LATERALITY.items():
        side = first_text(elements, keyword).upper()
        if side in _VALUES:
            yield Stated(place, keyword, side)


def _of_modifiers(elements: Elements, within: str) -> Iterator[Stated]:
    for outer, inner in _MODIFIERS:
        for number, item in enumerate(items(elements, outer), 1):
            path = f"{within}{outer}[{number}]"
            for code in codes(item, inner, path):
                if code.side:
                    yield Stated(f"{_spaced(outer)} modifier", code.path, code.side)


def _spaced(keyword: str) -> str:
    return "Anatomic Region" if keyword.startswith("Anatomic") else "Primary Anatomic Structure"


def _of_frames(elements: Elements) -> tuple[Stated, ...]:
    """Return the sides of the functional groups; frames that say the same are named once."""
    found: dict[tuple[str, str], Stated] = {}
    for groups in (SHARED, PER_FRAME):
        for number, group in enumerate(items(elements, groups), 1):
            for index, anatomy in enumerate(items(group, "FrameAnatomySequence"), 1):
                path = f"{groups}[{number}].FrameAnatomySequence[{index}]."
                side = first_text(anatomy, "FrameLaterality").upper()
                own = [Stated("Frame Laterality", f"{path}FrameLaterality", side)]
                for each in (*(own if side in _VALUES else ()), *_of_modifiers(anatomy, path)):
                    found.setdefault((each.place, each.side), each)
    return tuple(found.values())


def parts_named(elements: Elements) -> tuple[BodyPart, ...]:
    """Return the body parts that an instance names, by term and by code."""
    named = [body_part(first_text(elements, "BodyPartExamined"))]
    named += [code.body_part for code in codes(elements, "AnatomicRegionSequence")]
    return tuple(dict.fromkeys(part for part in named if part is not None))


def is_paired(part: BodyPart) -> bool:
    """Whether the part is one of a pair that is imaged one at a time: a limb, or a breast."""
    return part.paired is True and (part.parent in _LIMBS or part.term == "BREAST")


def is_unpaired(part: BodyPart) -> bool:
    """Whether the part has no side of its own (Table L-5)."""
    return part.paired is False


def alike(facts: SeriesFacts, keywords: frozenset[str]) -> tuple[Sequence[Instance], ...]:
    """Return the instances in groups that agree in the elements named."""
    differing = sorted(keywords & facts.series.conflicting)
    if not differing:
        return (facts.series.instances,)
    groups: dict[str, list[Instance]] = {}
    for instance in facts.series.instances:
        key = repr([instance.elements.get(keyword) for keyword in differing])
        groups.setdefault(key, []).append(instance)
    return tuple(groups.values())
