"""Recipes of slices beside the axial ones: who is asked what, and a batch that can be learnt."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from attrs import evolve

from qa_daemon.training.recipe import Recipe, Start
from qa_daemon.training.recipes import recipe_of
from qa_daemon.training.recipes.other_orientations import CORONAL, SAGITTAL
from qa_daemon.training.slices.datasets import LabelledSlice, slices

TARGETS = ("coronal_orientation", "plane", "sagittal_orientation")


def other_planes(data: Path) -> list[LabelledSlice]:
    """Return the drawn slices, and copies of them that are called sagittal and coronal."""
    axial = [item for item in slices(data) if item.plane == "axial"]
    return [
        evolve(item, plane=plane, id=f"{item.id}{plane}")
        for plane in ("axial", "sagittal", "coronal")
        for item in axial
    ]


def labelled(recipe: Recipe[LabelledSlice], items: list[LabelledSlice]) -> list[LabelledSlice]:
    """Return the slices as the recipe labels them: those of its planes are upright."""
    return [
        evolve(
            item,
            labels=(item.plane,)
            if recipe.target == "plane"
            else ("0",)
            if item.plane in recipe.planes
            else (),
        )
        for item in items
    ]


@pytest.mark.parametrize("target", TARGETS)
def test_a_batch_is_drawn_and_its_loss_can_be_taken(drawn_data: Path, target: str) -> None:
    recipe: Recipe[Any] = recipe_of(target)
    items = labelled(recipe, other_planes(drawn_data))
    model = recipe.network(Start(data=drawn_data, sample=lambda: np.zeros(0, np.float32)))
    batch = recipe.draws(items, evolve(recipe.plan, batch=8))(0)
    assert batch.pictures.shape[1:] == (recipe.size, recipe.size, 1)
    assert model.output_shape[-1] in (1, len(recipe.labels) + recipe.reject)
    loss = float(recipe.loss(model(batch.pictures), batch.targets, batch.weights))
    assert math.isfinite(loss)
    again = recipe.draws(items, evolve(recipe.plan, batch=8))(0)
    assert np.array_equal(again.pictures, batch.pictures)


def test_an_upright_sagittal_slice_shows_its_mirror_and_a_coronal_head_does_not(
    drawn_data: Path,
) -> None:
    for recipe, right in ((SAGITTAL, ("0",)), (CORONAL, ("0", "4"))):
        found = {
            item.labels
            for item in recipe.examples(drawn_data)
            if item.plane in recipe.planes and item.regions == ("HEAD",)
        }
        assert found <= {right}
    heads = [item for item in CORONAL.examples(drawn_data) if item.plane == "coronal"]
    assert {item.labels for item in heads if item.regions} == {("0", "4")}
