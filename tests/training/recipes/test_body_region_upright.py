"""The second model of regions: what it is shown, what it is told, which labels it may give."""

import csv
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from attrs import evolve
from PIL import Image

from qa_daemon.predict.catalog import Catalog
from qa_daemon.training.package import blank_card
from qa_daemon.training.recipe import Scored, Start
from qa_daemon.training.recipes.body_region_upright import RECIPE
from qa_daemon.training.slices.datasets import REGIONS, LabelledSlice
from qa_daemon.training.slices.measure_upright import accepted_by_group


@pytest.fixture
def with_films(drawn_data: Path) -> Path:
    """Return the drawn data with radiographs: a knee, a shoulder, two on one film."""
    folder = drawn_data / "radiographs"
    folder.mkdir()
    rows = [("a.png", "Knee", "LAT"), ("b.png", "Shoulder", "AP"), ("c.png", "Hand", "multi")]
    with (folder / "labels.csv").open("w", newline="", encoding="utf-8") as lines:
        table = csv.writer(lines)
        table.writerow(
            ["file", "source", "licence", "patient", "body_part", "view", "laterality", "inverted"]
        )
        for name, part, view in rows:
            picture = np.zeros((90, 60), np.uint8)
            picture[20:70, 15:45] = 200
            Image.fromarray(picture).save(folder / name)
            table.writerow([name, "drawn films", "own drawing", name, part, view, "", ""])
    return drawn_data


def heads(items: Sequence[LabelledSlice], count: int = 6) -> list[LabelledSlice]:
    """Return coronal heads of several patients."""
    (head,) = [item for item in items if item.regions == ("HEAD",)]
    return [
        evolve(head, patient=f"drawn|h{number}", id=f"volumes/h{number}.npz#0", series=f"h{number}")
        for number in range(count)
    ]


def test_films_are_regions_or_none_and_several_on_one_are_left_out(with_films: Path) -> None:
    found = {item.id: item for item in RECIPE.examples(with_films)}
    assert found["radiographs/a.png"].regions == ("LOWERLIMB",)
    assert found["radiographs/a.png"].plane == "lateral"
    shoulder = found["radiographs/b.png"]
    assert shoulder.regions == ()
    assert shoulder.regions_open == {"CHEST", "NECK"}
    assert "radiographs/c.png" not in found
    assert {item.plane for item in found.values() if item.modality == "MR"} <= {"coronal"}


def test_a_batch_tells_what_is_seen_what_is_none_and_what_is_open(with_films: Path) -> None:
    items = RECIPE.examples(with_films)
    batch = RECIPE.draws(items, evolve(RECIPE.plan, batch=24))(0)
    assert batch.pictures.shape == (24, RECIPE.size, RECIPE.size, 1)
    assert batch.targets.shape == (24, 2 * (len(REGIONS) + 1))
    seen, told = batch.targets[:, :6], batch.targets[:, 7:13]
    assert ((seen == 1) <= (told == 1)).all()
    is_none = batch.targets[:, 6] == 1
    assert not seen[is_none].any()
    model = RECIPE.network(Start(data=with_films, sample=lambda: np.zeros(0, np.float32)))
    loss = RECIPE.loss(model(batch.pictures), batch.targets, batch.weights)
    assert math.isfinite(float(loss))


def scored(items: list[LabelledSlice], logits: list[list[float]]) -> Scored[LabelledSlice]:
    pictures = np.zeros((len(items), RECIPE.size, RECIPE.size), np.float32)
    return Scored(
        tuple(items), pictures, np.asarray(logits, np.float32), np.zeros(len(items), np.intp)
    )


def test_only_labels_that_held_out_patients_show_are_ever_accepted(with_films: Path) -> None:
    items = heads(RECIPE.examples(with_films))
    sure = [5.0, *[-5.0] * 6]
    found = scored(items, [sure] * len(items))
    calibrated = RECIPE.calibrated(blank_card(RECIPE, b"", "1.0.0"), found, Catalog())
    thresholds = calibrated.card.thresholds
    assert 0.8 <= thresholds["label:HEAD"] < 1.0
    assert {thresholds[f"label:{region}"] for region in REGIONS if region != "HEAD"} == {1.0}
    assert "never accepted" in calibrated.how["label:PELVIS"]


def test_a_region_that_is_wrongly_named_raises_its_threshold_and_is_counted(
    with_films: Path,
) -> None:
    films = [item for item in RECIPE.examples(with_films) if item.id == "radiographs/b.png"]
    items = [*heads(RECIPE.examples(with_films)), *films]
    found = scored(items, [*[[5.0, *[-5.0] * 6]] * 6, [4.0, *[-5.0] * 6]])
    calibrated = RECIPE.calibrated(blank_card(RECIPE, b"", "1.0.0"), found, Catalog())
    wrong = 1 / (1 + math.exp(-4.0 / calibrated.card.temperature))
    assert calibrated.card.thresholds["label:HEAD"] > wrong
    figures: Any = accepted_by_group(calibrated.card, found)
    assert figures["single pictures, radiographs"]["n"] == 1
    assert figures["single pictures, radiographs"]["a region that is not there accepted"][0] == 0.0
    assert figures["series, published"]["a region that is there accepted"][0] == 1.0
