"""Attributes that make no sense, Pixel Data that is not there: refused with a kind, at no cost."""

from typing import Any

import numpy as np
import pytest
from attrs import evolve
from pydicom.dataset import FileDataset
from pydicom.encaps import encapsulate
from pydicom.uid import JPEG2000Lossless, RLELossless

from qa_daemon.demo.phantom import CtPlan, ct_series, part10
from qa_daemon.limits import Limits
from qa_daemon.pixels.codestream import Undecodable, read_jpeg, read_jpeg2000
from qa_daemon.pixels.image import declared_frames, read_image
from qa_daemon.records.element import Element

LIMITS = Limits()
ITEM = b"\xfe\xff\x00\xe0"


def one(**tags: Any) -> FileDataset:
    plan = CtPlan(slices=1, rows=8, columns=6, pixel_spacing_mm=(50, 60), tags=tags)
    return ct_series(plan)[0]


def encapsulated(*fragments: bytes, syntax: Any = JPEG2000Lossless, **tags: Any) -> bytes:
    data_set = one(**tags)
    data_set.file_meta.TransferSyntaxUID = syntax
    data_set.PixelData = encapsulate(list(fragments), has_bot=False)
    data_set["PixelData"].VR = "OB"
    data_set["PixelData"].is_undefined_length = True
    return part10(data_set)


def kind_of(content: bytes, limits: Limits = LIMITS) -> str:
    with pytest.raises(Undecodable) as caught:
        read_image(content, limits)
    return caught.value.irregularity.kind


@pytest.mark.parametrize(
    "tags",
    [
        {"Rows": 0},
        {"Columns": None},
        {"Rows": [8, 8]},
        {"SamplesPerPixel": 3},
        {"PhotometricInterpretation": "PINK"},
        {"BitsAllocated": 12},
        {"BitsStored": 24},
        {"PixelRepresentation": 2},
        {"PixelRepresentation": None},
    ],
)
def test_attributes_that_make_no_sense_are_named(tags: dict[str, Any]) -> None:
    with pytest.raises(Undecodable) as caught:
        read_image(part10(one(**tags)), LIMITS)
    assert caught.value.irregularity.kind == "pixel-attributes"
    assert caught.value.irregularity.path is not None


def test_an_object_without_pixels_or_beyond_reading_has_none() -> None:
    assert kind_of(part10(one(PixelData=None))) == "pixels-undecodable"
    assert kind_of(b"no object at all") == "pixels-undecodable"


def test_native_pixels_shorter_than_a_frame_are_truncated_whatever_is_claimed() -> None:
    short = one(PixelData=bytes(10))
    assert kind_of(part10(short)) == "pixel-data-truncated"
    assert kind_of(part10(one(Rows=65535, Columns=65535))) == "pixel-data-truncated"


def test_frames_that_are_not_there_do_not_count() -> None:
    image = read_image(part10(one(NumberOfFrames="2147483647")), LIMITS)
    assert image.number_of_frames == 1
    assert [noted.kind for noted in image.irregularities] == ["frame-count-mismatch"]


@pytest.mark.parametrize(
    ("text", "count"), [("3", 3), ("0", 1), ("-2", 1), ("many", 1), ("1.5", 1), ("9" * 13, 1)]
)
def test_a_senseless_number_of_frames_is_one(text: str, count: int) -> None:
    assert declared_frames({"NumberOfFrames": Element("IS", (text,))}) == count


def test_no_number_of_frames_is_one() -> None:
    assert declared_frames({}) == 1
    assert declared_frames({"NumberOfFrames": Element("IS", ("1", "2"))}) == 1


def test_encapsulation_against_the_transfer_syntax_is_refused() -> None:
    native = part10(one())
    swapped = native.replace(b"1.2.840.10008.1.2.1\0", b"1.2.840.10008.1.2.5\0", 1)
    assert kind_of(swapped) == "pixels-undecodable"
    rle = encapsulated(b"ab", syntax=RLELossless)
    swapped = rle.replace(b"1.2.840.10008.1.2.5\0", b"1.2.840.10008.1.2.1\0", 1)
    assert kind_of(swapped) == "pixels-undecodable"


def test_no_fragment_is_undecodable_and_a_cut_only_one_is_truncated() -> None:
    whole = encapsulated(bytes(200), syntax=RLELossless)
    empty = whole.replace(ITEM + (200).to_bytes(4, "little") + bytes(200), ITEM + bytes(4))
    assert kind_of(empty) == "pixels-undecodable"
    assert kind_of(whole[:-50]) == "pixel-data-truncated"


def test_fragments_without_a_marker_or_a_table_are_one_frame() -> None:
    image = read_image(encapsulated(b"ab", b"cd"), LIMITS)
    assert [len(frame) for frame in image.fragments] == [2]


def test_the_offset_table_tells_frames_apart() -> None:
    data_set = one(NumberOfFrames="2")
    data_set.file_meta.TransferSyntaxUID = JPEG2000Lossless
    data_set.PixelData = encapsulate([b"abcd" * 4, b"efgh" * 4], fragments_per_frame=2)
    data_set["PixelData"].VR = "OB"
    data_set["PixelData"].is_undefined_length = True
    image = read_image(part10(data_set), LIMITS)
    assert [b"".join(frame) for frame in image.fragments] == [b"abcd" * 4, b"efgh" * 4]


def test_lookup_tables_longer_than_any_descriptor_are_left_out() -> None:
    item = FileDataset("", {})
    item.LUTDescriptor = [4, 0, 16]
    item.add_new("LUTData", "OW", bytes(1000))
    content = part10(one(ModalityLUTSequence=[item]))
    assert _has_lut(content, LIMITS)
    assert not _has_lut(content, evolve(LIMITS, lookup_entries_max=100))


def _has_lut(content: bytes, limits: Limits) -> bool:
    (found,) = read_image(content, limits).header["ModalityLUTSequence"].values
    assert isinstance(found, dict)
    return "LUTData" in found


def test_one_frame_may_be_no_larger_than_the_limit() -> None:
    assert kind_of(part10(one()), evolve(LIMITS, frame_bytes_max=95)) == "pixels-undecodable"
    assert read_image(part10(one()), evolve(LIMITS, frame_bytes_max=96)).number_of_frames == 1


def jpeg(*segments: bytes) -> bytes:
    return b"\xff\xd8" + b"".join(segments)


SOF = b"\xff\xc1\x00\x0b\x0c\x00\x08\x00\x06\x01\x01\x11\x00"


def test_the_frame_header_of_a_jpeg_is_found_behind_other_segments() -> None:
    head = read_jpeg(jpeg(b"\xff\xe0\x00\x04ab", b"\xff\xff\x01", SOF))
    assert (head.rows, head.columns, head.samples, head.precision) == (8, 6, 1, 12)
    assert not head.names_rgb


@pytest.mark.parametrize(
    "stream",
    [b"", b"GIF89a", jpeg(), jpeg(b"\xff\xda\x00\x02", SOF), jpeg(b"\x00" + SOF), jpeg(SOF[:6])],
)
def test_a_jpeg_without_a_frame_header_is_undecodable(stream: bytes) -> None:
    with pytest.raises(Undecodable):
        read_jpeg(stream)


def test_jpeg_2000_components_that_differ_are_undecodable() -> None:
    size = b"\xff\x4f\xff\x51" + np.array([47, 0], ">u2").tobytes()
    size += np.array([6, 8, 0, 0, 6, 8, 0, 0], ">u4").tobytes() + b"\x00\x02"
    assert read_jpeg2000(size + b"\x8b\x01\x01" * 2 + b"\xff\x5c").is_signed
    with pytest.raises(Undecodable):
        read_jpeg2000(size + b"\x8b\x01\x01\x0b\x01\x01\xff\x5c")
