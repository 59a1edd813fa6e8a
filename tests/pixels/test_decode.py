"""Every transfer syntax that the published files use, and streams that lie about their size."""

from io import BytesIO
from pathlib import Path
from typing import Any, Protocol

import imagecodecs
import numpy as np
import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from pydicom import dcmread
from pydicom.dataset import FileDataset
from pydicom.encaps import encapsulate
from pydicom.pixels.utils import pixel_array
from pydicom.uid import UID

from qa_daemon.demo.phantom import CtPlan, ct_series, part10
from qa_daemon.dicom.header import read_instance
from qa_daemon.dicom.scan import Refused
from qa_daemon.limits import Limits
from qa_daemon.pixels.codestream import Undecodable
from qa_daemon.pixels.decode import decode_frame, decode_frames, is_decodable, signed
from qa_daemon.pixels.image import read_image

#: What the published files hold that cannot be decoded, and why that is right.
UNDECODABLE_FILES = {
    "MR_truncated.dcm": "pixel-data-truncated",
    # The size in its stream was overwritten by a delimiter: 3,722,445,056 columns.
    "JPEG2000-embedded-sequence-delimiter.dcm": "pixels-undecodable",
    # Private groups only: their Pixel Data has no Rows.
    "nested_priv_SQ.dcm": "pixel-attributes",
    "meta_missing_tsyntax.dcm": "pixel-attributes",
}
CONTRADICTING_FILES = {
    "J2K_pixelrep_mismatch.dcm": "pixel-attributes",
    "SC_jpeg_no_color_transform.dcm": "pixel-attributes",
}


class Files(Protocol):
    paths: dict[str, Path]

    def content(self, name: str) -> bytes: ...


def has_pixels(content: bytes, limits: Limits) -> bool:
    try:
        return read_instance(content, limits).number_of_frames > 0
    except Refused:
        return False


def by_pydicom(content: bytes) -> NDArray[Any] | None:
    """Return the first frame as pydicom decodes it, None if none of its plugins can."""
    read = dcmread(BytesIO(content), force=True)
    try:
        return pixel_array(read, index=0)
    except Exception:  # noqa: BLE001  each plugin fails in its own way
        return None


@pytest.mark.filterwarnings("ignore")  # pydicom comments on what it reads
def test_every_published_image_is_decoded_as_by_pydicom(published: Files, limits: Limits) -> None:
    compared, refused, contradicting = 0, {}, {}
    for name, path in published.paths.items():
        content = path.read_bytes()
        if not has_pixels(content, limits):
            continue
        try:
            (frame,) = decode_frames(content, [1], limits)
        except Undecodable as error:
            refused[name] = error.irregularity.kind
            continue
        if frame.irregularities:
            contradicting[name] = frame.irregularities[0].kind
        expected = by_pydicom(content)
        if expected is not None and frame.photometric != "YBR_FULL":
            assert np.array_equal(frame.samples, expected), name
            compared += 1
    assert {name: kind for name, kind in UNDECODABLE_FILES.items() if name in refused} == refused
    assert {"MR_truncated.dcm", "JPEG2000-embedded-sequence-delimiter.dcm"} <= set(refused)
    assert contradicting == CONTRADICTING_FILES
    assert compared > 100


@pytest.mark.parametrize(
    ("compressed", "original"),
    [
        ("MR_small_jpeg_ls_lossless.dcm", "MR_small.dcm"),
        ("emri_small_jpeg_ls_lossless.dcm", "emri_small.dcm"),
        ("SC_rgb_jpeg_gdcm.dcm", "SC_rgb.dcm"),
        ("image_dfl.dcm", "image_dfl.dcm"),
        ("MR_small_RLE.dcm", "MR_small.dcm"),
        ("MR_small_jp2klossless.dcm", "MR_small.dcm"),
        ("MR_small_bigendian.dcm", "MR_small.dcm"),
    ],
)
def test_lossless_copies_decode_to_their_originals(
    published: Files, limits: Limits, compressed: str, original: str
) -> None:
    (frame,) = decode_frames(published.content(compressed), [1], limits)
    expected = by_pydicom(published.content(original))
    assert np.array_equal(frame.samples, np.asarray(expected))


@pytest.mark.parametrize("name", ["JPEG-lossy.dcm", "JPGExtended.dcm"])
def test_twelve_bit_jpeg_extended_shows_the_scintigram(
    published: Files, limits: Limits, name: str
) -> None:
    (frame,) = decode_frames(published.content(name), [1], limits)
    original = by_pydicom(published.content("JPEG2000_UNC.dcm"))
    assert original is not None
    assert frame.samples.shape == original.shape == (1024, 256)
    assert np.corrcoef(frame.samples.ravel(), original.ravel())[0, 1] > 0.95


@pytest.mark.parametrize(
    "name", ["examples_ybr_color.dcm", "emri_small_RLE.dcm", "liver.dcm", "rtdose_expb.dcm"]
)
def test_every_frame_of_a_multi_frame_object_is_its_own(
    published: Files, limits: Limits, name: str
) -> None:
    content = published.content(name)
    image = read_image(content, limits)
    expected = dcmread(BytesIO(content)).pixel_array
    assert image.number_of_frames == len(expected)
    for number in {1, 2, len(expected)}:
        got = decode_frame(image, number).samples
        if expected.ndim == 3:
            assert np.array_equal(got, expected[number - 1])
        else:
            assert np.abs(got.astype(int) - expected[number - 1]).mean() < 2


def test_an_object_cut_inside_its_last_frame_keeps_the_others(
    published: Files, limits: Limits
) -> None:
    whole = published.content("emri_small_jpeg_2k_lossless.dcm")
    shorter = whole[:-100]
    image = read_image(shorter, limits)
    assert [found.kind for found in image.irregularities] == ["frame-count-mismatch"]
    assert image.number_of_frames == 9
    cut, good = (list(decode_frames(content, [1, 9], limits)) for content in (shorter, whole))
    assert [np.array_equal(a.samples, b.samples) for a, b in zip(cut, good, strict=True)] == [1, 1]
    with pytest.raises(Undecodable, match="frame 10 of 9"):
        decode_frame(image, 10)


def a_slice(**tags: object) -> FileDataset:
    plan = CtPlan(slices=1, rows=32, columns=24, pixel_spacing_mm=(12, 16), tags=tags)
    return ct_series(plan)[0]


def compressed(stream: bytes | list[bytes], transfer_syntax: str, **tags: object) -> bytes:
    data_set = a_slice(**tags)
    data_set.file_meta.TransferSyntaxUID = UID(transfer_syntax)
    streams = stream if isinstance(stream, list) else [stream]
    data_set.PixelData = encapsulate(streams, has_bot=False)
    data_set["PixelData"].VR = "OB"
    data_set["PixelData"].is_undefined_length = True
    return part10(data_set)


def jpeg_2000(picture: NDArray[np.uint16]) -> bytes:
    return bytes(imagecodecs.jpeg2k_encode(picture, codecformat="j2k", reversible=True, level=0))


def kind_of(content: bytes, limits: Limits) -> str:
    with pytest.raises(Undecodable) as caught:
        list(decode_frames(content, [1], limits))
    return caught.value.irregularity.kind


J2K, JPEG, JLS, RLE = (f"1.2.840.10008.1.2.{end}" for end in ("4.90", "4.57", "4.80", "5"))


@pytest.mark.parametrize("shape", [(31, 24), (32, 25), (60000, 60000)])
def test_a_stream_of_another_size_is_refused_before_a_codec_sees_it(
    limits: Limits, shape: tuple[int, int]
) -> None:
    stream = bytearray(jpeg_2000(np.zeros((32, 24), np.uint16)))
    stream[8:16] = shape[1].to_bytes(4) + shape[0].to_bytes(4)
    assert kind_of(compressed(bytes(stream), J2K), limits) == "pixels-undecodable"


@pytest.mark.parametrize(("syntax", "stream"), [(J2K, b"x" * 99), (JPEG, b"\xff\xd8\xff\xd9")])
def test_what_is_no_stream_is_refused(limits: Limits, syntax: str, stream: bytes) -> None:
    assert kind_of(compressed(stream, syntax), limits) == "pixels-undecodable"


def test_streams_cut_in_the_middle_are_refused_or_decoded_but_never_crash(limits: Limits) -> None:
    picture = np.arange(32 * 24, dtype=np.uint16).reshape(32, 24)
    for syntax, stream in (
        (JLS, imagecodecs.jpegls_encode(picture)),
        (JPEG, imagecodecs.ljpeg_encode(picture, bitspersample=12)),
        (RLE, bytes(64)),
    ):
        for share in (0.3, 0.6, 0.9):
            content = compressed(bytes(stream[: int(len(stream) * share)]), syntax)
            try:
                (frame,) = decode_frames(content, [1], limits)
            except Undecodable as error:
                assert error.irregularity.kind == "pixels-undecodable"  # noqa: PT017  both are right
            else:
                assert frame.samples.shape == (32, 24)


def test_a_stream_with_more_bits_than_allocated_is_refused(limits: Limits) -> None:
    stream = jpeg_2000(np.zeros((32, 24), np.uint16))
    tags = {"BitsAllocated": 8, "BitsStored": 8, "HighBit": 7}
    assert kind_of(compressed(stream, J2K, **tags), limits) == "pixel-attributes"


def test_frames_larger_than_the_limit_are_refused(limits: Limits) -> None:
    small = evolve(limits, frame_bytes_max=32 * 24)
    assert kind_of(part10(a_slice()), small) == "pixels-undecodable"


def test_video_is_not_decodable_and_says_so(limits: Limits) -> None:
    mpeg4 = "1.2.840.10008.1.2.4.102"
    assert not is_decodable(mpeg4)
    assert kind_of(compressed(b"\0" * 64, mpeg4), limits) == "pixels-undecodable"


def test_rle_that_is_too_short_for_its_rows_is_refused_unopened(limits: Limits) -> None:
    content = compressed(bytes(70), RLE, Rows=65535, Columns=900)
    assert kind_of(content, limits) == "pixels-undecodable"


def test_a_frame_in_several_fragments_is_joined(limits: Limits) -> None:
    picture = np.arange(32 * 24, dtype=np.uint16).reshape(32, 24)
    stream = jpeg_2000(picture)
    middle = len(stream) // 4 * 2
    (frame,) = decode_frames(compressed([stream[:middle], stream[middle:]], J2K), [1], limits)
    assert np.array_equal(frame.samples, picture)


def test_frames_of_several_fragments_are_told_apart_by_their_first_marker(limits: Limits) -> None:
    pictures = [np.full((32, 24), value, np.uint16) for value in (7, 700)]
    streams = [jpeg_2000(picture) for picture in pictures]
    pieces = [part for stream in streams for part in (stream[:60], stream[60:])]
    content = compressed(pieces, J2K, NumberOfFrames="2")
    for frame, picture in zip(decode_frames(content, [1, 2], limits), pictures, strict=True):
        assert np.array_equal(frame.samples, picture)


def test_bits_outside_bits_stored_are_cleared(limits: Limits) -> None:
    data_set = a_slice()
    clean = np.frombuffer(data_set.PixelData, "<u2")
    data_set.PixelData = (clean | 0xF000).astype("<u2").tobytes()
    (frame,) = decode_frames(part10(data_set), [1], limits)
    assert np.array_equal(frame.samples.ravel(), clean)


def test_a_high_bit_above_bits_stored_shifts(limits: Limits) -> None:
    data_set = a_slice(HighBit=15)
    clean = np.frombuffer(data_set.PixelData, "<u2")
    data_set.PixelData = (clean << 4).astype("<u2").tobytes()
    (frame,) = decode_frames(part10(data_set), [1], limits)
    assert np.array_equal(frame.samples.ravel(), clean)


@given(bits=st.integers(1, 16), data=st.data())
def test_signed_numbers_come_back_from_their_lowest_bits(bits: int, data: st.DataObject) -> None:
    value = data.draw(st.integers(-(1 << (bits - 1)), (1 << (bits - 1)) - 1))
    stored = np.array([value & ((1 << bits) - 1)], np.uint16)
    assert signed(stored, bits)[0] == value
