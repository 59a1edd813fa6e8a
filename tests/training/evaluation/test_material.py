from pathlib import Path

import numpy as np
from attrs import evolve

from qa_daemon.predict.interpreter import UNDONE_BY, turned
from qa_daemon.training.evaluation.material import SMALL_SOURCES, material, parts
from qa_daemon.training.recipe import Example, Kind, Licences, Origin, Recipe
from qa_daemon.training.split import usable


def test_every_source_is_held_out_once_and_small_ones_together(
    tiny: Recipe[Example], bars_data: Path
) -> None:
    examples = list(usable(tiny, bars_data, Licences.ALL)) * 2
    few = [evolve(example, source="few") for example in examples[:5]]
    fewer = [evolve(example, source="fewer") for example in examples[5:9]]
    strange = [evolve(example, source="strange", labels=()) for example in examples[:60]]
    found = parts(tiny, [*examples, *few, *fewer, *strange])
    assert [(part.kind, part.name) for part in found[3:]] == [
        ("source", "far"),
        ("source", "middle"),
        ("source", "near"),
        ("source", SMALL_SOURCES),
    ]
    for part in found[3:]:
        out = {example.source for example in part.division.held_out}
        assert out.isdisjoint(example.source for example in part.division.training)
    assert {example.source for example in found[-1].division.held_out} == {"few", "fewer"}


def test_synthetic_pictures_are_fitted_on_and_never_asked_about(
    tiny: Recipe[Example], bars_data: Path
) -> None:
    examples = [
        evolve(example, origin=Origin.SYNTHETIC if at % 2 else Origin.PUBLISHED)
        for at, example in enumerate(usable(tiny, bars_data, Licences.ALL))
    ]
    for part in parts(tiny, examples):
        assert any(not example.origin.is_measured for example in part.division.training)
        assert all(example.origin.is_measured for example in part.division.held_out)


def test_one_source_alone_is_not_held_out(tiny: Recipe[Example], bars_data: Path) -> None:
    examples = [evolve(e, source="one") for e in usable(tiny, bars_data, Licences.ALL)]
    assert [part.kind for part in parts(tiny, examples)] == ["fold"] * 3


def test_pictures_of_an_orientation_are_turned_and_labelled_so(
    tiny: Recipe[Example], bars_data: Path
) -> None:
    upright = [
        evolve(example, labels=("0",) if at % 2 else ("0", "4"))
        for at, example in enumerate(usable(tiny, bars_data, Licences.ALL))
    ]
    recipe = evolve(tiny, kind=Kind.ORIENTATION, labels=tuple("01234567"))
    seen = material(recipe, [*upright, evolve(upright[0], labels=())])
    assert len(seen.examples) == len(upright)
    assert len({row.argmax() for row in seen.truth[1::2]}) == 8
    for example, picture, right in zip(seen.examples, seen.pictures, seen.truth, strict=True):
        classes = np.flatnonzero(right).tolist()
        assert len(classes) == len(example.labels)
        assert {each % 4 for each in classes} == {classes[0] % 4}
        # One of the right classes undoes the turn.
        undone = [turned(picture[None], UNDONE_BY[each])[0] for each in classes]
        assert any(np.array_equal(each, tiny.shown(example)) for each in undone)
