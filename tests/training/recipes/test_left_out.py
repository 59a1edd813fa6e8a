"""Shipped models of slices, on the patients that are kept out of every fit and every choice.

They are those of the series in `dicom/` and `known_wrong/`, other sources mostly. Upright
stacks, so that class 0 is right; stacks cut along other planes count too.
"""

from collections import defaultdict
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from attrs import frozen

from qa_daemon.predict.catalog import load_card
from qa_daemon.predict.heads.answer import predictions
from qa_daemon.predict.heads.outputs import Outputs, Subject
from qa_daemon.predict.interpreter import Interpreter
from qa_daemon.records.prediction import Prediction
from qa_daemon.training.slices.augment import shown
from qa_daemon.training.slices.datasets import LabelledSlice, of_volume
from qa_daemon.training.slices.reformats import NEIGHBOURS, reformatted
from qa_daemon.training.split import excluded

pytestmark = pytest.mark.shared

MODELS = Path(__file__).resolve().parents[3] / "models"
SERIES_SLICES_MAX = 10


@frozen
class Answered:
    """One series, what the model says of it, and of each of its slices."""

    plane: str
    regions: frozenset[str]
    whole: Prediction
    frames: tuple[Prediction, ...]


@cache
def left_out(data: Path) -> tuple[tuple[LabelledSlice, ...], ...]:
    """Return the upright stacks of the patients that are left out, thinned."""
    files = sorted(excluded(data).files)
    published = [item for name in files for item in of_volume(data / name, name)]
    stacks: dict[tuple[str, str, str], list[LabelledSlice]] = defaultdict(list)
    for item in (*published, *reformatted(published)):
        stacks[item.source, item.series, item.plane].append(item)
    return tuple(_thinned(members) for members in stacks.values())


def _thinned(members: Sequence[LabelledSlice]) -> tuple[LabelledSlice, ...]:
    at = np.linspace(0, len(members) - 1, min(SERIES_SLICES_MAX, len(members)))
    return tuple(members[round(place)] for place in at)


def answered(data: Path, package: str) -> list[Answered]:
    card = load_card(MODELS / package)
    model = Interpreter(card)
    found = []
    for members in left_out(data):
        if members[0].plane in card.planes:
            pictures = np.stack([shown(item, card.size) for item in members])
            subjects = tuple(Subject("1.2", number) for number in range(1, len(members) + 1))
            whole, *frames = predictions(
                card.target, Outputs(card, subjects, model.scores(pictures))
            )
            regions = frozenset(region for item in members for region in item.regions)
            found.append(Answered(members[0].plane, regions, whole, tuple(frames)))
    return found


def test_sagittal_heads_and_knees_are_upright_and_nothing_decided_is_wrong(
    shared_data: Path,
) -> None:
    series = answered(shared_data, "sagittal_orientation/1.0.0")
    parts = [(said.turn, said.mirror) for each in series for said in (each.whole, *each.frames)]
    assert all(turn and (turn.abstained or turn.value == 0) for turn, _ in parts)
    assert all(mirror and (mirror.abstained or not mirror.value) for _, mirror in parts)
    told = [each for each in series if each.regions in ({"HEAD"}, {"LOWERLIMB"})]
    assert len(told) >= 9
    assert all(not each.whole.abstained and each.whole.label == "0" for each in told)


def test_nothing_decided_of_coronal_slices_is_wrong(shared_data: Path) -> None:
    series = answered(shared_data, "coronal_orientation/1.0.0")
    assert sum(not (each.whole.turn is None or each.whole.turn.abstained) for each in series) >= 8
    parts = [(said.turn, said.mirror) for each in series for said in (each.whole, *each.frames)]
    assert all(turn and (turn.abstained or turn.value == 0) for turn, _ in parts)
    assert all(mirror and (mirror.abstained or not mirror.value) for _, mirror in parts)


def test_heads_and_knees_of_other_planes_are_named_and_nothing_is_named_that_is_far_off(
    shared_data: Path,
) -> None:
    series = answered(shared_data, "body_region_upright/1.0.0")
    for each in series:
        near = each.regions.union(*(NEIGHBOURS[region] for region in each.regions))
        assert near.issuperset(each.whole.labels or ())
    heads = [each for each in series if each.regions == {"HEAD"}]
    knees = [each for each in series if each.regions == {"LOWERLIMB"}]
    assert sum("HEAD" in (each.whole.labels or ()) for each in heads) >= len(heads) - 1 > 10
    assert all(each.whole.labels == ("LOWERLIMB",) for each in knees)


def test_no_stack_is_told_to_run_the_wrong_way_and_long_trunks_are_decided(
    shared_data: Path,
) -> None:
    card = load_card(max((MODELS / "body_region").iterdir()))
    model = Interpreter(card)
    decided = 0
    for members in left_out(shared_data):
        places = np.asarray([item.place_mm for item in members])
        if members[0].plane != "axial" or not np.isfinite(places).all():
            continue
        subjects = tuple(Subject("1.2", number) for number in range(1, len(members) + 1))
        logits = model.scores(np.stack([shown(item, card.size) for item in members]))
        for right, heights in (("agrees", places), ("reversed", -places)):
            outputs = Outputs(card, subjects, logits, heights)
            (said,) = predictions("stack_direction", outputs)
            assert said.label == right or (said.probability or 0.0) < 0.9
            decided += not said.abstained
    assert decided >= 6
