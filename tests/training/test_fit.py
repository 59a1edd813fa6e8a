from pathlib import Path

import numpy as np
import pytest
from attrs import evolve

from qa_daemon.training import fit as fitting
from qa_daemon.training.fit import Run, fit
from qa_daemon.training.recipe import Example, Licences, Recipe
from qa_daemon.training.split import usable

# Keras 3 asks TensorFlow's variables for arrays in the manner of numpy 1.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


class PowerError(Exception):
    """The power fails."""


@pytest.fixture(params=[0.0, 0.4], ids=["plain", "watched"])
def recipe(request: pytest.FixtureRequest, tiny: Recipe[Example]) -> Recipe[Example]:
    return evolve(tiny, watch_share=request.param)


def weights(recipe: Recipe[Example], run: Run) -> list[np.ndarray]:
    items = usable(recipe, run.data, Licences.ALL)
    return [np.asarray(each) for each in fit(recipe, items, run).get_weights()]


def test_a_stopped_fit_ends_with_the_weights_of_an_unbroken_one(
    recipe: Recipe[Example], bars_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fitting, "CHECKPOINT_STEPS", 4)
    monkeypatch.setattr(fitting, "WATCH_STEPS", 4)
    seen: list[int] = []

    def stop(done: int, _steps: int, _loss: float) -> None:
        seen.append(done)
        if done == 7:
            raise PowerError

    broken = Run(data=bars_data, out=tmp_path / "broken", steps=12, told=stop)
    with pytest.raises(PowerError):
        weights(recipe, broken)
    found = weights(recipe, evolve(broken, told=lambda done, *_: seen.append(done)))
    assert seen == [1, 2, 3, 4, 5, 6, 7, 5, 6, 7, 8, 9, 10, 11, 12]
    expected = weights(recipe, Run(data=bars_data, out=tmp_path / "unbroken", steps=12))
    for one, other in zip(found, expected, strict=True):
        assert np.allclose(one, other, atol=1e-6)


def test_a_finished_fit_is_only_read_again_and_another_one_begins_anew(
    tiny: Recipe[Example], bars_data: Path, tmp_path: Path
) -> None:
    seen: list[int] = []
    run = Run(
        data=bars_data, out=tmp_path / "fit", steps=2, told=lambda done, *_: seen.append(done)
    )
    once = weights(tiny, run)
    assert not (run.out / "checkpoints").exists()
    again = weights(tiny, run)
    assert all(np.array_equal(one, other) for one, other in zip(once, again, strict=True))
    assert seen == [1, 2]
    weights(tiny, evolve(run, steps=3))
    assert seen == [1, 2, 1, 2, 3]


def test_a_fit_that_gains_nothing_any_more_ends_early_with_its_best_weights(
    tiny: Recipe[Example], bars_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fitting, "WATCH_STEPS", 5)
    monkeypatch.setattr(fitting, "WATCH_PATIENCE", 2)
    recipe = evolve(tiny, watch_share=0.4, learning_rate=30.0)
    seen: list[int] = []
    told = lambda done, *_: seen.append(done)  # noqa: E731  one line says it
    weights(recipe, Run(data=bars_data, out=tmp_path / "fit", steps=400, told=told))
    assert 200 <= seen[-1] < 400
