from pathlib import Path

import numpy as np
import pytest

from qa_daemon.pixels.tensor import disc, orientation_tensor
from qa_daemon.training.augment import STRONG, USUAL, Variety, draw, prepared
from qa_daemon.training.datasets import slices

NONE = Variety(crop=0, table=0, cut=0, recoloured=0, inverted=0, uneven=0, noise=0)
ALL = Variety(crop=1, table=1, cut=1, recoloured=1, inverted=1, uneven=1, noise=0.1)


@pytest.mark.parametrize("variety", [NONE, USUAL, STRONG, ALL])
def test_every_variant_is_an_input_as_the_service_makes_it(
    drawn_data: Path, variety: Variety
) -> None:
    random = np.random.default_rng(1)
    for item in slices(drawn_data):
        picture = draw(prepared(item), random, 40, variety)
        assert picture.shape == (40, 40)
        assert picture.dtype == np.float32
        assert np.isfinite(picture).all()
        assert not picture[~disc(40)].any()
        assert abs(float(picture[disc(40)].mean())) < 1e-3


def test_the_same_seed_draws_the_same_variant(drawn_data: Path) -> None:
    subject = prepared(next(slices(drawn_data)))
    one, other = (draw(subject, np.random.default_rng(5)) for _ in range(2))
    assert np.array_equal(one, other)
    assert not np.array_equal(one, draw(subject, np.random.default_rng(6)))


def test_mild_variants_stay_close_to_what_the_service_shows(drawn_data: Path) -> None:
    subject = prepared(next(slices(drawn_data)))
    served = orientation_tensor(subject.item.grey(), "CT")
    random = np.random.default_rng(2)
    likeness = [
        np.corrcoef(draw(subject, random, 80, NONE).ravel(), served.ravel())[0, 1]
        for _ in range(40)
    ]
    assert np.median(likeness) > 0.5
    assert max(likeness) > 0.85
