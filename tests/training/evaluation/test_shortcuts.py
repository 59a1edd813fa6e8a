from functools import partial
from pathlib import Path

import numpy as np
import pytest
from attrs import evolve

from qa_daemon.training.evaluation.material import material
from qa_daemon.training.evaluation.shortcuts import border, masked, source
from qa_daemon.training.recipe import Example, Kind, Licences, Recipe
from qa_daemon.training.split import usable


def plain(example: Example) -> np.ndarray:
    return np.asarray(example.read()[::2, ::2], np.float32)


def marked(example: Example, *, by: str) -> Example:
    """Return the picture with a mark from its upper rim on that gives label or source away."""
    picture = np.array(example.read())
    word = example.labels[0] if by == "label" else example.source
    names = ("AP", "LATERAL", "OBLIQUE", "far", "middle", "near")
    place = 5 * names.index(word)
    picture[:16, place : place + 5] = 5
    return evolve(example, read=partial(np.asarray, picture))


@pytest.fixture
def examples(tiny: Recipe[Example], bars_data: Path) -> tuple[Example, ...]:
    return tuple(
        evolve(example, id=f"{example.id} {copy}")
        for example in usable(tiny, bars_data, Licences.ALL)
        for copy in range(3)
    )


def test_a_border_without_a_trace_is_near_chance_and_one_with_a_trace_is_found(
    tiny: Recipe[Example], examples: tuple[Example, ...]
) -> None:
    recipe = evolve(tiny, shown=plain)
    clean = border(material(recipe, examples), Kind.SINGLE)
    traced = [marked(each, by="label") for each in examples]
    found = border(material(recipe, traced), Kind.SINGLE)
    assert clean["chance"] == pytest.approx(1 / 3, abs=1e-3)
    assert clean["balanced accuracy"][0] < 0.62  # type: ignore[index]  # a list of three
    assert found["balanced accuracy"][0] > 0.95  # type: ignore[index]  # a list of three


def test_a_source_that_leaves_a_trace_is_found_in_each_label(
    tiny: Recipe[Example], examples: tuple[Example, ...]
) -> None:
    recipe = evolve(tiny, shown=plain)
    traced = [marked(each, by="source") for each in examples]
    found = source(material(recipe, traced), tiny.labels)
    assert set(found) == {f"DX {label}" for label in tiny.labels}
    for each in found.values():
        assert isinstance(each, dict)
        assert each["balanced accuracy"][0] > 0.9
        assert each["chance"] == pytest.approx(1 / 3, abs=1e-3)


def test_masked_markers_are_compared_with_the_picture_as_it_is() -> None:
    truth = np.eye(2, dtype=bool)[[0, 1, 0, 1]]
    told = masked(truth.astype(np.float32), np.ones((4, 2), np.float32), truth)
    assert [told["as it is"][0], told["markers masked"][0]] == [1.0, 0.5]  # type: ignore[index]


def test_a_source_of_one_patient_takes_no_part(
    tiny: Recipe[Example], examples: tuple[Example, ...]
) -> None:
    one = [evolve(e, patient="far|one") if e.source == "far" else e for e in examples]
    found = source(material(tiny, one), tiny.labels)
    assert {each["classes"] for each in found.values()} == {2}  # type: ignore[index]
