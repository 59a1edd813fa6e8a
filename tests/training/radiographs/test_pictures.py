"""What is read of the radiographs, and what is known of each."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from qa_daemon.training.radiographs.hanging import shows_side
from qa_daemon.training.radiographs.measure import SOURCES_HELD_OUT
from qa_daemon.training.radiographs.pictures import (
    AUGMENTED,
    PARTS,
    chests,
    mnist,
    radiographs,
    slices,
)
from qa_daemon.training.recipes.radiographs.body_part import RECIPE
from qa_daemon.training.split import split


@pytest.mark.shared
def test_every_part_has_pictures_and_every_picture_is_grey(shared_data: Path) -> None:
    items = list(radiographs(shared_data))
    counts = Counter(part for item in items for part in item.parts)
    assert set(counts) == set(PARTS)
    assert all(items[at].read().ndim == 2 for at in range(0, len(items), 100))
    assert {item.view for item in items} >= {"AP", "PA", "LATERAL", "AXIAL", "FRONTAL", ""}
    assert {item.side for item in items} == {"L", "R", "B", ""}


@pytest.mark.shared
def test_no_side_is_learned_from_exports_that_mirror_at_random(shared_data: Path) -> None:
    items = [*radiographs(shared_data), *chests(shared_data)]
    assert not [item for item in items if item.source in AUGMENTED and shows_side(item)]
    sided = [item for item in items if shows_side(item)]
    assert len(sided) > 2000
    assert {part for item in sided for part in item.parts} >= {"CHEST", "ABDOMEN"}
    assert not [item for item in sided if item.view == "LATERAL"]


@pytest.mark.shared
def test_slices_and_hands_are_read_without_and_with_a_part(shared_data: Path) -> None:
    assert {item.parts for item in mnist(shared_data, "Hand")} == {("HAND", "WRIST")}
    assert {item.parts for item in mnist(shared_data, "HeadCT", "test")} == {()}
    several = [item for _, item in zip(range(40), slices(shared_data), strict=False)]
    assert {item.labels for item in several} == {()}
    assert all(np.ptp(item.read()) > 0 for item in several)


@pytest.mark.shared
def test_no_patient_and_no_held_out_hospital_is_fitted_on(shared_data: Path) -> None:
    parts = split(RECIPE.examples(shared_data), RECIPE.held_out)
    assert SOURCES_HELD_OUT.isdisjoint(item.source for item in parts.training)
    assert {item.source for item in parts.held_out} >= SOURCES_HELD_OUT
    fitted = {item.patient for item in parts.training}
    assert fitted.isdisjoint(item.patient for item in parts.held_out)
