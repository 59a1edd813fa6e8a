from pathlib import Path

import pytest
from attrs import evolve

from qa_daemon.errors import InputError
from qa_daemon.training.recipe import Example, HeldOut, Licences, Recipe
from qa_daemon.training.split import folds, is_held_out, split, usable, watched


def test_the_excluded_are_never_yielded(tiny: Recipe[Example], bars_data: Path) -> None:
    found = {example.id for example in usable(tiny, bars_data, Licences.ALL)}
    assert len(found) == 87
    assert found.isdisjoint({"bars/4.png", "bars/14.png", "bars/15.png"})


def test_open_leaves_out_whatever_states_no_open_licence(
    tiny: Recipe[Example], bars_data: Path
) -> None:
    sources = {example.source for example in usable(tiny, bars_data, Licences.OPEN)}
    assert sources == {"near", "far"}


def test_a_folder_of_which_nothing_may_be_used_is_refused(
    tiny: Recipe[Example], bars_data: Path
) -> None:
    silent = evolve(
        tiny, examples=lambda data: [evolve(e, licence="") for e in tiny.examples(data)]
    )
    with pytest.raises(InputError, match="no usable picture with an open licence"):
        usable(silent, bars_data, Licences.OPEN)


def test_no_patient_and_no_held_out_source_is_on_both_sides(
    tiny: Recipe[Example], bars_data: Path
) -> None:
    parts = split(usable(tiny, bars_data, Licences.ALL), tiny.held_out)
    fitted = {example.patient for example in parts.training}
    assert fitted.isdisjoint(example.patient for example in parts.held_out)
    assert {example.source for example in parts.training} == {"near", "middle"}
    assert {example.source for example in parts.held_out} == {"near", "middle", "far"}


def test_a_source_without_patients_is_never_cut(tiny: Recipe[Example], bars_data: Path) -> None:
    unknown = [
        evolve(example, patient_known=example.source != "middle")
        for example in usable(tiny, bars_data, Licences.ALL)
    ]
    assert not any(is_held_out(e, HeldOut(share=0.99)) for e in unknown if not e.patient_known)
    for part in (*folds(unknown, 3), watched(unknown, 0.5)):
        sides = ["middle" in {e.source for e in side} for side in (part.training, part.held_out)]
        assert sum(sides) == 1


def test_each_group_is_held_out_in_one_fold(tiny: Recipe[Example], bars_data: Path) -> None:
    examples = usable(tiny, bars_data, Licences.ALL)
    parts = folds(examples, 3)
    assert sorted(e.id for part in parts for e in part.held_out) == sorted(e.id for e in examples)
    for part in parts:
        fitted = {example.group for example in part.training}
        assert fitted.isdisjoint(example.group for example in part.held_out)
        assert len(part.held_out) > 8


def test_fewer_patients_than_folds_are_refused(tiny: Recipe[Example], bars_data: Path) -> None:
    two = usable(tiny, bars_data, Licences.ALL)[:4]
    with pytest.raises(InputError, match="2 patients: too few for 3 folds"):
        folds(two, 3)


def test_a_group_lies_in_the_same_fold_whatever_else_there_is(
    tiny: Recipe[Example], bars_data: Path
) -> None:
    examples = usable(tiny, bars_data, Licences.ALL)
    half = examples[::4]
    for whole, part in zip(folds(examples, 3), folds(half, 3), strict=True):
        held_out = {example.group for example in whole.held_out}
        assert held_out >= {example.group for example in part.held_out}


def test_few_patients_are_dealt_out(tiny: Recipe[Example], bars_data: Path) -> None:
    three = {e.patient: e for e in usable(tiny, bars_data, Licences.ALL)}
    for first in range(0, 40, 4):
        some = list(three.values())[first : first + 3]
        assert [len(part.held_out) for part in folds(some, 3)] == [1, 1, 1]
