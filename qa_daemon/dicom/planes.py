"""Where each frame lies: Image Plane module or functional groups, with the path of each value."""

from collections.abc import Mapping
from typing import Final

from qa_daemon.records.element import Elements
from qa_daemon.records.instance import Located, Plane

#: Classes whose Image Plane module is mandatory (PS3.3 A.3, A.4, A.21).
IMAGE_PLANE_CLASSES: Final = frozenset(
    (
        "1.2.840.10008.5.1.4.1.1.2",
        "1.2.840.10008.5.1.4.1.1.4",
        "1.2.840.10008.5.1.4.1.1.128",
    )
)
SHARED: Final = "SharedFunctionalGroupsSequence"
PER_FRAME: Final = "PerFrameFunctionalGroupsSequence"
#: Field of a plane, macro (PS3.3 C.7.6.16.2), attribute.
_MACROS: Final = (
    ("PlaneOrientationSequence", "ImageOrientationPatient"),
    ("PlanePositionSequence", "ImagePositionPatient"),
    ("PixelMeasuresSequence", "PixelSpacing"),
)


def planes_of(elements: Elements, sop_class_uid: str, number_of_frames: int) -> tuple[Plane, ...]:
    """Return one plane per frame, `()` for objects without an image plane."""
    if number_of_frames == 0:
        return ()
    if PER_FRAME in elements or SHARED in elements:
        return _planes_of_groups(elements, number_of_frames)
    found = [_located(elements, keyword, "") for _, keyword in _MACROS]
    has_plane = sop_class_uid in IMAGE_PLANE_CLASSES or found[0] or found[1]
    if number_of_frames > 1 or not has_plane:
        return ()
    return (Plane(1, *found),)


def _planes_of_groups(elements: Elements, number_of_frames: int) -> tuple[Plane, ...]:
    shared = _in_groups(_item(elements, SHARED, 0), f"{SHARED}[1]")
    planes = []
    for index in range(number_of_frames):
        own = _in_groups(_item(elements, PER_FRAME, index), f"{PER_FRAME}[{index + 1}]")
        orientation, position, spacing = (
            mine or common for mine, common in zip(own, shared, strict=True)
        )
        planes.append(Plane(index + 1, orientation, position, spacing))
    if any(plane.orientation or plane.position for plane in planes):
        return tuple(planes)
    return tuple(planes) if sop_class_uid_has_planes(elements) else ()


def sop_class_uid_has_planes(elements: Elements) -> bool:
    """Whether a multi-frame class must say where its frames lie: enhanced CT, MR and PET."""
    element = elements.get("SOPClassUID")
    return element is not None and element.values[:1] != () and element.values[0] in ENHANCED


#: Enhanced CT, MR, MR colour, PET, and the legacy converted ones.
ENHANCED: Final = frozenset(
    f"1.2.840.10008.5.1.4.1.1.{tail}"
    for tail in ("2.1", "2.2", "4.1", "4.3", "4.4", "128.1", "130")
)


def _item(elements: Elements, sequence: str, index: int) -> Elements:
    element = elements.get(sequence)
    if element is None or index >= len(element.values):
        return {}
    item = element.values[index]
    return item if isinstance(item, Mapping) else {}


def _in_groups(groups: Elements, path: str) -> list[Located | None]:
    return [
        _located(_item(groups, macro, 0), keyword, f"{path}.{macro}[1].")
        for macro, keyword in _MACROS
    ]


def _located(elements: Elements, keyword: str, prefix: str) -> Located | None:
    element = elements.get(keyword)
    if element is None:
        return None
    return Located(prefix + keyword, element.vr, tuple(str(value) for value in element.values))
