import numpy as np
import pytest

from qa_daemon.pixels.tensor import disc
from qa_daemon.training.figures.strangers import drawn, no_anatomy


@pytest.mark.parametrize("size", [40, 64, 97])
def test_drawn_pictures_are_valid_inputs_of_any_size(size: int) -> None:
    random = np.random.default_rng(4)
    for _ in range(20):
        picture = drawn(random, size)
        assert picture.shape == (size, size)
        assert not picture[~disc(size)].any()


def test_two_kinds_show_no_body() -> None:
    kinds = no_anatomy(20, 3)
    assert {name: len(each) for name, each in kinds.items()} == {
        "drawn shapes and noise": 3,
        "white noise": 3,
    }
