"""Grey values agree with pydicom's LUTs on the published files, and odd attributes do no harm."""

from io import BytesIO
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset, FileDataset
from pydicom.pixels.processing import apply_color_lut, apply_modality_lut, apply_voi_lut
from pydicom.pixels.utils import pixel_array
from pydicom.sequence import Sequence

from qa_daemon.demo.phantom import CtPlan, ct_series, part10
from qa_daemon.limits import Limits
from qa_daemon.pixels.decode import decode_frame
from qa_daemon.pixels.grayscale import (
    LUMA,
    Grey,
    Rescale,
    displayed_values,
    grey_values,
    pixel_spacing,
    rescale_of,
)
from qa_daemon.pixels.image import read_image


class Files(Protocol):
    paths: dict[str, Path]

    def content(self, name: str) -> bytes: ...


def grey_of(content: bytes, limits: Limits, number: int = 1) -> Grey:
    image = read_image(content, limits)
    return grey_values(image, decode_frame(image, number))


def shown_of(content: bytes, limits: Limits) -> Grey:
    image = read_image(content, limits)
    return displayed_values(image, decode_frame(image, 1))


MONOCHROME = [
    *("CT_small.dcm", "MR_small_RLE.dcm", "693_J2KI.dcm", "explicit_VR-UN.dcm", "mlut_18.dcm"),
    *("J2K_pixelrep_mismatch.dcm", "rtdose_expb.dcm", "MR-SIEMENS-DICOM-WithOverlays.dcm"),
    *("image_dfl.dcm", "liver.dcm", "examples_overlay.dcm", "emri_small_big_endian.dcm"),
]


@pytest.mark.parametrize("name", MONOCHROME)
def test_grey_values_are_those_of_the_modality_lut(
    published: Files, limits: Limits, name: str
) -> None:
    content = published.content(name)
    read = dcmread(BytesIO(content))
    expected = apply_modality_lut(pixel_array(read, index=0), read)
    assert np.allclose(grey_of(content, limits), expected, rtol=1e-6)


@pytest.mark.parametrize("name", ["RG1_J2KR.dcm", "RG3_UNCI.dcm"])
def test_monochrome1_is_turned_so_that_bright_is_as_displayed(
    published: Files, limits: Limits, name: str
) -> None:
    content = published.content(name)
    read = dcmread(BytesIO(content))
    stored = apply_modality_lut(read.pixel_array, read).astype(float)
    assert np.allclose(grey_of(content, limits) + stored, (1 << read.BitsStored) - 1)
    shown = shown_of(content, limits)
    by_pydicom = apply_voi_lut(stored.astype(int), read)
    assert np.corrcoef(shown.ravel(), by_pydicom.ravel())[0, 1] < -0.9999


@pytest.mark.parametrize("name", ["vlut_04.dcm", "693_UNCI.dcm", "MR2_J2KI.dcm", "CT_small.dcm"])
def test_displayed_values_follow_the_voi_lut(published: Files, limits: Limits, name: str) -> None:
    content = published.content(name)
    read = dcmread(BytesIO(content))
    modality = apply_modality_lut(read.pixel_array, read)
    expected = apply_voi_lut(modality.astype(int), read).astype(float)
    shown = shown_of(content, limits)
    assert shown.min() >= 0
    assert shown.max() <= 1
    if "WindowCenter" in read or "VOILUTSequence" in read:
        assert np.corrcoef(shown.ravel(), expected.ravel())[0, 1] > 0.9999
    else:
        assert shown.std() > 0


@pytest.mark.parametrize("name", ["examples_palette.dcm", "OBXXXX1A_rle.dcm", "OBXXXX1A_expb.dcm"])
def test_a_palette_becomes_the_luminance_of_its_colours(
    published: Files, limits: Limits, name: str
) -> None:
    little = "OBXXXX1A.dcm" if name.startswith("OBX") else name
    read = dcmread(BytesIO(published.content(little)))
    expected = apply_color_lut(read.pixel_array, read) @ LUMA / 256
    assert np.allclose(grey_of(published.content(name), limits), expected, atol=1)


def test_a_segmented_palette_leaves_the_index(published: Files, limits: Limits) -> None:
    content = published.content("gdcm-US-ALOKA-16.dcm")
    expected = dcmread(BytesIO(content)).pixel_array
    assert np.array_equal(grey_of(content, limits), expected.astype(np.float32))


@pytest.mark.parametrize(
    "name", ["SC_rgb_jpeg_dcmtk.dcm", "SC_ybr_full_uncompressed.dcm", "examples_jpeg2k.dcm"]
)
def test_colour_becomes_luminance(published: Files, limits: Limits, name: str) -> None:
    content = published.content(name)
    expected = dcmread(BytesIO(content)).pixel_array @ LUMA
    assert np.abs(grey_of(content, limits) - expected).max() < 3
    assert 0 <= shown_of(content, limits).min() < shown_of(content, limits).max() <= 1


def test_an_enhanced_frame_takes_the_rescale_of_its_functional_groups(
    published: Files, limits: Limits
) -> None:
    image = read_image(published.content("eCT_Supplemental.dcm"), limits)
    assert rescale_of(image, 2) == Rescale(1.0, -1024.0)
    rows, columns = pixel_spacing(image, 1)
    assert 0.1 < rows == columns < 2


def one_slice(**tags: Any) -> FileDataset:
    plan = CtPlan(slices=1, rows=32, columns=24, pixel_spacing_mm=(12, 16), tags=tags)
    return ct_series(plan)[0]


@pytest.mark.parametrize("slope", ["0", "NaN", "", None])
def test_a_slope_that_is_none_means_no_rescale(limits: Limits, slope: str | None) -> None:
    data_set = one_slice()
    del data_set.RescaleSlope
    if slope is not None:
        data_set.add_new("RescaleSlope", "LO", slope)  # an LO may hold any text
    grey = grey_of(part10(data_set), limits)
    assert np.array_equal(grey, data_set.pixel_array.astype(np.float32))


def test_a_huge_slope_gives_finite_values(limits: Limits) -> None:
    assert np.isfinite(grey_of(part10(one_slice(RescaleSlope="1e300")), limits)).all()


@pytest.mark.parametrize(
    ("function", "at_centre", "beyond"),
    [("LINEAR", 0.5, 1), ("LINEAR_EXACT", 0.5, 1), ("SIGMOID", 0.5, 1), ("OTHER", 0.5, 1)],
)
def test_windows_put_their_centre_in_the_middle(
    limits: Limits, function: str, at_centre: float, beyond: float
) -> None:
    data_set = one_slice(WindowCenter="40", WindowWidth="10", VOILUTFunction=function)
    data_set.PixelData = np.full((32, 24), 1064, "<u2").tobytes()
    assert shown_of(part10(data_set), limits).mean() == pytest.approx(at_centre, abs=0.06)
    data_set.PixelData = np.full((32, 24), 3000, "<u2").tobytes()
    assert shown_of(part10(data_set), limits).mean() == pytest.approx(beyond, abs=0.01)


def test_without_a_window_the_whole_range_is_shown(limits: Limits) -> None:
    data_set = one_slice(WindowCenter=None, WindowWidth=None)
    data_set.PixelData = np.full((32, 24), 4095, "<u2").tobytes()
    assert shown_of(part10(data_set), limits).max() == 1


def lut(descriptor: list[int], data: list[int] | bytes, vr: str) -> Dataset:
    item = Dataset()
    item.add_new("LUTDescriptor", "US", descriptor)
    item.add_new("LUTData", vr, data)
    return item


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        (lut([3, 10, 16], [5, 6, 7], "US"), [5, 5, 6, 7, 7]),
        (lut([4, 9, 8], bytes([1, 2, 3, 4]), "OW"), [1, 2, 3, 4, 4]),
        (lut([4, 9, 16], [5, 6, 7], "US"), [9, 10, 11, 12, 4000]),  # too short: not used
    ],
)
def test_a_modality_lut_maps_by_its_first_value(
    limits: Limits, item: Dataset, expected: list[int]
) -> None:
    data_set = one_slice(RescaleSlope=None, RescaleIntercept=None)
    values = np.zeros((32, 24), "<u2")
    values[0, :5] = [9, 10, 11, 12, 4000]
    data_set.PixelData = values.tobytes()
    data_set.ModalityLUTSequence = Sequence([item])
    assert grey_of(part10(data_set), limits)[0, :5].tolist() == expected
    assert shown_of(part10(data_set), limits).max() <= 1


def test_float_pixels_lose_their_nan(limits: Limits) -> None:
    data_set = one_slice(RescaleSlope=None, RescaleIntercept=None)
    values = np.full((32, 24), 2.5, "<f4")
    values[0, :2] = np.nan, np.inf
    del data_set.PixelData
    data_set.FloatPixelData = values.tobytes()
    grey = grey_of(part10(data_set), limits)
    assert grey[0, :3].tolist() == [0, 0, 2.5]
    data_set.WindowWidth = "0"
    assert np.isfinite(shown_of(part10(data_set), limits)).all()


@pytest.mark.parametrize("spacing", [["1", "-1"], ["1"], ["0", "0"], ["1_0", "1"]])
def test_a_senseless_spacing_is_unknown(limits: Limits, spacing: list[str]) -> None:
    data_set = one_slice()
    del data_set.PixelSpacing
    data_set.add_new("PixelSpacing", "LO", spacing)
    assert pixel_spacing(read_image(part10(data_set), limits), 1) == (1.0, 1.0)
