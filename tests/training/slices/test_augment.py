from pathlib import Path

import numpy as np
import pytest

from qa_daemon.pixels.tensor import disc, orientation_tensor
from qa_daemon.predict.interpreter import turned
from qa_daemon.training.slices.augment import (
    STRONG,
    USUAL,
    Variety,
    draw,
    drawing_weights,
    prepared,
    turned_array,
)
from qa_daemon.training.slices.datasets import slices

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


def test_turning_is_the_same_in_training_and_in_service() -> None:
    picture = np.arange(36, dtype=np.float32).reshape(6, 6)
    for label in range(8):
        assert np.array_equal(turned_array(picture, label), turned(picture[None], label)[0])


def test_a_patient_of_many_slices_is_drawn_less_per_slice(drawn_data: Path) -> None:
    items = list(slices(drawn_data))
    weights = drawing_weights(items)
    assert abs(weights.sum() - 1) < 1e-9
    assert (weights > 0).all()
    single = [item.patient for item in items].count("drawn|side_ax-side-unknown")
    assert single == 1
    alone = weights[[item.patient for item in items].index("drawn|side_ax-side-unknown")]
    assert alone > weights[[item.patient for item in items].index("drawn|p0")]
