from pathlib import Path

import numpy as np

from qa_daemon.pixels.inputs.displayed import DISPLAYED_SIZE
from qa_daemon.training.recipe import Plan
from qa_daemon.training.recipes.pictures.image_quality import LABELS, RECIPE


def test_published_negatives_are_labelled_so(drawn_pictures: Path) -> None:
    found = {each.id: each.labels for each in RECIPE.examples(drawn_pictures)}
    assert found["radiographs/a/2.jpg"] == ("inverted",)
    assert found["radiographs/a/1.jpg"] == ()


def test_batches_hold_pictures_with_and_without_faults(drawn_pictures: Path) -> None:
    examples = [each for each in RECIPE.examples(drawn_pictures) if not each.labels]
    batch = RECIPE.draws(examples, Plan(size=DISPLAYED_SIZE, batch=40))(1)
    assert batch.pictures.shape == (40, DISPLAYED_SIZE, DISPLAYED_SIZE, 1)
    assert batch.targets.shape == (40, len(LABELS))
    faults = batch.targets.sum(axis=1)
    assert set(np.unique(faults)) <= {0.0, 1.0, 2.0}
    assert {0.0, 1.0} <= set(np.unique(faults))
