import numpy as np
import pytest
from numpy.typing import NDArray

from qa_daemon.pixels.inputs.picture import peeled, picture_tensor, stretched


def body(size: int = 256, ground: float = 0.0, tissue: float = 100.0) -> NDArray[np.float32]:
    """Return an ellipse with a bright spot, shape (size, size)."""
    across = np.linspace(-1, 1, size)
    rows, columns = across[:, None], across[None, :]
    picture = np.full((size, size), ground)
    picture[(rows / 0.6) ** 2 + (columns / 0.8) ** 2 < 1] = tissue
    picture[(rows - 0.3) ** 2 + columns**2 < 0.02] = 2.2 * tissue - 1.2 * ground
    return picture.astype(np.float32)


def alike(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    return float(np.corrcoef(one.ravel(), other.ravel())[0, 1])


def test_a_square_is_standardised_inside_its_disc_and_zero_in_its_corners() -> None:
    square = picture_tensor(body(), "CR", size=64)
    assert square.shape == (64, 64)
    assert square.dtype == np.float32
    corners = [square[0, 0], square[0, -1], square[-1, 0], square[-1, -1]]
    assert corners == [0.0, 0.0, 0.0, 0.0]
    assert square.std() == pytest.approx(0.89, abs=0.05)


@pytest.mark.parametrize("ground", [20.0, 60.0, 101.0, 126.0])
def test_the_level_of_a_constant_background_cannot_be_read(ground: float) -> None:
    lifted = picture_tensor(body() + ground, "OT")
    assert np.allclose(lifted, picture_tensor(body(), "OT"), atol=1e-3)


@pytest.mark.parametrize("value", [0.0, 255.0])
def test_a_frame_around_a_picture_changes_little(value: float) -> None:
    bare = body()
    framed = np.pad(bare, 12, constant_values=value)
    assert alike(picture_tensor(framed, "CR"), picture_tensor(bare, "CR")) > 0.98


def test_a_thumbnail_looks_like_the_picture_it_was_made_of() -> None:
    large = body(512)
    small = large.reshape(64, 8, 64, 8).mean(axis=(1, 3))
    assert alike(picture_tensor(large, "OT"), picture_tensor(small, "OT")) > 0.97


def test_ct_in_hounsfield_units_is_windowed_and_looks_like_its_copy_in_bytes() -> None:
    hounsfield = body(ground=-1000.0, tissue=40.0)
    copied = np.clip((hounsfield + 160) / 400 * 255, 0, 255).astype(np.float32)
    assert alike(picture_tensor(hounsfield, "CT"), picture_tensor(copied, "CT")) > 0.9


@pytest.mark.parametrize("shape", [(1, 1), (3, 700), (64, 64)])
def test_a_picture_without_content_becomes_zeros(shape: tuple[int, int]) -> None:
    assert not picture_tensor(np.full(shape, 7.0, np.float32), "CR").any()


def test_peeling_stops_where_the_picture_begins() -> None:
    inner = np.random.default_rng(1).uniform(0, 255, (40, 50)).astype(np.float32)
    assert np.array_equal(peeled(np.pad(inner, 6)), inner)


def test_a_bright_background_is_no_ground_to_be_subtracted() -> None:
    negative = 255.0 - body(ground=10.0, tissue=120.0)
    assert stretched(negative.astype(np.float32))[0, 0] > 0.9
