from collections import Counter

import numpy as np
import pytest

from qa_daemon.training.pictures.letters import (
    SHEET,
    STROKES,
    Hand,
    drawn_square,
    marker,
    moved,
    sign,
)

BY_STROKES = Hand(is_printed=False, aspect=0.7, thickness=0.15, is_angular=False, boldness=0)
PRINTED = Hand(is_printed=True, aspect=0.7, thickness=0.15, is_angular=False, boldness=2)


@pytest.mark.parametrize("written", [BY_STROKES, PRINTED])
@pytest.mark.parametrize("name", ["R", "L", "D", "E"])
def test_letters_of_sides_are_not_their_own_mirror_image(name: str, written: Hand) -> None:
    cover = sign(name, written, 40.0, (SHEET / 2, SHEET / 2))
    assert 0.05 < cover.mean() < 0.4
    overlap = np.minimum(cover, cover[:, ::-1]).sum() / cover.sum()
    assert overlap < 0.8


@pytest.mark.parametrize("name", list(STROKES))
def test_every_sign_can_be_drawn_and_lies_about_the_middle(name: str) -> None:
    cover = sign(name, BY_STROKES, 40.0, (SHEET / 2, SHEET / 2))
    rows, columns = np.nonzero(cover > 0.5)
    assert abs((rows.min() + rows.max()) / 2 - SHEET / 2) < 8
    assert abs((columns.min() + columns.max()) / 2 - SHEET / 2) < 12


def test_a_turned_marker_keeps_its_cover_and_a_moved_one_its_shape() -> None:
    shape = marker("R", np.random.default_rng(1))
    assert moved(shape, 90.0, (0.0, 0.0)).cover.sum() == pytest.approx(shape.cover.sum(), rel=0.1)
    down = moved(shape, 0.0, (3.0, 0.0)).cover
    assert np.allclose(down[8:-8], shape.cover[5:-11], atol=0.02)


def test_squares_are_standardised_and_of_every_kind() -> None:
    random = np.random.default_rng(2)
    ground = random.uniform(0.1, 0.3, (20, 20)).astype(np.float32)
    made = [drawn_square(ground, random, 32) for _ in range(150)]
    assert {square.shape for square, _ in made} == {(32, 32)}
    assert all(abs(float(square.mean())) < 1e-3 for square, _ in made)
    counts = Counter(label for _, label in made)
    assert set(counts) == {"L", "R", "L mirrored", "R mirrored", ""}
    assert min(counts.values()) > 5
