import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qa_daemon.pixels.tensor import (
    MODEL_SIZE,
    Frame,
    Grey,
    body_frame,
    contrast,
    disc,
    framed,
    orientation_tensor,
    standardised,
)


def body(rows: int = 160, columns: int = 160) -> Grey:
    """Draw a body in HU: an ellipse of soft tissue, fat in front, one organ, a spine, air."""
    down = np.linspace(-1, 1, rows)[:, None]
    across = np.linspace(-1, 1, columns)[None, :]
    picture = np.full((rows, columns), -1000.0, np.float32)
    picture[(down / 0.5) ** 2 + (across / 0.7) ** 2 < 1] = -90.0
    picture[((down - 0.05) / 0.42) ** 2 + (across / 0.62) ** 2 < 1] = 40.0
    picture[((down - 0.0) / 0.2) ** 2 + ((across + 0.35) / 0.2) ** 2 < 1] = 120.0
    picture[((down - 0.32) / 0.08) ** 2 + (across / 0.08) ** 2 < 1] = 700.0
    return picture


def likeness(one: Grey, other: Grey) -> float:
    return float(np.corrcoef(one.ravel(), other.ravel())[0, 1])


def test_the_disc_is_standardised_and_the_corners_are_empty() -> None:
    tensor = orientation_tensor(body(), "CT")
    inside = disc(MODEL_SIZE)
    assert tensor.shape == (MODEL_SIZE, MODEL_SIZE)
    assert tensor.dtype == np.float32
    assert abs(float(tensor[inside].mean())) < 1e-4
    assert abs(float(tensor[inside].std()) - 1) < 1e-4
    assert not tensor[~inside].any()


@given(gain=st.floats(0.05, 50), offset=st.floats(-500, 500))
@settings(max_examples=25, deadline=None)
def test_gain_and_offset_of_a_grey_picture_do_not_matter(gain: float, offset: float) -> None:
    grey = np.clip((body() + 1000) / 8, 0, 255).astype(np.float32)
    changed = (grey * gain + offset).astype(np.float32)
    assert np.allclose(orientation_tensor(grey, "MR"), orientation_tensor(changed, "MR"), atol=0.02)


@pytest.mark.parametrize("turns", [0, 1, 2, 3])
@pytest.mark.parametrize("is_mirrored", [False, True])
def test_a_turned_slice_gives_the_turned_tensor(turns: int, *, is_mirrored: bool) -> None:
    picture = body()[:, 10:]
    turned = np.rot90(np.fliplr(picture) if is_mirrored else picture, turns)
    tensor = orientation_tensor(picture, "CT")
    expected = np.rot90(np.fliplr(tensor) if is_mirrored else tensor, turns)
    assert np.allclose(orientation_tensor(turned, "CT"), expected, atol=1e-3)


def test_air_around_the_body_does_not_matter() -> None:
    wide = np.pad(body(), ((90, 10), (40, 60)), constant_values=-1000.0)
    assert likeness(orientation_tensor(body(), "CT"), orientation_tensor(wide, "CT")) > 0.98


def test_unequal_spacing_is_made_square() -> None:
    squeezed = orientation_tensor(body(rows=80), "CT", spacing=(2.0, 1.0))
    assert likeness(orientation_tensor(body(), "CT"), squeezed) > 0.97
    ignored = orientation_tensor(body(rows=80), "CT")
    assert likeness(orientation_tensor(body(), "CT"), ignored) < 0.9


def test_a_thin_table_does_not_move_the_frame() -> None:
    with_table = body()
    with_table[150:153, 10:150] = 300.0
    assert body_frame(contrast(with_table, "CT")) == body_frame(contrast(body(), "CT"))


def test_the_frame_of_an_empty_or_speckled_slice_is_the_whole_slice() -> None:
    empty = np.zeros((120, 100), np.float32)
    speckled = empty.copy()
    speckled[30:36, 30:36] = 1.0
    assert body_frame(empty) == Frame(60.0, 50.0, 120.0)
    assert body_frame(speckled) == Frame(60.0, 50.0, 120.0)


def test_ct_that_is_not_in_hounsfield_units_is_shown_by_its_percentiles() -> None:
    raw = (body() + 1000) * 16 + 20_000
    assert likeness(orientation_tensor(raw, "CT"), orientation_tensor(raw, "MR")) > 0.999


@pytest.mark.parametrize("modality", ["CT", "MR"])
def test_pictures_without_contrast_become_zeros(modality: str) -> None:
    flat = np.full((64, 64), 40.0, np.float32)
    broken = np.full((64, 64), np.nan, np.float32)
    assert not orientation_tensor(flat, modality).any()
    assert not orientation_tensor(broken, modality).any()
    assert not standardised(np.zeros((16, 16), np.float32)).any()


@given(size=st.integers(8, 120), rows=st.integers(5, 200), columns=st.integers(5, 200))
@settings(max_examples=40, deadline=None)
def test_resampling_keeps_a_plain_picture_plain(size: int, rows: int, columns: int) -> None:
    plain = np.ones((rows, columns), np.float32)
    side = 0.4 * min(rows, columns)
    inner = framed(plain, Frame(rows / 2, columns / 2, side), size)
    assert np.allclose(inner, 1.0, atol=1e-4)


def test_what_lies_outside_the_slice_is_zero() -> None:
    outer = framed(np.ones((40, 40), np.float32), Frame(20.0, 20.0, 120.0), 60)
    assert not outer[:18].any()
    assert np.allclose(outer[25:35, 25:35], 1.0, atol=1e-4)
