"""Which side the places of an object name, and what its descriptions say of regions.

A side stands in at least five places (PS3.3 C.7.3.1, C.7.6.1, C.7.6.16.2.8, C.8.11.2, and free
text); they are kept apart here, so that a rule can say which two of them disagree.
"""

from collections.abc import Iterator, Sequence
from typing import Final

from qa_daemon.dicom.elements import PER_FRAME, SHARED
from qa_daemon.records.element import Elements, texts
from qa_daemon.records.instance import Instance
from qa_daemon.records.order import NamedRegion
from qa_daemon.rules.facts import Lexicon, distinct
from qa_daemon.rules.looks.names import SIDE_FACTS, Step
from qa_daemon.rules.looks.paths import Values, all_frames, elements_along, text_of

#: CID 244 Laterality, in SNOMED CT and its older SNOMED-RT spelling (PS3.16).
SIDE_CODES: Final = {
    "24028007": "R", "7771000": "L", "51440002": "B", "G-A100": "R", "G-A101": "L", "G-A102": "B",
}  # fmt: skip
SIDES: Final = frozenset("LRB")

_MODIFIERS: Final = (
    "AnatomicRegionSequence.AnatomicRegionModifierSequence.CodeValue",
    "PrimaryAnatomicStructureSequence.PrimaryAnatomicStructureModifierSequence.CodeValue",
)
_DESCRIPTIONS: Final = (
    "StudyDescription", "SeriesDescription", "ProtocolName", "RequestedProcedureDescription",
    "PerformedProcedureStepDescription",
)  # fmt: skip
#: The top-level elements that sides and regions are read from.
PLACES: Final = frozenset(
    {
        "Laterality", "ImageLaterality", "FrameLaterality", SHARED, PER_FRAME,
        *(path.partition(".")[0] for path in _MODIFIERS), *_DESCRIPTIONS,
    }
)  # fmt: skip
# What a lexicon gives less weight is one of several readings of an ambiguous text.
_WEIGHT_MIN: Final = 0.5


def side_values(instances: Sequence[Instance], place: str, lexicon: Lexicon) -> Values | None:
    """Return the sides that a place names, each once; `any` puts the places together."""
    if place == "text":
        return text_values(instances, "side", lexicon)
    if place == "any":
        places = [name for name in SIDE_FACTS if name not in {"any", "text"}]
        named = [side for each in instances for name in places for side in _in_place(each, name)]
        named.extend(text_values(instances, "side", lexicon) or ())
        return distinct(named) or None
    return distinct(side for each in instances for side in _in_place(each, place)) or None


def _in_place(instance: Instance, place: str) -> Iterator[str]:
    found: Sequence[str]
    match place:
        case "laterality":
            found = texts(instance.elements, "Laterality")
        case "image":
            found = texts(instance.elements, "ImageLaterality")
        case "frame":
            steps = (Step("FrameLaterality"),)
            found = all_frames(instance.elements, steps, instance.number_of_frames) or ()
        case _:
            found = [SIDE_CODES.get(code, "") for code in _codes(instance.elements)]
    yield from (side for side in found if side in SIDES)


def _codes(elements: Elements) -> Iterator[str]:
    for path in _MODIFIERS:
        steps = tuple(map(Step, path.split(".")))
        for element in elements_along(elements, steps):
            yield from map(text_of, element.values)


def text_values(instances: Sequence[Instance], asked: str, lexicon: Lexicon) -> Values | None:
    """Return the regions or sides that the descriptions name, as the lexicon reads them."""
    readings = [reading for text in _descriptions(instances) for reading in lexicon(text)]
    weighty = [reading for reading in readings if reading.weight >= _WEIGHT_MIN]
    return distinct(said for each in weighty if (said := _of_reading(each, asked))) or None


def _of_reading(reading: NamedRegion, asked: str) -> str:
    return (reading.side or "") if asked == "side" else reading.region


def _descriptions(instances: Sequence[Instance]) -> tuple[str, ...]:
    return distinct(
        text
        for each in instances
        for keyword in _DESCRIPTIONS
        for text in texts(each.elements, keyword)
        if text
    )
