from pathlib import Path

import numpy as np
import pytest
from attrs import evolve

from qa_daemon.training.evaluation.baselines import features, logistic, nearest, small_cnn
from qa_daemon.training.evaluation.material import material
from qa_daemon.training.recipe import Example, Kind, Licences, Plan, Recipe, Start
from qa_daemon.training.split import usable

RANDOM = np.random.default_rng(3)
CENTRES = RANDOM.normal(0, 1, (3, 8))


def points(count: int) -> tuple[np.ndarray, np.ndarray]:
    which = RANDOM.integers(3, size=count)
    return CENTRES[which] * 3 + RANDOM.normal(0, 1, (count, 8)), np.eye(3, dtype=bool)[which]


@pytest.mark.parametrize("ask", [logistic, nearest])
def test_three_clouds_are_told_apart(ask: object) -> None:
    assert callable(ask)
    given, truth = points(300)
    asked, expected = points(200)
    shares = ask(given, truth, asked, Kind.SINGLE)
    assert shares.shape == (200, 3)
    assert np.allclose(shares.sum(axis=1), 1)
    assert expected[np.arange(200), shares.argmax(axis=1)].mean() > 0.95


def test_labels_that_come_together_are_told_each_for_itself() -> None:
    given, truth = points(300)
    both = truth | np.roll(truth, 1, axis=1)
    shares = logistic(given, both, given, Kind.MULTI)
    assert ((shares > 0.5) == both).mean() > 0.95


def test_a_rare_label_counts_as_much_as_a_frequent_one() -> None:
    given = np.concatenate([RANDOM.normal(0, 1, (950, 4)), RANDOM.normal(1.5, 1, (50, 4))])
    truth = np.zeros((1000, 2), bool)
    truth[:950, 0] = truth[950:, 1] = True
    said = logistic(given, truth, given, Kind.SINGLE).argmax(axis=1)
    assert (said[950:] == 1).mean() > 0.8


def test_pictures_are_reduced_by_means_whatever_their_side() -> None:
    pictures = np.ones((2, 80, 80), np.float32)
    assert features(pictures).shape == (2, 256)
    assert features(np.ones((2, 97, 97), np.float32)).shape == (2, 256)
    assert np.allclose(features(pictures), 1)


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
@pytest.mark.parametrize("size", [16, 160])
def test_the_small_cnn_takes_inputs_of_any_side_and_draws_rare_labels_as_often(
    tiny: Recipe[Example], bars_data: Path, size: int
) -> None:
    examples = usable(tiny, bars_data, Licences.ALL)
    few = [e for at, e in enumerate(examples) if e.labels != ("AP",) or at < 9]
    large = evolve(
        tiny, size=size, shown=lambda e: np.kron(tiny.shown(e), np.ones((size // 16,) * 2))
    )
    cnn = small_cnn(large, material(large, few))
    start = Start(data=bars_data, sample=lambda: np.zeros((1, size, size, 1), np.float32))
    assert cnn.network(start).output_shape == (None, 3)
    batch = cnn.draws(few, Plan(size=size, batch=600))(0)
    assert batch.pictures.shape == (600, size, size, 1)
    assert batch.targets.sum(axis=0) / 600 == pytest.approx(np.full(3, 1 / 3), abs=0.06)
    assert float(cnn.loss(np.zeros((600, 3), np.float32), batch.targets, batch.weights)) == (
        pytest.approx(np.log(3), rel=1e-4)
    )
