"""What the attributes promise about Pixel Data, against the bytes that are there."""

from itertools import pairwise
from struct import unpack_from
from typing import Final

from attrs import frozen

from qa_daemon.dicom.encoding.dictionary import UIDS
from qa_daemon.dicom.encoding.tokens import PIXEL_DATA, Token, cut
from qa_daemon.dicom.scan import Notes, Scan
from qa_daemon.records.element import Elements, first_text

_ATTRIBUTES: Final = "pixel-attributes"
#: Samples per pixel of each photometric interpretation (PS3.3 C.7.6.3.1.2).
_SAMPLES: Final = {
    "MONOCHROME1": 1, "MONOCHROME2": 1, "PALETTE COLOR": 1, "RGB": 3, "HSV": 3, "XYB": 3,
    "YBR_FULL": 3, "YBR_FULL_422": 3, "YBR_PARTIAL_422": 3, "YBR_PARTIAL_420": 3, "YBR_ICT": 3,
    "YBR_RCT": 3,
}  # fmt: skip
#: Share of the full length that subsampled native pixels need; the full length is seen as well.
_SUBSAMPLED: Final = {"YBR_FULL_422": (2, 3), "YBR_PARTIAL_422": (2, 3), "YBR_PARTIAL_420": (1, 2)}
_BITS_ALLOCATED: Final = frozenset((1, 8, 16, 24, 32, 64))
_NATIVE: Final = frozenset(
    ("1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2", "1.2.840.10008.1.2.1.99",
     "1.2.840.10008.1.20", "1.2.840.10008.1.2.8.1")
)  # fmt: skip
_VIDEO: Final = ("1.2.840.10008.1.2.4.10", "1.2.840.10008.1.2.7.")
_JPIP: Final = ("1.2.840.10008.1.2.4.94", "1.2.840.10008.1.2.4.95", "1.2.840.10008.1.2.4.204",
                "1.2.840.10008.1.2.4.205")  # fmt: skip
_END_OF_IMAGE: Final = b"\xff\xd9"
_JPEG_FAMILY: Final = "1.2.840.10008.1.2.4."
_EXTENDED_OFFSETS: Final = 0x7FE00001


@frozen
class _Described:
    """The Image Pixel module as numbers; 0 where a value is missing or makes no sense."""

    photometric: str
    rows: int
    columns: int
    samples: int
    bits_allocated: int

    @property
    def frame_bits(self) -> int:
        """Bits of one frame; frames of 1-bit images are not aligned to bytes."""
        return self.rows * self.columns * self.samples * self.bits_allocated


def check_pixels(scanned: Scan, elements: Elements, sop_class_uid: str) -> int:
    """Note what does not fit; return the number of frames that can be there, 0 without pixels."""
    notes, pixels = scanned.notes, scanned.pixel_data
    if pixels is None:
        if not _is_image_class(sop_class_uid) or scanned.transfer_syntax_uid in _JPIP:
            return 0
        notes.add("pixel-data-missing", "an image without Pixel Data", "PixelData")
        _described(elements, notes, has_integers=True)
        return 0
    described = _described(elements, notes, has_integers=pixels.tag == PIXEL_DATA)
    frames = _declared_frames(elements, notes)
    _check_overlays(scanned)
    if described.photometric == "PALETTE COLOR":
        _check_palette(scanned)
    if pixels.fragments is not None:
        return _check_encapsulated(scanned, pixels, pixels.fragments, frames)
    return _check_native(scanned, pixels, described, frames)


def _is_image_class(sop_class_uid: str) -> bool:
    entry = UIDS.get(sop_class_uid)
    return entry is not None and "Image Storage" in entry[0]


# --- the Image Pixel module (PS3.3 C.7.6.3) -------------------------------------------------------


def _number(elements: Elements, keyword: str) -> int | None:
    element = elements.get(keyword)
    if element is None or len(element.values) != 1 or not isinstance(element.values[0], int):
        return None
    return element.values[0]


def _described(elements: Elements, notes: Notes, *, has_integers: bool) -> _Described:
    photometric = first_text(elements, "PhotometricInterpretation")
    numbers = [
        _number(elements, keyword) or 0
        for keyword in ("Rows", "Columns", "SamplesPerPixel", "BitsAllocated")
    ]
    for keyword, number in zip(
        ("Rows", "Columns", "SamplesPerPixel", "BitsAllocated"), numbers, strict=True
    ):
        if number == 0:
            message = f"{keyword} is missing, zero or no single number"
            notes.add(_ATTRIBUTES, message, keyword)
    described = _Described(photometric, *numbers)
    _check_photometric(described, notes)
    if has_integers:
        _check_bits(elements, described.bits_allocated, notes)
    return described


def _check_photometric(described: _Described, notes: Notes) -> None:
    wanted = _SAMPLES.get(described.photometric)
    if wanted is None:
        message = "PhotometricInterpretation is missing or none of PS3.3 C.7.6.3.1.2"
        notes.add(_ATTRIBUTES, message, "PhotometricInterpretation")
    elif described.samples not in (0, wanted):
        message = "SamplesPerPixel does not go with PhotometricInterpretation"
        notes.add(_ATTRIBUTES, message, "SamplesPerPixel")
    if described.bits_allocated not in _BITS_ALLOCATED | {0}:
        notes.add(_ATTRIBUTES, "BitsAllocated is neither 1 nor whole bytes", "BitsAllocated")


def _check_bits(elements: Elements, bits_allocated: int, notes: Notes) -> None:
    stored, high = _number(elements, "BitsStored"), _number(elements, "HighBit")
    if stored is None or not 0 < stored <= max(bits_allocated, 1):
        message = "BitsStored is missing, zero or more than BitsAllocated"
        notes.add(_ATTRIBUTES, message, "BitsStored")
    elif high != stored - 1:
        notes.add(_ATTRIBUTES, "HighBit is not BitsStored - 1", "HighBit")
    if _number(elements, "PixelRepresentation") not in (0, 1):
        message = "PixelRepresentation is missing or neither 0 nor 1"
        notes.add(_ATTRIBUTES, message, "PixelRepresentation")


def _declared_frames(elements: Elements, notes: Notes) -> int:
    element = elements.get("NumberOfFrames")
    if element is None:
        return 1
    text = first_text(elements, "NumberOfFrames")
    # ten digits hold every IS; longer ones are no numbers of frames
    if len(element.values) != 1 or not (text.isascii() and text.isdigit()) or len(text) > 10:
        notes.add(_ATTRIBUTES, "NumberOfFrames is no single whole number", "NumberOfFrames")
        return 1
    if int(text) == 0:
        notes.add(_ATTRIBUTES, "NumberOfFrames is 0", "NumberOfFrames")
    return max(1, int(text))


# --- native pixels (PS3.5 8.1) --------------------------------------------------------------------


def _check_native(scanned: Scan, pixels: Token, described: _Described, frames: int) -> int:
    notes = scanned.notes
    if scanned.transfer_syntax_uid not in _NATIVE:
        message = "native Pixel Data in an encapsulated transfer syntax"
        notes.add("pixels-undecodable", message, "PixelData")
        return frames if frames == 1 else 1
    bits = described.frame_bits
    if bits == 0:
        return 1
    present = min(frames, max(1, pixels.length * 8 // bits))
    if not notes.has("pixel-data-truncated"):
        _check_length(notes, pixels.length, described, frames)
    return present


def _check_length(notes: Notes, length: int, described: _Described, frames: int) -> None:
    bits = described.frame_bits * frames
    part, whole = _SUBSAMPLED.get(described.photometric, (1, 1))
    wanted = {(bits + 7) // 8, (bits * part // whole + 7) // 8}
    wanted |= {number + number % 2 for number in wanted}
    if length in wanted:
        return
    frame_length = max(1, described.frame_bits // 8)
    if length % 2:
        kind, message = "pixel-length-mismatch", "Pixel Data has an odd length"
    elif length > max(wanted):
        kind, message = "pixel-length-mismatch", "Pixel Data is longer than its attributes say"
    elif frames > 1 and length >= frame_length:
        kind, message = "frame-count-mismatch", "Pixel Data holds fewer frames than declared"
    else:
        kind, message = "pixel-data-truncated", "Pixel Data is shorter than its attributes say"
    notes.add(kind, message, "PixelData")


# --- encapsulated pixels (PS3.5 A.4) --------------------------------------------------------------


def _check_encapsulated(
    scanned: Scan, pixels: Token, fragments: list[tuple[int, int]], frames: int
) -> int:
    notes, pieces = scanned.notes, fragments[1:]
    if scanned.transfer_syntax_uid in _NATIVE:
        message = "encapsulated Pixel Data in a native transfer syntax"
        notes.add("transfer-syntax-mismatch", message, "PixelData")
    if not any(length for _, length in pieces):
        if not notes.has("pixel-data-truncated"):
            notes.add("pixels-undecodable", "Pixel Data holds no fragment", "PixelData")
        return 1
    _check_end(scanned, pixels, pieces[-1])
    if scanned.transfer_syntax_uid.startswith(_VIDEO):
        return frames
    starts = {offset - pieces[0][0] for offset, _ in pieces}
    offsets = _offsets(scanned, fragments[0])
    if offsets is None or (offsets and not _is_sound(offsets, starts)):
        message = "the offset table does not point at the fragments"
        notes.add("offset-table", message, "PixelData")
    elif _is_miscounted(offsets, pieces, frames) and not notes.has("pixel-data-truncated"):
        message = "NumberOfFrames is not the number of frames in Pixel Data"
        notes.add("frame-count-mismatch", message, "NumberOfFrames")
    return min(frames, len(pieces))


def _is_miscounted(offsets: list[int], pieces: list[tuple[int, int]], frames: int) -> bool:
    return len(pieces) < frames or bool(offsets and len(offsets) != frames)


def _check_end(scanned: Scan, pixels: Token, last: tuple[int, int]) -> None:
    """Tell a stream that was cut from one whose delimiter alone is missing."""
    is_jpeg = scanned.transfer_syntax_uid.startswith(_JPEG_FAMILY)
    if not is_jpeg or not scanned.notes.has("delimiter-missing"):
        return
    offset, length = last
    tail = cut(scanned.content, offset + max(0, length - 4), min(length, 4))
    if _END_OF_IMAGE not in tail and pixels.length:
        message = "the last fragment of Pixel Data has no end"
        scanned.notes.add("pixel-data-truncated", message, "PixelData")


def _offsets(scanned: Scan, table: tuple[int, int]) -> list[int] | None:
    """Return the offsets, [] without a table, None if it cannot be one."""
    offset, length = table
    if length == 0:
        return _extended_offsets(scanned)
    if length % 4:
        return None
    raw = cut(scanned.content, offset, length)
    return list(unpack_from(f"{scanned.encoding.order}{length // 4}I", raw))


def _extended_offsets(scanned: Scan) -> list[int] | None:
    """Return the Extended Offset Table (PS3.3 C.7.6.3.1.8), which counts as the basic one does."""
    for token in scanned.data_set:
        if token.tag == _EXTENDED_OFFSETS:
            if token.length % 8:
                return None
            raw = cut(scanned.content, token.offset, token.length)
            return list(unpack_from(f"{scanned.encoding.order}{token.length // 8}Q", raw))
    return []


def _is_sound(offsets: list[int], starts: set[int]) -> bool:
    ascending = all(first < second for first, second in pairwise(offsets))
    return ascending and offsets[0] == 0 and starts.issuperset(offsets)


# --- overlays and palettes ------------------------------------------------------------------------


def _unsigned(scanned: Scan, token: Token | None) -> tuple[int, ...]:
    if token is None:
        return ()
    raw = cut(scanned.content, token.offset, min(token.length, 64))
    return unpack_from(f"{scanned.encoding.order}{len(raw) // 2}H", raw)


def _check_overlays(scanned: Scan) -> None:
    """Compare Overlay Data with its rows and columns (PS3.3 C.9.2)."""
    tokens = {token.tag: token for token in scanned.data_set if 0x6000 <= token.tag >> 16 <= 0x60FF}
    for tag, token in tokens.items():
        if tag & 0xFFFF != 0x3000:
            continue
        group = tag & 0xFFFF0000
        rows = _unsigned(scanned, tokens.get(group | 0x10))
        columns = _unsigned(scanned, tokens.get(group | 0x11))
        if not rows or not columns or (rows[0] * columns[0] + 7) // 8 > token.length:
            message = "Overlay Data is shorter than its rows and columns say"
            scanned.notes.add("overlay-invalid", message, f"{tag:08X}")


def _check_palette(scanned: Scan) -> None:
    """Compare the palettes with their descriptors (PS3.3 C.7.6.3.1.5 and .6)."""
    tokens = {token.tag: token for token in scanned.data_set if token.tag >> 16 == 0x0028}
    for color in (1, 2, 3):
        descriptor = _unsigned(scanned, tokens.get(0x00281100 + color))
        data = tokens.get(0x00281200 + color)
        segmented = tokens.get(0x00281220 + color)
        if len(descriptor) != 3 or (data is None and segmented is None):
            _note_palette(scanned.notes)
        elif data is not None:
            entries = descriptor[0] or 1 << 16  # PS3.3 C.7.6.3.1.5: 0 means 65,536
            if data.length < entries * (1 if descriptor[2] == 8 else 2):
                _note_palette(scanned.notes)


def _note_palette(notes: Notes) -> None:
    message = "a palette is missing or shorter than its descriptor says"
    notes.add("palette-invalid", message, "RedPaletteColorLookupTableData")
