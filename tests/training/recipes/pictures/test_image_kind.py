from pathlib import Path

import numpy as np

from qa_daemon.training.recipe import Plan
from qa_daemon.training.recipes.pictures.image_kind import NONE, RECIPE, _target


def test_kinds_come_from_parts_and_classes_and_doubtful_pictures_stay_out(
    drawn_pictures: Path,
) -> None:
    found = {each.id: each.labels for each in RECIPE.examples(drawn_pictures)}
    assert found["radiographs/a/1.jpg"] == ("Hand",)
    assert found["radiographs/a/2.jpg"] == ()
    assert "radiographs/b/1.jpg" not in found  # a wrist shows half a hand
    assert "chest/n/1.jpg" not in found  # its twins stand in Medical MNIST
    assert found["chest/k/1.jpg"] == ("CXR",)
    assert found["medical_mnist.npz#0"] == ("AbdomenCT",)


def test_a_picture_of_no_kind_is_a_target_of_its_own() -> None:
    target = _target((), np.random.default_rng(1))
    assert int(target.argmax()) == NONE
    assert float(target.sum()) == np.float32(1.0)


def test_batches_are_the_same_for_a_step_and_standardised(drawn_pictures: Path) -> None:
    draw = RECIPE.draws(RECIPE.examples(drawn_pictures), Plan(size=64, batch=8))
    one, again = draw(3), draw(3)
    assert one.pictures.shape == (8, 64, 64, 1)
    assert one.targets.shape == (8, NONE + 1)
    assert np.array_equal(one.pictures, again.pictures)
    assert not np.array_equal(one.pictures, draw(4).pictures)
