import json
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from attrs import evolve

from qa_daemon.errors import ConfigurationError
from qa_daemon.predict.catalog import Wanted, load_catalog
from qa_daemon.predict.interpreter import Interpreter, check_golden
from qa_daemon.training.figures.strangers import no_anatomy
from qa_daemon.training.make import Order, make
from qa_daemon.training.networks import network
from qa_daemon.training.recipe import Example, Licences, Recipe
from qa_daemon.training.recipes import RECIPES, axial_orientation, body_region, recipe_of
from qa_daemon.training.slices import measure

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


def test_a_target_is_learnt_and_goes_from_data_to_a_package(
    tiny: Recipe[Example], bars_data: Path, tmp_path: Path
) -> None:
    folder = make(tiny, Order(data=bars_data, out=tmp_path, version="1.2.0"))
    catalog = load_catalog(tmp_path / "models")
    assert catalog.problems == ()
    card = catalog.cards["view"]
    assert folder == tmp_path / "models" / "view" / "1.2.0"
    check_golden(card)
    told = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
    assert told["pictures"]["sources held out"]["n"] == 30
    assert told["pictures"]["sources held out"]["best label right"][0] > 0.9
    assert {name for name in told["held out"] if name.startswith("far|")} == {
        f"far|{number}" for number in range(30, 45)
    }
    written = (folder / "CARD.md").read_text(encoding="utf-8")
    assert "# view@1.2.0" in written
    assert len(written.splitlines()) < 120
    assert "source: " not in written


def test_open_material_alone_makes_a_model_beside_the_other(
    tiny: Recipe[Example], bars_data: Path, tmp_path: Path
) -> None:
    order = Order(data=bars_data, out=tmp_path, licences=Licences.OPEN, steps=1)
    folder = make(tiny, order)
    assert folder == tmp_path / "models" / "view_open" / "1.0.0"
    text = (folder / "card.yaml").read_text(encoding="utf-8")
    assert "not stated" not in text
    make(tiny, evolve(order, licences=Licences.ALL))
    models = tmp_path / "models"
    assert load_catalog(models, Wanted(licences="open")).cards["view"].name == "view_open@1.0.0"
    assert load_catalog(models).cards["view"].name == "view@1.0.0"


def test_final_fits_on_everything_and_measures_out_of_fold(
    tiny: Recipe[Example], bars_data: Path, tmp_path: Path
) -> None:
    folder = make(tiny, Order(data=bars_data, out=tmp_path, steps=30, is_final=True))
    told = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
    assert told["pictures"]["all"]["n"] == 87
    assert "Fitted on everything" in (folder / "CARD.md").read_text(encoding="utf-8")
    assert sorted(path.name for path in (tmp_path / "fits").iterdir()) == [
        "view-all-final",
        *(f"view-all-final-fold{fold}" for fold in (1, 2, 3)),
    ]


def test_the_slice_models_are_made_and_load_in_the_service(
    drawn_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(measure, "no_anatomy", partial(no_anatomy, count=4))
    narrow = (4, 4, 4, 4)  # the real networks take half a minute to compile
    region = evolve(
        body_region.RECIPE,
        batch=4,
        variants=1,
        network=lambda _: network(80, 6, "narrow", narrow),
    )
    orientation = evolve(
        axial_orientation.RECIPE,
        batch=2,
        variants=1,
        network=lambda _: network(80, 1, "narrow", narrow),
    )
    order = Order(data=drawn_data, out=tmp_path, steps=1)
    make(region, order)
    folder = make(orientation, order)
    catalog = load_catalog(tmp_path / "models")
    assert catalog.problems == ()
    for card in catalog.cards.values():
        assert Interpreter(card).scores(np.zeros((1, card.size, card.size), np.float32)).any()
    told = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
    assert told["held out"] == ["KiTS|g1", "KiTS|g3"]
    assert told["single slices"]["all"]["n"] == 2
    with pytest.raises(ConfigurationError, match="train that first"):
        make(orientation, evolve(order, out=tmp_path / "alone"))


def test_every_recipe_can_be_had_and_an_unknown_target_is_refused() -> None:
    for target in RECIPES:
        recipe = recipe_of(target)
        assert (recipe.id or recipe.target) == target
        assert recipe.steps >= 300
    with pytest.raises(ConfigurationError, match="use one of axial_orientation"):
        recipe_of("knee_angle")
