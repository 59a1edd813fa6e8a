"""A small writer of data sets, right or wrong as a test asks."""

import struct
from collections.abc import Mapping
from typing import Final

import pytest

CT: Final = "1.2.840.10008.5.1.4.1.1.2"
EXPLICIT: Final = "1.2.840.10008.1.2.1"
LONG: Final = frozenset(
    ("OB", "OD", "OF", "OL", "OV", "OW", "SQ", "SV", "UC", "UN", "UR", "UT", "UV")
)
UNDEFINED: Final = 0xFFFFFFFF


class Writer:
    """Encodes elements in explicit VR little endian."""

    undefined = UNDEFINED

    def head(self, tag: int, vr: str, length: int) -> bytes:
        group, element = tag >> 16, tag & 0xFFFF
        if group == 0xFFFE or not vr:
            return struct.pack("<HHI", group, element, length)
        if vr in LONG:
            return struct.pack("<HH2s2xI", group, element, vr.encode(), length)
        return struct.pack("<HH2sH", group, element, vr.encode(), length)

    def element(self, tag: int, vr: str, value: bytes | str | int) -> bytes:
        if isinstance(value, int):
            value = struct.pack("<H", value)
        raw = value.encode() if isinstance(value, str) else value
        if len(raw) % 2:
            raw += b"\0" if vr in ("UI", "OB") else b" "
        return self.head(tag, vr, len(raw)) + raw

    def item(self, body: bytes = b"") -> bytes:
        return self.head(0xFFFEE000, "", len(body)) + body

    def sequence(self, tag: int, *items: bytes) -> bytes:
        body = b"".join(map(self.item, items))
        return self.head(tag, "SQ", len(body)) + body

    @property
    def sequence_end(self) -> bytes:
        return self.head(0xFFFEE0DD, "", 0)

    @property
    def item_end(self) -> bytes:
        return self.head(0xFFFEE00D, "", 0)

    def meta(self, transfer_syntax_uid: str = EXPLICIT) -> bytes:
        body = (
            self.element(0x00020001, "OB", b"\0\1")
            + self.element(0x00020002, "UI", CT)
            + self.element(0x00020003, "UI", "1.2.3")
            + self.element(0x00020010, "UI", transfer_syntax_uid)
        )
        return (
            b"\0" * 128
            + b"DICM"
            + self.element(0x00020000, "UL", struct.pack("<I", len(body)))
            + body
        )

    def ct(self, changes: Mapping[int, bytes] | None = None) -> bytes:
        """Encode the data set of a small CT; `changes` replace whole elements, b"" removes one."""
        elements = {
            0x00080016: self.element(0x00080016, "UI", CT),
            0x00080018: self.element(0x00080018, "UI", "1.2.3"),
            0x00080060: self.element(0x00080060, "CS", "CT"),
            0x00100020: self.element(0x00100020, "LO", "ID 1"),
            0x0020000D: self.element(0x0020000D, "UI", "1.2.4"),
            0x0020000E: self.element(0x0020000E, "UI", "1.2.5"),
            0x00200032: self.element(0x00200032, "DS", "0\\0\\1.5"),
            0x00200037: self.element(0x00200037, "DS", "1\\0\\0\\0\\1\\0"),
            0x00280002: self.element(0x00280002, "US", 1),
            0x00280004: self.element(0x00280004, "CS", "MONOCHROME2"),
            0x00280010: self.element(0x00280010, "US", 4),
            0x00280011: self.element(0x00280011, "US", 4),
            0x00280030: self.element(0x00280030, "DS", "0.5\\0.5"),
            0x00280100: self.element(0x00280100, "US", 16),
            0x00280101: self.element(0x00280101, "US", 12),
            0x00280102: self.element(0x00280102, "US", 11),
            0x00280103: self.element(0x00280103, "US", 0),
            0x7FE00010: self.element(0x7FE00010, "OW", b"\1\0" * 16),
        }
        elements.update(changes or {})
        return b"".join(elements[tag] for tag in sorted(elements))

    def file(self, changes: Mapping[int, bytes] | None = None) -> bytes:
        """Encode a Part 10 file of the small CT."""
        return self.meta() + self.ct(changes)


@pytest.fixture(scope="session")
def writer() -> Writer:
    return Writer()
