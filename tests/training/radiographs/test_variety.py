"""Variants of a radiograph: other plates, other pose, the same part; and pictures that are none."""

import numpy as np
import pytest
from numpy.typing import NDArray

from qa_daemon.pixels.radiograph import radiograph_tensor
from qa_daemon.training.radiographs.strangers import KINDS, stranger
from qa_daemon.training.radiographs.variety import Variety, box_mean, ready, varied

STILL = Variety(
    turn_degrees=0.0,
    quarter=0.0,
    mirrored=0.0,
    zoom=(1.0, 1.0),
    shift=0.0,
    stretch=1.0,
    inverted=0.0,
    curved=0.0,
    local=0.0,
    blurred=0.0,
    noisy=0.0,
    shuttered=0.0,
    marked=0.0,
)


def a_limb() -> NDArray[np.uint8]:
    down, across = np.mgrid[0:200, 0:150]
    tissue = 90 + 40 * np.sin(down / 17) + 30 * np.cos(across / 11)
    tissue += 12 * ((down // 2 + across // 2) % 2)  # trabeculae: what a blur takes away
    tissue += 90 * np.exp(-(((across / 150 - 0.35) / 0.06) ** 2))
    return np.asarray(np.clip(tissue, 0, 255), np.uint8)


def likeness(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    return float(np.corrcoef(one.ravel(), other.ravel())[0, 1])


def as_shown(picture: NDArray[np.float32]) -> NDArray[np.float32]:
    return radiograph_tensor(picture, size=96)


def test_a_variant_by_which_nothing_may_change_is_the_picture_itself() -> None:
    bare = as_shown(a_limb().astype(np.float32))
    same = varied(ready(a_limb()), np.random.default_rng(1), 200, STILL)
    assert likeness(bare, as_shown(same)) > 0.95


@pytest.mark.parametrize(
    ("name", "undone"),
    [
        ("mirrored", np.fliplr),
        ("inverted", np.negative),
        ("shuttered", np.positive),
        ("curved", np.positive),
        ("noisy", np.positive),
        ("marked", np.positive),
        ("blurred", np.positive),
    ],
)
def test_each_change_leaves_the_part_in_view(name: str, undone: np.ufunc) -> None:
    bare = as_shown(a_limb().astype(np.float32))
    asked = {**{key: getattr(STILL, key) for key in Variety.__annotations__}, name: 1.0}
    variants = [
        as_shown(varied(ready(a_limb()), np.random.default_rng(seed), 200, Variety(**asked)))
        for seed in range(5)
    ]
    assert np.median([likeness(bare, undone(each)) for each in variants]) > 0.6
    assert min(likeness(bare, each) for each in variants) < 0.9999


def test_the_same_seed_draws_the_same_variant() -> None:
    first, second = (varied(ready(a_limb()), np.random.default_rng(7), 180) for _ in range(2))
    np.testing.assert_array_equal(first, second)


def test_all_variants_are_numbers_of_about_the_size_asked_for() -> None:
    random = np.random.default_rng(2)
    for _ in range(12):
        picture = varied(ready(a_limb()), random, 160)
        assert np.isfinite(picture).all()
        assert max(picture.shape) == pytest.approx(160, abs=1)


@pytest.mark.parametrize("kind", KINDS)
def test_strangers_fill_zero_to_one_and_are_drawn_again_by_their_seed(kind: str) -> None:
    first, second = (KINDS[kind](np.random.default_rng(4), 64) for _ in range(2))
    assert first.shape == (64, 64)
    assert 0.0 <= first.min() < first.max() <= 1.0
    np.testing.assert_array_equal(first, second)


def test_a_stranger_is_a_square_of_a_model_too() -> None:
    random = np.random.default_rng(5)
    for _ in range(8):
        assert as_shown(stranger(random, 128)).std() > 0.3


def test_the_mean_of_a_neighbourhood_is_that_of_its_pixels() -> None:
    picture = np.random.default_rng(1).random((9, 11), np.float32)
    assert box_mean(picture, 1)[4, 5] == pytest.approx(picture[3:6, 4:7].mean(), abs=1e-5)
