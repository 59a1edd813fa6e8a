import numpy as np
import pytest
from numpy.typing import NDArray

from qa_daemon.pixels.inputs.marker import marker_places


def radiograph(shape: tuple[int, int], letter: tuple[int, int], height: int) -> NDArray[np.float32]:
    """Return a limb on a dark plate with a bright L whose upper left corner is given."""
    picture = np.full(shape, 30.0, np.float32)
    picture[:, shape[1] // 3 : shape[1] // 2] = 150.0
    row, column = letter
    thick = max(1, height // 5)
    picture[row : row + height, column : column + thick] = 240.0
    picture[row + height - thick : row + height, column : column + height * 3 // 4] = 240.0
    noise = np.random.default_rng(3).normal(0, 2, shape)
    return (picture + noise).astype(np.float32)


@pytest.mark.parametrize(
    ("shape", "height"), [((256, 200), 9), ((256, 256), 14), ((2400, 1800), 90)]
)
def test_a_letter_is_among_the_places_and_lies_in_its_box(
    shape: tuple[int, int], height: int
) -> None:
    row, column = shape[0] // 5, shape[1] * 3 // 4
    found = marker_places(radiograph(shape, (row, column), height))
    middle = np.array([column + height * 3 / 8, row + height / 2])
    left, top, right, bottom = found.boxes.T
    holds = (left <= middle[0]) & (middle[0] <= right) & (top <= middle[1]) & (middle[1] <= bottom)
    fits = (right - left < 2.2 * height) & (bottom - top < 2.2 * height)
    assert (holds & fits).any()


def test_squares_are_standardised_and_as_many_as_boxes() -> None:
    found = marker_places(radiograph((256, 256), (40, 200), 12), size=24)
    assert found.squares.shape[1:] == (24, 24)
    assert len(found.squares) == len(found.boxes) > 0
    assert np.allclose(found.squares.mean(axis=(1, 2)), 0.0, atol=1e-4)


@pytest.mark.parametrize("shape", [(300, 300), (40, 40), (1, 1)])
def test_an_even_or_tiny_picture_has_no_places(shape: tuple[int, int]) -> None:
    found = marker_places(np.full(shape, 9.0, np.float32))
    assert found.squares.shape[0] == 0
    assert found.boxes.shape == (0, 4)
