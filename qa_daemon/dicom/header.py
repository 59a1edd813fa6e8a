"""From the bytes of one object to an `Instance`: chosen elements, planes, irregularities."""

import re
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Final

from attrs import frozen

from qa_daemon.dicom.checks.identity import check_frames, check_identity, check_planes
from qa_daemon.dicom.checks.pixels import check_pixels
from qa_daemon.dicom.checks.values import check_values
from qa_daemon.dicom.elements import BASIC, PER_FRAME, SHARED, Vocabulary
from qa_daemon.dicom.encoding.dictionary import private_vr
from qa_daemon.dicom.encoding.text import UNDECLARED, Charset, charset_of
from qa_daemon.dicom.encoding.tokens import Content, Refused, Token
from qa_daemon.dicom.encoding.values import (
    PIXEL_REPRESENTATION,
    TEXT_VRS,
    numbers_of,
    raw_of,
    resolved_vr,
    texts_of,
)
from qa_daemon.dicom.scan import Scan, scan
from qa_daemon.dicom.terms import ENHANCED_CLASSES, IMAGE_PLANE_CLASSES
from qa_daemon.limits import Limits
from qa_daemon.records.element import Element, Elements
from qa_daemon.records.instance import Instance, Located, Plane

_SPECIFIC_CHARACTER_SET: Final = 0x00080005
#: Elements in which a creator reserves a block (PS3.5 7.8.1).
_BLOCK_MIN: Final = 0x0010
_BLOCK_MAX: Final = 0x00FF
_UIDS: Final = ("SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID")
#: Harmless as a name. PS3.5 9.1 asks for more, and what it asks is noted, not refused: zeros lead
#: components on old devices, and de-identification puts hexadecimal hashes in place of UIDs.
_UID: Final = re.compile(r"[0-9A-Za-z]+(\.[0-9A-Za-z]+)*")
_UID_LENGTH_MAX: Final = 64
_DIRECTORY_CLASS: Final = "1.2.840.10008.1.3.10"

#: Field of a plane, macro (PS3.3 C.7.6.16.2), attribute.
_MACROS: Final = (
    ("PlaneOrientationSequence", "ImageOrientationPatient"),
    ("PlanePositionSequence", "ImagePositionPatient"),
    ("PixelMeasuresSequence", "PixelSpacing"),
)


def read_instance(
    content: Content, limits: Limits, *, source: str = "", vocabulary: Vocabulary = BASIC
) -> Instance:
    """Return one SOP instance with the elements of a vocabulary.

    Raises
    ------
    Refused
        If the object cannot be read within the limits, or is not identified.
    """
    scanned = scan(content, limits)
    if scanned.meta.sop_class_uid == _DIRECTORY_CLASS:
        raise Refused("unsupported", "not-a-storage-class", "a DICOMDIR is a directory, no image")
    elements = _Reader(scanned, limits, vocabulary).data_set()
    sop_class, sop_instance, study, series = (_uid(elements, keyword) for keyword in _UIDS)
    check_identity(scanned, sop_class, sop_instance)
    check_values(scanned, limits)
    frames = check_pixels(scanned, elements, sop_class)
    check_frames(elements, sop_class, scanned.notes)
    planes = planes_of(elements, sop_class, frames)
    check_planes(elements, planes, scanned.notes)
    return Instance(
        study_instance_uid=study,
        series_instance_uid=series,
        sop_instance_uid=sop_instance,
        sop_class_uid=sop_class,
        transfer_syntax_uid=scanned.transfer_syntax_uid,
        elements=elements,
        planes=planes,
        number_of_frames=frames,
        irregularities=scanned.notes.irregularities,
        source=source,
        digest=digest(content, scanned.data_set_offset),
        vocabulary=vocabulary.digest,
    )


def read_elements(content: Content, limits: Limits, vocabulary: Vocabulary) -> Elements:
    """Return the elements of a vocabulary of an object that was read before with another one.

    Raises
    ------
    Refused
        As `read_instance` does.
    """
    return _Reader(scan(content, limits), limits, vocabulary).data_set()


def digest(content: Content, data_set_offset: int) -> str:
    """Return the SHA-256 of the data set bytes as received, in hex."""
    whole = memoryview(content)
    try:
        return sha256(whole[data_set_offset:]).hexdigest()
    finally:
        whole.release()


def _uid(elements: Elements, keyword: str) -> str:
    element = elements.get(keyword)
    if element is None or not element.is_filled:
        raise Refused("unreadable", "uid-missing", f"{keyword} is missing or empty")
    uid = str(element.values[0])
    if len(element.values) > 1 or len(uid) > _UID_LENGTH_MAX or not _UID.fullmatch(uid):
        raise Refused("unreadable", "uid-invalid", f"{keyword} is no UID (PS3.5 9.1)")
    return uid


@frozen
class _Reader:
    """Decodes chosen elements of one scan."""

    scanned: Scan
    limits: Limits
    vocabulary: Vocabulary

    def data_set(self) -> dict[str, Element]:
        """Return the chosen elements of the data set, private ones at its top level included."""
        elements = self.elements(self.scanned.data_set, UNDECLARED)
        if self.vocabulary.private:
            elements.update(self._private(self.scanned.data_set))
        return elements

    def elements(self, tokens: Sequence[Token], outer: Charset) -> dict[str, Element]:
        """Return the chosen elements of one level, with those of the chosen sequences' items."""
        charset, signed = outer, False
        chosen: dict[str, Element] = {}
        for token in tokens:
            keyword = self.vocabulary.by_tag.get(token.tag)
            if keyword is None:
                continue
            if token.items is not None:
                items = tuple(self.elements(item, charset) for item in token.items)
                chosen[keyword] = Element("SQ", items)
            elif token.length <= self.limits.value_bytes_max:
                element = self._element(token, charset, signed=signed)
                chosen[keyword] = element
                if token.tag == _SPECIFIC_CHARACTER_SET:
                    charset = charset_of(tuple(str(value) for value in element.values))
                elif token.tag == PIXEL_REPRESENTATION:
                    signed = element.values[:1] == (1,)
        return chosen

    def _private(self, tokens: Sequence[Token]) -> dict[str, Element]:
        """Return the private elements asked for, whatever block their creator reserved."""
        charset = UNDECLARED
        blocks: dict[tuple[int, int], str] = {}
        found: dict[str, Element] = {}
        for token in tokens:
            if token.tag == _SPECIFIC_CHARACTER_SET:
                raw = raw_of(self.scanned.content, token)
                charset = charset_of(texts_of(raw, "CS", UNDECLARED))
            group, number = token.tag >> 16, token.tag & 0xFFFF
            if not group & 1 or token.items is not None:
                continue
            if _BLOCK_MIN <= number <= _BLOCK_MAX and token.length <= self.limits.value_bytes_max:
                creator = texts_of(raw_of(self.scanned.content, token), "LO", UNDECLARED)
                blocks[group, number] = creator[0] if creator else ""
            key = (group, blocks.get((group, number >> 8), ""), number & 0xFF)
            name = self.vocabulary.private.get(key)
            if name is not None and token.length <= self.limits.value_bytes_max:
                found[name] = self._private_element(token, key[1], charset)
        return found

    def _private_element(self, token: Token, creator: str, charset: Charset) -> Element:
        """Return a private element; one without a VR by the lists of vendors, else as text."""
        vr = private_vr(token.tag, creator) if token.vr == "UN" else token.vr
        return self._element(token._replace(vr=vr), charset, signed=False)

    def _element(self, token: Token, charset: Charset, *, signed: bool) -> Element:
        vr = resolved_vr(token, signed=signed)
        raw = raw_of(self.scanned.content, token)
        if vr in TEXT_VRS:
            return Element(vr, texts_of(raw, vr, charset))
        return Element(vr, numbers_of(raw, vr, self.scanned.encoding))


# --- planes ---


def planes_of(elements: Elements, sop_class_uid: str, number_of_frames: int) -> tuple[Plane, ...]:
    """Return one plane per frame, `()` for objects without an image plane."""
    if number_of_frames == 0:
        return ()
    if PER_FRAME in elements or SHARED in elements:
        return _planes_of_groups(elements, sop_class_uid, number_of_frames)
    found = [_located(elements, keyword, "") for _, keyword in _MACROS]
    has_plane = sop_class_uid in IMAGE_PLANE_CLASSES or found[0] or found[1]
    if number_of_frames > 1 or not has_plane:
        return ()
    return (Plane(1, *found),)


def _planes_of_groups(
    elements: Elements, sop_class_uid: str, number_of_frames: int
) -> tuple[Plane, ...]:
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
    return tuple(planes) if sop_class_uid in ENHANCED_CLASSES else ()


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
