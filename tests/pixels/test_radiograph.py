"""Radiographs as models see them: the field alone, whatever plate, shutter, exposure or size."""

from time import process_time

import numpy as np
import pytest
from numpy.typing import NDArray

from qa_daemon.pixels.radiograph import WHOLE, exposed_field, radiograph_tensor

Grey = NDArray[np.float32]


def a_limb(rows: int = 240, columns: int = 180) -> Grey:
    """Return a drawn picture of two bones in soft tissue that fills its field."""
    down, across = np.mgrid[0:rows, 0:columns].astype(np.float32)
    tissue = 90 + 40 * np.sin(down / 17) + 30 * np.cos(across / 11)
    for centre in (0.35, 0.65):
        tissue += 90 * np.exp(-(((across / columns - centre) / 0.06) ** 2))
    return np.asarray(tissue, np.float32)


def on_plate(field: Grey, plate: float, margin: int = 60) -> Grey:
    noise = np.random.default_rng(3).normal(0, 1.5, np.asarray(field.shape) + 2 * margin)
    picture = (plate + noise).astype(np.float32)
    picture[margin:-margin, margin:-margin] = field
    return picture


def likeness(one: Grey, other: Grey) -> float:
    return float(np.corrcoef(one.ravel(), other.ravel())[0, 1])


@pytest.mark.parametrize("plate", [0.0, 120.0, 255.0])
def test_a_plate_of_any_brightness_is_cut_away(plate: float) -> None:
    bare = radiograph_tensor(a_limb(), size=96)
    assert likeness(bare, radiograph_tensor(on_plate(a_limb(), plate), size=96)) > 0.97


def test_a_frame_in_a_frame_is_cut_away() -> None:
    framed = on_plate(on_plate(a_limb(), 0.0, 20), 255.0, 4)
    assert likeness(radiograph_tensor(a_limb(), size=96), radiograph_tensor(framed, size=96)) > 0.97


def test_a_marker_on_the_plate_does_not_widen_the_field() -> None:
    picture = on_plate(a_limb(), 0.0)
    picture[20:32, 30:42] = 255.0
    found = exposed_field(picture)
    assert found.top == pytest.approx(60 / 360, abs=0.03)
    assert found.left == pytest.approx(60 / 300, abs=0.03)


def test_gain_and_offset_do_not_matter() -> None:
    first = radiograph_tensor(a_limb(), size=96)
    second = radiograph_tensor(a_limb() * 16 + 1000, size=96)
    np.testing.assert_allclose(first, second, atol=0.02)


def test_an_exposure_curve_matters_little() -> None:
    curved = np.asarray((a_limb() / 300) ** 2.2 * 4095, np.float32)
    assert likeness(radiograph_tensor(a_limb(), size=96), radiograph_tensor(curved, size=96)) > 0.97


def test_the_size_of_the_plate_does_not_matter() -> None:
    large = np.kron(a_limb(), np.ones((9, 9))).astype(np.float32)
    assert likeness(radiograph_tensor(a_limb(), size=96), radiograph_tensor(large, size=96)) > 0.98


def test_the_field_is_standardised_and_the_rest_of_the_square_is_zero() -> None:
    square = radiograph_tensor(a_limb(300, 150), size=96)
    assert square.dtype == np.float32
    assert square.shape == (96, 96)
    filled = np.flatnonzero(np.any(square != 0, axis=0))
    # 2 : 1 is squeezed to 1.4 * (2 / 1.4) ** 0.5.
    assert len(filled) == pytest.approx(96 / 1.673, abs=1)
    inside = square[:, filled]
    assert inside.mean() == pytest.approx(0, abs=1e-3)
    assert inside.std() == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_a_turned_picture_gives_a_turned_square(turns: int) -> None:
    straight = radiograph_tensor(a_limb(), size=96)
    turned = radiograph_tensor(np.rot90(a_limb(), turns), size=96)
    assert likeness(np.rot90(straight, turns), turned) > 0.99


@pytest.mark.parametrize(
    "picture",
    [
        np.zeros((40, 50), np.float32),
        np.full((1, 1), 7, np.float32),
        np.full((3, 900), np.nan, np.float32),
        np.arange(800, dtype=np.float32)[None],
    ],
    ids=["empty", "one pixel", "not numbers", "one row"],
)
def test_a_picture_of_nothing_is_no_error(picture: Grey) -> None:
    square = radiograph_tensor(picture, size=64)
    assert square.shape == (64, 64)
    assert np.isfinite(square).all()


def test_a_speck_on_an_empty_plate_is_no_field() -> None:
    picture = np.zeros((300, 300), np.float32)
    picture[100:106, 200:206] = 200.0
    assert exposed_field(picture) == WHOLE


def test_a_large_plate_takes_little_time() -> None:
    picture = np.random.default_rng(1).random((3000, 2500), np.float32)
    radiograph_tensor(picture, size=160)
    started = process_time()
    radiograph_tensor(picture, size=160)
    assert process_time() - started < 0.2  # 10 ms on a core of its own
