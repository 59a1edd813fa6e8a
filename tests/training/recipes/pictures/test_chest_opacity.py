from pathlib import Path

import numpy as np

from qa_daemon.training.recipes.pictures.chest_opacity import RECIPE, _chances, _interval


def test_laterals_stay_out_and_findings_become_two_labels(drawn_pictures: Path) -> None:
    found = {each.id: each.labels for each in RECIPE.examples(drawn_pictures)}
    assert found == {"chest/n/1.jpg": ("normal",), "chest/k/1.jpg": ("opacity",)}


def test_a_source_of_one_label_is_drawn_rarely(drawn_pictures: Path) -> None:
    normal, opacity = RECIPE.examples(drawn_pictures)
    assert np.allclose(_chances([normal, opacity]), 0.5)
    chances = _chances([normal, normal, opacity])
    assert chances.sum() == 1.0


def test_the_interval_of_an_area_holds_it() -> None:
    random = np.random.default_rng(1)
    truth = np.repeat([False, True], 60)
    low, high = _interval(truth, random.normal(truth * 1.0, 1.0))
    assert 0.6 < low < 0.77 < high < 0.9
