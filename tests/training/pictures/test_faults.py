import numpy as np
import pytest
from numpy.typing import NDArray

from qa_daemon.training.pictures.faults import FAULTS, softened, usual


def edges() -> NDArray[np.float32]:
    """Return stripes and a ramp in 0..1, shape (256, 200)."""
    picture = np.linspace(0.1, 0.8, 200, dtype=np.float32) * np.ones((256, 1), np.float32)
    picture[:, ::8] += 0.15
    picture[::16] += 0.05
    return picture


def sharpness(picture: NDArray[np.float32]) -> float:
    return float(np.abs(np.diff(picture, axis=0)).mean() + np.abs(np.diff(picture, axis=1)).mean())


@pytest.mark.parametrize("name", list(FAULTS))
def test_a_fault_is_drawn_alike_from_one_seed_and_changes_the_picture(name: str) -> None:
    made = FAULTS[name](edges(), np.random.default_rng(4))
    again = FAULTS[name](edges(), np.random.default_rng(4))
    assert made.dtype == np.float32
    assert np.array_equal(made, again)
    assert made.shape != edges().shape or float(np.abs(made - edges()).mean()) > 0.01


def test_what_is_dark_is_darker() -> None:
    for seed in range(20):
        made = FAULTS["too_dark"](edges(), np.random.default_rng(seed))
        assert made.mean() < 0.6 * edges().mean()


@pytest.mark.parametrize("name", ["blurred", "moving"])
def test_blur_and_motion_take_detail_away(name: str) -> None:
    detail = np.random.default_rng(9).random((200, 256), np.float32)
    for seed in range(10):
        made = FAULTS[name](detail, np.random.default_rng(seed))
        assert made.shape == detail.shape
        assert sharpness(made) < 0.8 * sharpness(detail)


def test_clipping_piles_levels_up_at_an_end() -> None:
    for seed in range(20):
        made = FAULTS["clipped"](edges(), np.random.default_rng(seed))
        assert ((made <= 0.0) | (made >= 1.0)).mean() > 0.08


def test_a_negative_of_a_negative_is_the_picture() -> None:
    random = np.random.default_rng(0)
    twice = FAULTS["inverted"](FAULTS["inverted"](edges(), random), random)
    assert np.allclose(twice, edges(), atol=1e-6)


def test_what_hospitals_do_differently_keeps_levels_in_their_range() -> None:
    for seed in range(30):
        made = usual(edges(), np.random.default_rng(seed))
        assert made.min() >= 0.0
        assert made.max() <= 1.0
        assert min(made.shape) > 100


def test_a_softened_picture_keeps_its_aspect() -> None:
    assert softened(edges(), 0.5).shape == (128, 100)
