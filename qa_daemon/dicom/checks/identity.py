"""Who the object says it is: file meta against data set, SOP class, references, frames."""

from collections.abc import Mapping
from typing import Final

from qa_daemon.dicom.elements import PER_FRAME, SHARED
from qa_daemon.dicom.encoding.dictionary import UIDS, name_of
from qa_daemon.dicom.encoding.tokens import Token
from qa_daemon.dicom.scan import Notes, Scan
from qa_daemon.dicom.terms import ENHANCED_CLASSES
from qa_daemon.records.element import Elements, first_text
from qa_daemon.records.instance import Plane

_DICOM_ROOT: Final = "1.2.840.10008."
#: Referenced Image, Source Image Sequence; their items name class and instance (PS3.3 10.3).
_REFERENCES: Final = frozenset((0x00081140, 0x00082112))


def check_identity(scanned: Scan, sop_class_uid: str, sop_instance_uid: str) -> None:
    """Compare the UIDs of file meta and data set; name unknown classes and open references."""
    notes, meta = scanned.notes, scanned.meta
    if meta.sop_instance_uid not in ("", sop_instance_uid):
        message = "(0002,0003) and (0008,0018) name different instances"
        notes.add("sop-uid-mismatch", message, "SOPInstanceUID")
    if meta.sop_class_uid not in ("", sop_class_uid):
        message = "(0002,0002) and (0008,0016) name different SOP classes"
        notes.add("sop-class-mismatch", message, "SOPClassUID")
    if sop_class_uid.startswith(_DICOM_ROOT) and sop_class_uid not in UIDS:
        notes.add("sop-class-unknown", "the SOP class is none of PS3.4 B.5", "SOPClassUID")
    for token in scanned.data_set:
        if token.tag in _REFERENCES:
            _check_reference(token, notes)


def _check_reference(token: Token, notes: Notes) -> None:
    for number, item in enumerate(token.items or (), 1):
        if not item:
            message = "a reference names no SOP class or instance"
            notes.add("reference-incomplete", message, f"{name_of(token.tag)}[{number}]")
            return


def check_frames(elements: Elements, sop_class_uid: str, notes: Notes) -> None:
    """Compare functional groups with the number of frames (PS3.3 C.7.6.16)."""
    per_frame = elements.get(PER_FRAME)
    if per_frame is None and sop_class_uid not in ENHANCED_CLASSES:
        return
    declared = first_text(elements, "NumberOfFrames")
    if per_frame is None or not per_frame.values:
        message = "a multi-frame object without functional groups per frame"
        notes.add("functional-groups-missing", message, PER_FRAME)
    elif declared.isdecimal() and declared.lstrip("0") != str(len(per_frame.values)):
        message = "the functional groups are not as many as the frames"
        notes.add("frame-count-mismatch", message, PER_FRAME)


def check_planes(elements: Elements, planes: tuple[Plane, ...], notes: Notes) -> None:
    """Name an orientation that stands in two places with two values."""
    if PER_FRAME not in elements:
        return
    top = elements.get("ImageOrientationPatient")
    shared = _shared_orientation(elements)
    for plane in planes:
        own = None if plane.orientation is None else plane.orientation.values
        for other in (None if top is None else top.values, shared):
            if own is not None and other is not None and tuple(map(str, other)) != own:
                message = "the orientation stands in two places with two values"
                notes.add("iop-ambiguous", message, "ImageOrientationPatient")
                return


def _shared_orientation(elements: Elements) -> tuple[object, ...] | None:
    place: object = elements
    for keyword in (SHARED, "PlaneOrientationSequence"):
        element = place.get(keyword) if isinstance(place, Mapping) else None
        place = element.values[0] if element is not None and element.values else None
    if not isinstance(place, Mapping) or "ImageOrientationPatient" not in place:
        return None
    return tuple(place["ImageOrientationPatient"].values)
