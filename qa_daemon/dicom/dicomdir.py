"""A media directory (PS3.3 Annex F, PS3.10 8.6): which files it names, read with suspicion."""

import re
from collections.abc import Mapping, Sequence
from typing import Final

from attrs import frozen

from qa_daemon.dicom.encoding.text import UNDECLARED
from qa_daemon.dicom.encoding.tokens import Token
from qa_daemon.dicom.encoding.values import numbers_of, raw_of, texts_of
from qa_daemon.dicom.scan import Content, Notes, Refused, Scan, scan
from qa_daemon.limits import Limits
from qa_daemon.records.instance import Irregularity

MEDIA_DIRECTORY_CLASS: Final = "1.2.840.10008.1.3.10"
_RECORDS: Final = 0x00041220
_FIRST_RECORD: Final = 0x00041200
_NEXT: Final = 0x00041400
_LOWER: Final = 0x00041420
_RECORD_TYPE: Final = 0x00041430
_FILE_ID: Final = 0x00041500
_COMPONENTS_MAX: Final = 8  # PS3.10 8.5
#: PS3.10 asks for eight of A-Z 0-9 _; real media have more, none of them may leave its folder.
_COMPONENT: Final = re.compile(r"(?!\.{1,2}\Z)[A-Za-z0-9_.() +-]{1,64}")
#: Signs of an attempt to climb out of the file-set.
_ESCAPE: Final = re.compile(r"\A\.{1,2}\Z|[/\\:\0]|\A\Z")
_DIRECTORY_NAME: Final = "DICOMDIR"


@frozen
class Directory:
    """What a DICOMDIR names: file ids as path components below its own folder, in its order."""

    files: tuple[tuple[str, ...], ...]
    irregularities: tuple[Irregularity, ...] = ()


def is_directory(scanned: Scan) -> bool:
    """Whether the object is a media directory."""
    return scanned.meta.sop_class_uid == MEDIA_DIRECTORY_CLASS or any(
        token.tag == _RECORDS for token in scanned.data_set
    )


def referenced_files(content: Content, limits: Limits) -> Directory:
    """Return the files that a DICOMDIR names and that a careful reader may open.

    Raises
    ------
    Refused
        If the object cannot be read, or is no media directory.
    """
    scanned = scan(content, limits)
    if not is_directory(scanned):
        raise Refused("unsupported", "not-a-directory", "the object is no DICOMDIR")
    records: list[list[Token]] = next(
        (token.items for token in scanned.data_set if token.tag == _RECORDS and token.items), []
    )
    notes = scanned.notes
    _check_links(scanned, records, notes)
    files = []
    for number, record in enumerate(records, 1):
        components = _texts(scanned, record, _FILE_ID)
        if components and _is_allowed(components, number, notes):
            files.append(components)
    return Directory(tuple(dict.fromkeys(files)), notes.irregularities)


def _is_allowed(components: tuple[str, ...], number: int, notes: Notes) -> bool:
    path = f"DirectoryRecordSequence[{number}].ReferencedFileID"
    if any(_ESCAPE.search(component) for component in components):
        notes.add("dicomdir-path-escape", "a file id leaves the file-set; not followed", path)
    elif components == (_DIRECTORY_NAME,):
        notes.add("dicomdir-loop", "the directory names itself; not followed", path)
    elif len(components) > _COMPONENTS_MAX or not all(map(_COMPONENT.fullmatch, components)):
        message = "a file id is not written as PS3.10 8.5 asks; not followed"
        notes.add("dicomdir-path-invalid", message, path)
    else:
        return True
    return False


# --- the tree of records, which nothing here relies on ---


def _check_links(scanned: Scan, records: Sequence[list[Token]], notes: Notes) -> None:
    """Follow the offsets once, without trusting them (PS3.3 F.2.2)."""
    if not records:
        return
    if not any(_texts(scanned, record, _RECORD_TYPE) == ("PATIENT",) for record in records):
        notes.add("dicomdir-incomplete", "the directory has no patient record")
    at = {_start(scanned, record): record for record in records if record}
    waiting = [_offset(scanned, scanned.data_set, _FIRST_RECORD, notes)]
    seen = set[int]()
    while waiting:
        offset = waiting.pop()
        if offset == 0:
            continue
        if offset in seen:
            notes.add("dicomdir-loop", "directory records refer to each other in a circle")
        elif offset not in at:
            notes.add("dicomdir-offset", "a directory record refers to a place where none stands")
        else:
            seen.add(offset)
            waiting += _links(scanned, at, offset, notes)


def _links(scanned: Scan, at: Mapping[int, list[Token]], offset: int, notes: Notes) -> list[int]:
    return [_offset(scanned, at[offset], tag, notes) for tag in (_NEXT, _LOWER)]


def _start(scanned: Scan, record: Sequence[Token]) -> int:
    """Return where the item begins: before its tag and length, and those of its first element."""
    first = record[0]
    is_long = scanned.encoding.is_explicit and first.vr in ("OB", "UN", "SQ", "UT")
    return first.offset - (12 if is_long else 8) - 8


def _find(tokens: Sequence[Token], tag: int) -> Token | None:
    return next((token for token in tokens if token.tag == tag), None)


def _texts(scanned: Scan, tokens: Sequence[Token], tag: int) -> tuple[str, ...]:
    token = _find(tokens, tag)
    if token is None or token.length == 0:
        return ()
    return texts_of(raw_of(scanned.content, token), "CS", UNDECLARED)


def _offset(scanned: Scan, tokens: Sequence[Token], tag: int, notes: Notes) -> int:
    token = _find(tokens, tag)
    numbers = (
        () if token is None else numbers_of(raw_of(scanned.content, token), "UL", scanned.encoding)
    )
    if len(numbers) != 1:
        notes.add("dicomdir-offset", "a directory record lacks its offsets")
        return 0
    return int(numbers[0])
