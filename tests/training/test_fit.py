import json
from pathlib import Path

import numpy as np
import pytest

from qa_daemon.errors import ConfigurationError
from qa_daemon.pixels.tensor import disc
from qa_daemon.predict.catalog import load_catalog
from qa_daemon.predict.interpreter import Interpreter, check_golden, turned
from qa_daemon.training import evaluate as measure
from qa_daemon.training import fit
from qa_daemon.training.datasets import slices
from qa_daemon.training.evaluate import evaluate
from qa_daemon.training.package import package

# Keras 3 asks TensorFlow's variables for arrays in the manner of numpy 1.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


def test_an_unknown_target_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="use one of axial_orientation"):
        fit.plan_of("knee_angle")


def test_every_plan_has_a_full_length_and_may_be_shortened() -> None:
    assert all(fit.plan_of(target).steps >= 1000 for target in fit.TARGETS)
    assert fit.plan_of("body_region", 7).steps == 7


def test_turning_is_the_same_in_training_and_in_service() -> None:
    picture = np.arange(36, dtype=np.float32).reshape(6, 6)
    for label in range(8):
        assert np.array_equal(fit.turned_array(picture, label), turned(picture[None], label)[0])


def test_a_patient_of_many_slices_is_drawn_less_per_slice(drawn_data: Path) -> None:
    items = list(slices(drawn_data))
    weights = fit.drawing_weights(items)
    assert abs(weights.sum() - 1) < 1e-9
    assert (weights > 0).all()


def test_drawn_pictures_are_valid_inputs() -> None:
    random = np.random.default_rng(4)
    for _ in range(20):
        picture = fit.drawn(random, 40)
        assert picture.shape == (40, 40)
        assert not picture[~disc(40)].any()


def test_a_model_goes_from_data_to_a_package_that_the_service_loads(
    drawn_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(measure, "OUTSIDERS", 4)
    models = tmp_path / "models"
    for target in ("body_region", "axial_orientation"):
        weights = fit.train(target, drawn_data, tmp_path / target, steps=2)
        package(target, drawn_data, [weights, weights], models)
    catalog = load_catalog(models)
    assert catalog.problems == ()
    with pytest.raises(ConfigurationError, match="region model"):
        evaluate(catalog.cards["axial_orientation"], drawn_data)
    for target, regions in (("body_region", None), ("axial_orientation", "body_region")):
        figures = evaluate(catalog.cards[target], drawn_data, catalog.of(regions or ""))
        assert json.loads((models / target / "1.0.0" / "metrics.json").read_text()) == figures
    for card in catalog.cards.values():
        check_golden(card)
        assert Interpreter(card).scores(np.zeros((1, card.size, card.size), np.float32)).any()


def test_a_stopped_fit_resumes_where_it_was(
    drawn_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fit, "CHECKPOINT_STEPS", 1)
    fit.train("body_region", drawn_data, tmp_path, steps=2)
    drawn_steps: list[int] = []
    ahead = fit._ahead

    def watched(batch_of: fit.Draw, first: int, end: int) -> object:
        drawn_steps.extend(range(first, end))
        return ahead(batch_of, first, end)

    monkeypatch.setattr(fit, "_ahead", watched)
    fit.train("body_region", drawn_data, tmp_path, steps=3)
    assert drawn_steps == [2]
