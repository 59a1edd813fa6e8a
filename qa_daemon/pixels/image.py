"""The pixel part of one object: its attributes, and the bytes of each frame, checked for size.

In: the bytes of an object. Out: an `Image` whose frames are slices of the bytes at hand; nothing
is decoded and nothing is allocated here, whatever the header claims.
"""

from collections.abc import Sequence
from struct import Struct
from typing import Final

import numpy as np
from attrs import evolve, frozen

from qa_daemon.dicom.encoding.dictionary import tag_of
from qa_daemon.dicom.encoding.text import UNDECLARED
from qa_daemon.dicom.encoding.tokens import Content, Token
from qa_daemon.dicom.encoding.values import (
    PIXEL_REPRESENTATION,
    TEXT_VRS,
    numbers_of,
    raw_of,
    resolved_vr,
    texts_of,
)
from qa_daemon.dicom.scan import Refused, Scan, scan
from qa_daemon.limits import Limits
from qa_daemon.pixels.codestream import (
    ATTRIBUTES,
    FRAME_COUNT,
    TRUNCATED,
    UNDECODABLE,
    Undecodable,
)
from qa_daemon.records.element import Element, Elements, Value, first_text
from qa_daemon.records.instance import Irregularity

IMPLICIT_LITTLE: Final = "1.2.840.10008.1.2"
EXPLICIT_LITTLE: Final = "1.2.840.10008.1.2.1"
DEFLATED_LITTLE: Final = "1.2.840.10008.1.2.1.99"
EXPLICIT_BIG: Final = "1.2.840.10008.1.2.2"
NATIVE: Final = frozenset({IMPLICIT_LITTLE, EXPLICIT_LITTLE, DEFLATED_LITTLE, EXPLICIT_BIG})
RLE: Final = "1.2.840.10008.1.2.5"

#: Samples per pixel by Photometric Interpretation (PS3.3 C.7.6.3.1.2), the retired ones left out.
SAMPLES: Final = {
    "MONOCHROME1": 1,
    "MONOCHROME2": 1,
    "PALETTE COLOR": 1,
    "RGB": 3,
    "YBR_FULL": 3,
    "YBR_FULL_422": 3,
    "YBR_PARTIAL_420": 3,
    "YBR_PARTIAL_422": 3,
    "YBR_ICT": 3,
    "YBR_RCT": 3,
}
BITS_ALLOCATED: Final = frozenset({1, 8, 16, 32, 64})
_FLOAT_BITS: Final = {0x7FE00008: 32, 0x7FE00009: 64}
_COLOURS: Final = ("Red", "Green", "Blue")
_KEYWORDS: Final = (
    *("Rows", "Columns", "SamplesPerPixel", "PhotometricInterpretation", "PlanarConfiguration"),
    *("BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation", "NumberOfFrames"),
    *("RescaleSlope", "RescaleIntercept", "ModalityLUTSequence", "VOILUTSequence"),
    *("LUTDescriptor", "LUTData", "WindowCenter", "WindowWidth", "VOILUTFunction"),
    *(f"{colour}PaletteColorLookupTableDescriptor" for colour in _COLOURS),
    *(f"{colour}PaletteColorLookupTableData" for colour in _COLOURS),
    *("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence"),
    *("PixelValueTransformationSequence", "FrameVOILUTSequence", "PixelMeasuresSequence"),
    *("PixelSpacing", "ImagerPixelSpacing"),
)
_WANTED: Final = {tag_of(keyword): keyword for keyword in _KEYWORDS}
assert None not in _WANTED, "a keyword that PS3.6 does not have"


@frozen
class Format:
    """The Image Pixel attributes (PS3.3 C.7.6.3) of an image that may be decoded."""

    rows: int
    columns: int
    samples: int
    photometric: str
    bits_allocated: int
    bits_stored: int
    high_bit: int
    is_signed: bool
    is_planar: bool = False
    is_float: bool = False

    @property
    def frame_bits(self) -> int:
        """Bits of one native frame; YBR_FULL_422 is subsampled (PS3.3 C.7.6.3.1.2)."""
        samples = 2 if self.photometric == "YBR_FULL_422" else self.samples
        return self.rows * self.columns * samples * self.bits_allocated


@frozen
class Image:
    """The pixels of one object, still encoded.

    Attributes
    ----------
    header
        The elements of the image pixel, LUT and functional group modules, lookup tables as words.
    native
        All of native Pixel Data; None if encapsulated.
    fragments
        Per encapsulated frame its fragments.
    swaps_words
        Big endian OW holds 8-bit samples in swapped pairs (PS3.5 8.1.2 with D.2 of old).
    number_of_frames
        Those at hand in full, whatever Number of Frames says.
    """

    header: Elements
    format: Format
    transfer_syntax_uid: str
    number_of_frames: int
    native: memoryview | None = None
    fragments: tuple[tuple[memoryview, ...], ...] = ()
    swaps_words: bool = False
    irregularities: tuple[Irregularity, ...] = ()


def read_image(content: Content, limits: Limits) -> Image:
    """Return the pixel part of an object.

    Raises
    ------
    Undecodable
        If there are no pixels, their attributes make no sense, or no frame is at hand in full.
    """
    try:
        scanned = scan(content, limits)
    except Refused as error:
        raise Undecodable(UNDECODABLE, f"the object cannot be read: {error}") from error
    token = scanned.pixel_data
    if token is None:
        raise Undecodable(UNDECODABLE, "the object has no Pixel Data")
    header = _elements(scanned, scanned.data_set, limits)
    form = _format(header, token.tag)
    if form.frame_bits // 8 > limits.frame_bytes_max:
        raise _too_large(token, form, limits)
    syntax = _syntax(scanned, token)
    is_native = syntax in NATIVE
    if is_native != (token.fragments is None):
        message = "Pixel Data is native or encapsulated against what the transfer syntax says"
        raise Undecodable(UNDECODABLE, message)
    if is_native:
        return _native(scanned, header, form, token)
    return _encapsulated(scanned, Image(header, form, syntax, declared_frames(header)), token)


def _syntax(scanned: Scan, token: Token) -> str:
    """Return the transfer syntax of the pixels: elements in implicit VR may hold JPEG after all."""
    declared = scanned.meta.transfer_syntax_uid
    is_hybrid = token.fragments is not None and declared not in ("", *NATIVE)
    return declared if is_hybrid else scanned.transfer_syntax_uid


def declared_frames(header: Elements) -> int:
    """Return Number of Frames, 1 where it is absent or senseless."""
    values = header["NumberOfFrames"].values if "NumberOfFrames" in header else ()
    text = str(values[0]).strip() if len(values) == 1 else ""
    return max(1, int(text)) if text.isascii() and text.isdigit() and len(text) <= 12 else 1


def _elements(scanned: Scan, tokens: Sequence[Token], limits: Limits) -> Elements:
    """Return the elements of `_KEYWORDS` on one level; recursion is bounded by `nesting_max`."""
    found: dict[str, Element] = {}
    signed = False
    for token in tokens:
        keyword = _WANTED.get(token.tag)
        is_long = token.items is None and token.length > 2 * limits.lookup_entries_max
        if keyword is None or is_long:
            continue
        if token.items is not None:
            items = tuple(_elements(scanned, item, limits) for item in token.items)
            found[keyword] = Element("SQ", items)
            continue
        vr = resolved_vr(token, signed=signed)
        found[keyword] = Element(vr, _values(scanned, token, vr))
        if token.tag == PIXEL_REPRESENTATION:
            signed = found[keyword].values == (1,)
    return found


def _values(scanned: Scan, token: Token, vr: str) -> tuple[Value, ...]:
    raw = raw_of(scanned.content, token)
    if vr in TEXT_VRS:
        return texts_of(raw, vr, UNDECLARED)
    if vr in ("OB", "OW"):
        order = "<" if vr == "OB" else scanned.encoding.order
        return tuple(np.frombuffer(raw[: len(raw) // 2 * 2], f"{order}u2").tolist())
    return numbers_of(raw, vr, scanned.encoding)


def _too_large(token: Token, form: Format, limits: Limits) -> Undecodable:
    if token.fragments is None and token.length * 8 < form.frame_bits:
        return _cut(token, form)
    return Undecodable(
        UNDECODABLE,
        f"one frame takes {form.frame_bits // 8} bytes, more than frame_bytes_max"
        f" ({limits.frame_bytes_max})",
    )


def _cut(token: Token, form: Format) -> Undecodable:
    message = f"Pixel Data holds {token.length} bytes, one frame takes {form.frame_bits // 8}"
    return Undecodable(TRUNCATED, message)


def _format(header: Elements, tag: int) -> Format:
    rows, columns = _number(header, "Rows", 1, 65535), _number(header, "Columns", 1, 65535)
    photometric = first_text(header, "PhotometricInterpretation").upper()
    samples = _number(header, "SamplesPerPixel", 1, 4)
    if SAMPLES.get(photometric) != samples:
        message = "Photometric Interpretation and Samples per Pixel are no pair of PS3.3 C.7.6.3"
        raise Undecodable(ATTRIBUTES, message, "PhotometricInterpretation")
    is_planar = samples > 1 and _one(header, "PlanarConfiguration") == 1
    if tag in _FLOAT_BITS:
        bits = _FLOAT_BITS[tag]
        return Format(
            *(rows, columns, samples, photometric, bits, bits, bits - 1),
            is_signed=True,
            is_planar=is_planar,
            is_float=True,
        )
    allocated = _number(header, "BitsAllocated", 1, 64)
    if allocated not in BITS_ALLOCATED:
        message = f"Bits Allocated is {allocated}, not 1 or a multiple of 8"
        raise Undecodable(ATTRIBUTES, message, "BitsAllocated")
    stored = _number(header, "BitsStored", 1, allocated)
    # High Bit is Bits Stored - 1 in every object of today; where it is absurd that is meant.
    high_bit = _one(header, "HighBit")
    if not isinstance(high_bit, int) or not stored - 1 <= high_bit < allocated:
        high_bit = stored - 1
    is_signed = _number(header, "PixelRepresentation", 0, 1) == 1
    return Format(
        rows, columns, samples, photometric, allocated, stored, high_bit, is_signed, is_planar
    )


def _one(header: Elements, keyword: str) -> int | None:
    """Return a whole number that stands alone in a binary VR, None for everything else."""
    element = header.get(keyword)
    if element is None or len(element.values) != 1 or not isinstance(element.values[0], int):
        return None
    return element.values[0]


def _number(header: Elements, keyword: str, least: int, most: int) -> int:
    value = _one(header, keyword)
    if value is None or not least <= value <= most:
        message = f"{keyword} is not one number from {least} to {most}"
        raise Undecodable(ATTRIBUTES, message, keyword)
    return value


def _native(scanned: Scan, header: Elements, form: Format, token: Token) -> Image:
    declared, at_hand = declared_frames(header), token.length * 8 // form.frame_bits
    if at_hand == 0:
        raise _cut(token, form)
    swaps = not scanned.encoding.is_little and token.vr == "OW" and form.bits_allocated <= 8
    return Image(
        header,
        form,
        scanned.transfer_syntax_uid,
        min(declared, at_hand),
        native=memoryview(scanned.content)[token.offset : token.offset + token.length],
        swaps_words=swaps,
        irregularities=_frames_missing(declared, at_hand) if at_hand < declared else (),
    )


def _frames_missing(declared: int, at_hand: int) -> tuple[Irregularity, ...]:
    message = f"Number of Frames is {declared}, Pixel Data holds {at_hand}"
    return (Irregularity(FRAME_COUNT, message, "NumberOfFrames"),)


def _encapsulated(scanned: Scan, image: Image, token: Token) -> Image:
    """Return the image with its fragments, and with the frames that are at hand."""
    whole = memoryview(scanned.content)
    items = [whole[offset : offset + length] for offset, length in token.fragments or ()]
    fragments = items[1:]
    is_cut = any(noted.kind == TRUNCATED for noted in scanned.notes.irregularities)
    if not any(len(fragment) for fragment in fragments):
        raise Undecodable(TRUNCATED if is_cut else UNDECODABLE, "Pixel Data holds no fragment")
    declared = image.number_of_frames
    frames = _frames(fragments, bytes(items[0]), declared, image.transfer_syntax_uid)
    if is_cut:
        frames = frames[:-1]  # half a frame would be grey from somewhere on, and look like anatomy
    if not frames:
        raise Undecodable(TRUNCATED, "Pixel Data ends inside its only frame")
    return evolve(
        image,
        number_of_frames=min(declared, len(frames)),
        fragments=frames,
        irregularities=_frames_missing(declared, len(frames)) if len(frames) != declared else (),
    )


def _frames(
    fragments: Sequence[memoryview], table: bytes, declared: int, syntax: str
) -> tuple[tuple[memoryview, ...], ...]:
    """Return the fragments of each frame (PS3.5 A.4)."""
    if len(fragments) == declared or syntax == RLE:
        return tuple((fragment,) for fragment in fragments)
    starts = _table_starts(fragments, table) or _stream_starts(fragments)
    if declared == 1 and len(starts) <= 1:
        return (tuple(fragments),)
    ends = (*starts[1:], len(fragments))
    return tuple(tuple(fragments[a:b]) for a, b in zip(starts, ends, strict=True))


def _table_starts(fragments: Sequence[memoryview], table: bytes) -> list[int]:
    """Return the index of each frame's first fragment by the Basic Offset Table, [] if it lies."""
    at, index_at = 0, {}
    for index, fragment in enumerate(fragments):
        index_at[at] = index
        at += 8 + len(fragment)
    offsets = [offset for (offset,) in Struct("<L").iter_unpack(table[: len(table) // 4 * 4])]
    starts = [index_at.get(offset, -1) for offset in offsets]
    return starts if starts[:1] == [0] and starts == sorted(set(starts)) else []


def _stream_starts(fragments: Sequence[memoryview]) -> list[int]:
    """Return the indices of fragments that begin a JPEG or JPEG 2000 stream."""
    marks = (b"\xff\xd8", b"\xff\x4f")
    return [i for i, fragment in enumerate(fragments) if bytes(fragment[:2]) in marks] or [0]
