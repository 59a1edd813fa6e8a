import json
import re
from pathlib import Path

import numpy as np
import pytest
from attrs import evolve

from qa_daemon.errors import ConfigurationError
from qa_daemon.training import make as making
from qa_daemon.training import package
from qa_daemon.training.evaluation import asking, evaluate, material
from qa_daemon.training.evaluation.evaluate import Question
from qa_daemon.training.make import Order, make
from qa_daemon.training.recipe import Example, Kind, Recipe

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


@pytest.fixture
def recipe(tiny: Recipe[Example], monkeypatch: pytest.MonkeyPatch) -> Recipe[Example]:
    """Return a recipe of which an evaluation makes three parts, six fits."""
    monkeypatch.setattr(material, "FOLDS", 2)
    monkeypatch.setattr(material, "SOURCE_PICTURES_MIN", 25)
    monkeypatch.setattr(evaluate, "QUICK_SOURCES", 1)
    monkeypatch.setattr(asking, "QUICK_STEPS", 3)
    # The real one takes as long to compile as all the rest.
    monkeypatch.setattr(asking, "small_cnn", lambda own, _: evolve(own, copies="single"))
    return evolve(tiny, masked=lambda example: np.zeros_like(tiny.shown(example)))


def test_a_stopped_evaluation_goes_on_and_tells_model_baselines_sources_and_shortcuts(
    recipe: Recipe[Example], bars_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = Order(data=bars_data, out=tmp_path, steps=100)
    question = Question(order=order, package=make(recipe, order), is_quick=True)
    fitted: list[str] = []
    convert = package.flat_buffer

    def stopping(model: object) -> bytes:
        fitted.append("one")
        if len(fitted) == 4:
            raise KeyboardInterrupt
        return convert(model)

    monkeypatch.setattr(making, "flat_buffer", stopping)
    with pytest.raises(KeyboardInterrupt):
        evaluate.evaluate(recipe, question)
    assert [path.name[:6] for path in (tmp_path / "parts").iterdir()] == ["fold-1"]
    report = evaluate.evaluate(recipe, question)
    assert len(fitted) == 4 + 4  # the fold that was stopped is asked again, the first is not

    told = json.loads((tmp_path / "evaluation.json").read_text(encoding="utf-8"))
    models = {"this model", "logistic regression", "nearest neighbours", "small CNN"}
    assert set(told["folds by patient"]) == models
    assert told["folds by patient"]["this model"]["n"] == 87
    assert told["folds by patient"]["this model"]["best label right"][0] > 0.8
    assert set(told["sources held out"]) == {"far"}
    assert told["sources held out"]["far"]["this model"]["n"] == 30
    assert told["package"]["model"] == "view@1.0.0"
    assert told["shortcuts"]["markers masked"]["markers masked"][0] < 0.6
    page = report.read_text(encoding="utf-8")
    assert page.count("<svg") == page.count("</svg>") == 9
    assert not re.search(r"""(src|href)=["'](?!#)""", page.replace("xlink:", ""))
    assert "<script" not in page
    assert "A quick run" in page


def test_a_package_of_another_recipe_is_refused(
    recipe: Recipe[Example], bars_data: Path, tmp_path: Path
) -> None:
    order = Order(data=bars_data, out=tmp_path, steps=1)
    question = Question(order=order, package=make(recipe, order), is_quick=True)
    other = evolve(recipe, labels=("AP", "PA", "LATERAL"), kind=Kind.MULTI)
    with pytest.raises(ConfigurationError, match="was not made by this recipe of view"):
        evaluate.evaluate(other, question)
    assert not (tmp_path / "parts").exists()


def test_as_many_steps_are_taken_as_the_time_allows_and_the_number_is_kept(
    recipe: Recipe[Example], bars_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = Order(data=bars_data, out=tmp_path)
    examples = tuple(recipe.examples(bars_data))
    monkeypatch.setattr(asking, "ALL_FITS_S_MAX", 1e6)
    assert asking.affordable_steps(recipe, order, examples, 3) == recipe.steps
    monkeypatch.setattr(asking, "ALL_FITS_S_MAX", 0.0)
    assert asking.affordable_steps(recipe, order, examples, 3) == recipe.steps
    (tmp_path / "steps").unlink()
    assert asking.affordable_steps(recipe, order, examples, 3) == asking.TIMED_STEPS


def test_a_target_that_only_its_recipe_can_measure_is_told_by_it(
    recipe: Recipe[Example], bars_data: Path, tmp_path: Path
) -> None:
    own = evolve(recipe, kind=Kind.OWN)
    question = Question(order=Order(data=bars_data, out=tmp_path, steps=3), is_quick=True)
    report = evaluate.evaluate(own, question)
    told = json.loads((tmp_path / "evaluation.json").read_text(encoding="utf-8"))
    assert told["folds by patient"]["pictures"]["all"]["n"] == 87
    assert told["sources held out"]["far"]["pictures"]["sources held out"]["n"] == 30
    assert "best label right" in report.read_text(encoding="utf-8")
