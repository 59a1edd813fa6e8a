"""What a compressed frame says of itself, read before a codec sees it.

A codec reserves memory for the size that the stream claims, so a stream of 600 bytes can ask for
12 GB. The first markers tell size, samples and precision; nothing else of the stream is read.
"""

from struct import Struct
from typing import Final

from attrs import frozen

from qa_daemon.errors import InputError
from qa_daemon.records.instance import Irregularity

UNDECODABLE: Final = "pixels-undecodable"
ATTRIBUTES: Final = "pixel-attributes"
TRUNCATED: Final = "pixel-data-truncated"
FRAME_COUNT: Final = "frame-count-mismatch"


class Undecodable(InputError):  # noqa: N818  it reads as what the pixels are, as `Refused` does
    """Pixels that cannot be had, with what is wrong about them."""

    def __init__(self, kind: str, message: str, path: str = "PixelData") -> None:
        super().__init__(message)
        self.irregularity = Irregularity(kind, message, path)


@frozen
class Codestream:
    """The first frame header of a JPEG, JPEG-LS or JPEG 2000 stream.

    Attributes
    ----------
    precision
        Bits per sample.
    is_signed
        JPEG 2000 only; the other coders know no sign.
    is_lossy_jpeg
        SOF0 to SOF2: the only streams whose decoder guesses a colour transform.
    names_rgb
        An Adobe marker says that no colour transform was applied, or the components are named so.
    has_adobe
        There is an Adobe marker, be it cut short and silent about the transform.
    """

    rows: int
    columns: int
    samples: int
    precision: int
    is_signed: bool = False
    is_lossy_jpeg: bool = False
    names_rgb: bool = False
    has_adobe: bool = False


_SOI: Final = b"\xff\xd8"
_SOC_SIZ: Final = b"\xff\x4f\xff\x51"
_ADOBE: Final = 0xEE
_ADOBE_TRANSFORM_AT: Final = 11
_SOS: Final = 0xDA
#: SOF0-15 without DHT, JPG and DAC, and SOF55 of JPEG-LS.
_FRAME_HEADERS: Final = frozenset({*range(0xC0, 0xD0), 0xF7}) - {0xC4, 0xC8, 0xCC}
_WITHOUT_LENGTH: Final = frozenset({0x01, *range(0xD0, 0xDA)})
_LENGTH: Final = Struct(">H")
_SOF: Final = Struct(">BHHB")
_SIZ: Final = Struct(">HHIIIIIIIIH")
#: JP2 boxes before the stream are not allowed (PS3.5 A.4.4), and seen with 1,658 bytes.
_JP2_BOXES_BYTES_MAX: Final = 1 << 16


def read_jpeg(stream: bytes) -> Codestream:
    """Return what the frame header of a JPEG or JPEG-LS stream says (ITU-T T.81 B.2.2).

    Raises
    ------
    Undecodable
        If there is no frame header before the first scan.
    """
    if not stream.startswith(_SOI):
        raise Undecodable(UNDECODABLE, "the frame does not begin as a JPEG stream")
    adobe, at = b"", 2
    while at + 4 <= len(stream) and stream[at] == 0xFF:
        marker = stream[at + 1]
        if marker == 0xFF or marker in _WITHOUT_LENGTH:
            at += 1 if marker == 0xFF else 2
            continue
        if marker == _SOS:
            break
        (length,) = _LENGTH.unpack_from(stream, at + 2)
        segment = stream[at + 4 : at + 2 + length]
        if marker == _ADOBE and segment.startswith(b"Adobe"):
            adobe = segment
        if marker in _FRAME_HEADERS and len(segment) >= _SOF.size:
            return _jpeg_frame(marker, segment, adobe)
        at += 2 + length
    raise Undecodable(UNDECODABLE, "the JPEG stream has no frame header")


def _jpeg_frame(marker: int, segment: bytes, adobe: bytes) -> Codestream:
    precision, rows, columns, samples = _SOF.unpack_from(segment)
    names = segment[6 : 6 + 3 * samples : 3]
    return Codestream(
        rows=rows,
        columns=columns,
        samples=samples,
        precision=precision,
        is_lossy_jpeg=marker <= 0xC2,
        names_rgb=adobe[_ADOBE_TRANSFORM_AT:][:1] == b"\0" or names == b"RGB",
        has_adobe=bool(adobe),
    )


def read_jpeg2000(stream: bytes) -> Codestream:
    """Return what the SIZ marker of a JPEG 2000 stream says (ITU-T T.800 A.5.1).

    Raises
    ------
    Undecodable
        If there is no SIZ marker, or its components differ in size or precision.
    """
    at = stream.find(_SOC_SIZ, 0, _JP2_BOXES_BYTES_MAX)
    if at < 0 or len(stream) < at + 4 + _SIZ.size + 3:
        raise Undecodable(UNDECODABLE, "the frame does not begin as a JPEG 2000 stream")
    size = _SIZ.unpack_from(stream, at + 4)
    samples = size[10]
    components = stream[at + 4 + _SIZ.size :][: 3 * samples]
    if samples < 1 or components != components[:3] * samples:
        raise Undecodable(UNDECODABLE, "the JPEG 2000 components differ among themselves")
    return Codestream(
        rows=size[3] - size[5],
        columns=size[2] - size[4],
        samples=samples,
        precision=(components[0] & 0x7F) + 1,
        is_signed=bool(components[0] & 0x80),
    )
