"""Frames of every transfer syntax that pictures travel in, within limits.

In: an `Image`. Out: one frame at a time as an array of stored values, with the meaning of its
samples. What cannot be decoded is `Undecodable`, whatever the codec raised. Codecs reserve memory
by what a stream claims, so its size is compared with Rows and Columns before it is handed over.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

import imagecodecs
import numpy as np
from attrs import evolve, frozen
from numpy.typing import NDArray
from openjpeg.utils import decode as decode_openjpeg
from rle.rle import decode_frame as decode_rle_segments

from qa_daemon.limits import Limits
from qa_daemon.pixels.codestream import (
    ATTRIBUTES,
    UNDECODABLE,
    Codestream,
    Undecodable,
    read_jpeg,
    read_jpeg2000,
)
from qa_daemon.pixels.image import EXPLICIT_BIG, NATIVE, RLE, Format, Image, read_image
from qa_daemon.records.instance import Irregularity

JPEG: Final = frozenset(f"1.2.840.10008.1.2.4.{number}" for number in (50, 51, 57, 70))
JPEG_LS: Final = frozenset(f"1.2.840.10008.1.2.4.{number}" for number in (80, 81))
JPEG_2000: Final = frozenset(f"1.2.840.10008.1.2.4.{number}" for number in (90, 91, 201, 202, 203))
#: Everything else (MPEG, JPEG XL, private) is stored and not evaluated.
DECODABLE: Final = NATIVE | {RLE} | JPEG | JPEG_LS | JPEG_2000
#: RLE makes at most 128 bytes of 2 (PS3.5 G.3).
RLE_RATIO_MAX: Final = 64
RLE_HEADER_BYTES: Final = 64
_EOI: Final = b"\xff\xd9"


@frozen(eq=False)
class Frame:
    """One decoded frame.

    Attributes
    ----------
    number
        Counted from 1.
    samples
        Stored values, unused bits cleared and the sign extended: shape (rows, columns), or
        (rows, columns, 3).
    photometric
        What the samples are: a decoded JPEG with YBR samples has become RGB.
    irregularities
        What the stream says against the attributes.
    """

    number: int
    samples: NDArray[Any]
    photometric: str
    irregularities: tuple[Irregularity, ...] = ()


def is_decodable(transfer_syntax_uid: str) -> bool:
    """Whether frames of this transfer syntax are decoded at all."""
    return transfer_syntax_uid in DECODABLE


def decode_frames(content: bytes, frames: Sequence[int], limits: Limits) -> Iterator[Frame]:
    """Yield the frames asked for of one object, counted from 1.

    Raises
    ------
    Undecodable
        At the first frame that cannot be had.
    """
    image = read_image(content, limits)
    for number in frames:
        yield decode_frame(image, number)


def decode_frame(image: Image, number: int) -> Frame:
    """Return frame `number`, counted from 1.

    Raises
    ------
    Undecodable
        If it is not at hand in full, or its stream is damaged or not what the attributes say.
    """
    if not 1 <= number <= image.number_of_frames:
        raise Undecodable(UNDECODABLE, f"frame {number} of {image.number_of_frames} does not exist")
    if image.native is not None:
        samples = _native_samples(image, image.native, number)
        return Frame(number, samples, _native_photometric(image.format.photometric))
    stream = b"".join(image.fragments[number - 1])
    try:
        return evolve(_coder(image.transfer_syntax_uid)(stream, image.format), number=number)
    except (Undecodable, MemoryError):
        raise
    except Exception as error:  # codecs raise classes of their own, ValueError, RuntimeError ...
        raise _damaged(error) from error


def _damaged(error: BaseException) -> Undecodable:
    return Undecodable(UNDECODABLE, f"the codec refuses the stream ({type(error).__name__})")


def _coder(transfer_syntax_uid: str) -> Callable[[bytes, Format], Frame]:
    for syntaxes, coder in _CODERS.items():
        if transfer_syntax_uid in syntaxes:
            return coder
    raise Undecodable(UNDECODABLE, "no decoder for this transfer syntax")


def _native_photometric(photometric: str) -> str:
    return "YBR_FULL" if photometric == "YBR_FULL_422" else photometric


def _native_samples(image: Image, native: memoryview, number: int) -> NDArray[Any]:
    form = image.format
    first_bit = (number - 1) * form.frame_bits
    if form.bits_allocated == 1:
        return _bits(native, first_bit, form)
    if image.swaps_words:
        native = memoryview(_swapped(native))
    size = form.frame_bits // 8
    order = ">" if image.transfer_syntax_uid == EXPLICIT_BIG else "<"
    raw = native[first_bit // 8 : first_bit // 8 + size]
    if form.is_float:
        return _arranged(np.frombuffer(raw, f"{order}f{form.bits_allocated // 8}"), form)
    values = np.frombuffer(raw, f"{order}u{form.bits_allocated // 8}")
    if form.photometric == "YBR_FULL_422":
        return _used_bits(_unsubsampled(values, form), form)
    return _used_bits(_arranged(values, form), form)


def _swapped(native: memoryview) -> bytes:
    even = len(native) // 2 * 2
    return np.frombuffer(native[:even], "<u2").byteswap().tobytes() + bytes(native[even:])


def _bits(native: memoryview, first_bit: int, form: Format) -> NDArray[np.uint8]:
    """Return a frame of 1-bit samples, packed from the lowest bit on (PS3.5 8.1.1)."""
    last_byte = (first_bit + form.frame_bits + 7) // 8
    octets = np.frombuffer(native[first_bit // 8 : last_byte], np.uint8)
    bits = np.unpackbits(octets, bitorder="little")
    return _arranged(bits[first_bit % 8 :][: form.frame_bits], form)


def _arranged(values: NDArray[Any], form: Format) -> NDArray[Any]:
    if form.samples == 1:
        return values.reshape(form.rows, form.columns)
    if form.is_planar:
        return values.reshape(form.samples, form.rows, form.columns).transpose(1, 2, 0)
    return values.reshape(form.rows, form.columns, form.samples)


def _unsubsampled(values: NDArray[Any], form: Format) -> NDArray[Any]:
    """Return Y, CB, CR per pixel of native YBR_FULL_422: two Y, then CB and CR of both."""
    pairs = values.reshape(-1, 4)
    full = np.empty((len(pairs), 2, 3), values.dtype)
    full[:, :, 0] = pairs[:, :2]
    full[:, :, 1:] = pairs[:, None, 2:]
    return full.reshape(form.rows, form.columns, 3)


def _used_bits(values: NDArray[Any], form: Format) -> NDArray[Any]:
    """Return the Bits Stored below High Bit; overlays of old live in the others (PS3.5 8.1.1)."""
    shift = form.high_bit + 1 - form.bits_stored
    shifted = values >> values.dtype.type(shift) if shift else values
    return signed(shifted, form.bits_stored) if form.is_signed else _masked(shifted, form)


def _masked(values: NDArray[Any], form: Format) -> NDArray[Any]:
    if form.bits_stored == form.bits_allocated:
        return values
    masked: NDArray[Any] = values & values.dtype.type((1 << form.bits_stored) - 1)
    return masked


def signed(values: NDArray[Any], bits: int) -> NDArray[Any]:
    """Return two's complement numbers of `bits` bits, from the lowest bits of unsigned ones."""
    width = values.dtype.itemsize * 8
    native_order = values.astype(values.dtype.newbyteorder("="), copy=False)
    left = np.left_shift(native_order, native_order.dtype.type(width - bits))
    as_signed: NDArray[Any] = left.view(f"i{width // 8}")
    extended: NDArray[Any] = np.right_shift(as_signed, as_signed.dtype.type(width - bits))
    return extended


def _rle_frame(stream: bytes, form: Format) -> Frame:
    """Decode RLE (PS3.5 G): byte planes, the most significant first, sample by sample."""
    pixels = form.rows * form.columns
    size = pixels * form.samples * form.bits_allocated // 8
    if size > RLE_RATIO_MAX * max(0, len(stream) - RLE_HEADER_BYTES):
        raise Undecodable(UNDECODABLE, "the RLE frame is too short for Rows and Columns")
    try:
        octets = decode_rle_segments(stream, pixels, form.bits_allocated, "<")
    except MemoryError:
        raise
    except BaseException as error:  # a panic of the Rust codec is no Exception
        raise _damaged(error) from error
    values = np.frombuffer(octets, f"<u{form.bits_allocated // 8}")
    planes = values.reshape(form.samples, form.rows, form.columns)
    arranged = planes[0] if form.samples == 1 else planes.transpose(1, 2, 0)
    return Frame(0, _used_bits(arranged, form), form.photometric)


def _jpeg_frame(stream: bytes, form: Format) -> Frame:
    """Decode JPEG baseline, extended (12 bits too) and lossless by libjpeg-turbo."""
    head = read_jpeg(stream)
    _expect(head, form)
    irregularities: tuple[Irregularity, ...] = ()
    colours = None
    if form.photometric == "RGB" and not head.names_rgb:
        # The samples are taken as the tag says; a decoder left alone would "convert" them.
        colours = "RGB"
        if head.is_lossy_jpeg and not head.has_adobe:
            irregularities = (_colour_contradiction(),)
    samples = imagecodecs.jpeg8_decode(stream, colorspace=colours, outcolorspace=colours)
    photometric = "RGB" if form.samples > 1 else form.photometric
    return Frame(0, _as_stored(samples, head, form), photometric, irregularities)


def _colour_contradiction() -> Irregularity:
    message = "Photometric Interpretation is RGB, the JPEG stream does not say so to a decoder"
    return Irregularity(ATTRIBUTES, message, "PhotometricInterpretation")


def _jpeg_ls_frame(stream: bytes, form: Format) -> Frame:
    head = read_jpeg(stream)
    _expect(head, form)
    # Without an end marker CharLS 2.4 counts 2^31 zero bits before it gives up: 2.7 s.
    samples = imagecodecs.jpegls_decode(stream if _EOI in stream[-4:] else stream + _EOI)
    return Frame(0, _as_stored(samples, head, form), form.photometric)


def _jpeg_2000_frame(stream: bytes, form: Format) -> Frame:
    head = read_jpeg2000(stream)
    _expect(head, form)
    samples = decode_openjpeg(stream)
    irregularities: tuple[Irregularity, ...] = ()
    if head.is_signed != form.is_signed:
        message = "Pixel Representation contradicts the sign in the JPEG 2000 stream"
        irregularities = (Irregularity(ATTRIBUTES, message, "PixelRepresentation"),)
    photometric = "RGB" if form.photometric in ("YBR_ICT", "YBR_RCT") else form.photometric
    return Frame(0, _as_stored(samples, head, form), photometric, irregularities)


def _expect(head: Codestream, form: Format) -> None:
    """Refuse a stream whose own size is not that of the attributes: one of them lies."""
    theirs, ours = (head.rows, head.columns, head.samples), (form.rows, form.columns, form.samples)
    if theirs != ours:
        message = "the compressed stream has another size or number of samples than the attributes"
        raise Undecodable(UNDECODABLE, message)
    if head.precision > form.bits_allocated:
        message = f"the compressed stream has {head.precision} bits, more than Bits Allocated"
        raise Undecodable(ATTRIBUTES, message, "BitsAllocated")


def _as_stored(samples: NDArray[Any], head: Codestream, form: Format) -> NDArray[Any]:
    """Return decoded samples with the sign that the attributes ask for."""
    if samples.shape[:2] != (form.rows, form.columns):
        raise Undecodable(UNDECODABLE, "the decoded frame has another size than the attributes")
    if head.is_signed or not form.is_signed:
        return samples
    # Coders without a sign carry two's complement numbers as unsigned ones (PS3.5 8.2.1).
    unsigned = samples.view(f"u{samples.dtype.itemsize}")
    return signed(unsigned, min(form.bits_stored, head.precision))


_CODERS: Final[Mapping[frozenset[str], Callable[[bytes, Format], Frame]]] = {
    frozenset({RLE}): _rle_frame,
    JPEG: _jpeg_frame,
    JPEG_LS: _jpeg_ls_frame,
    JPEG_2000: _jpeg_2000_frame,
}
