from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa_daemon.predict.catalog import ModelCard
from qa_daemon.predict.heads.answer import predictions
from qa_daemon.predict.heads.outputs import Outputs, Subject
from qa_daemon.records.prediction import Abstention, Prediction

REGIONS = ("HEAD", "NECK", "CHEST", "ABDOMEN", "PELVIS", "LOWERLIMB")
CARD = ModelCard(
    id="body_region",
    version="1.0.0",
    target="body_region",
    labels=REGIONS,
    modalities=("CT",),
    size=80,
    copies="averaged",
    temperature=1.0,
    correlation=0.25,
    digest="",
    content=b"",
    golden=Path(),
)


def direction(regions: list[str], heights_mm: list[float]) -> Prediction:
    logits = [[6.0 if each == region else -6.0 for each in REGIONS] for region in regions]
    subjects = tuple(Subject("1.2", frame) for frame in range(1, len(regions) + 1))
    outputs = Outputs(
        CARD, subjects, np.asarray(logits, np.float32), heights_mm=np.asarray(heights_mm)
    )
    (series,) = predictions("stack_direction", outputs)
    return series


TRUNK = ["PELVIS", "PELVIS", "ABDOMEN", "ABDOMEN", "CHEST", "CHEST"]
UPWARDS = [0.0, 100.0, 200.0, 300.0, 400.0, 500.0]


def test_regions_that_rise_with_the_positions_agree() -> None:
    said = direction(TRUNK, UPWARDS)
    assert (said.label, said.abstained) == ("agrees", False)
    assert said.target == "stack_direction"
    assert said.model == "body_region@1.0.0"
    assert sum(said.probabilities.values()) == pytest.approx(1)


def test_regions_that_fall_are_reversed_whatever_the_order_of_the_frames() -> None:
    said = direction(TRUNK, UPWARDS[::-1])
    assert (said.label, said.abstained) == ("reversed", False)
    shuffled = [3, 0, 5, 1, 4, 2]
    again = direction([TRUNK[at] for at in shuffled], [UPWARDS[::-1][at] for at in shuffled])
    assert again.probabilities == pytest.approx(said.probabilities)


def test_a_stack_inside_one_region_tells_nothing() -> None:
    said = direction(["CHEST"] * 6, UPWARDS)
    assert said.reason is Abstention.LOW_PROBABILITY
    assert said.label is not None


def test_a_short_stack_abstains() -> None:
    said = direction(TRUNK, [at / 10 for at in UPWARDS])
    assert said.reason is Abstention.LOW_PROBABILITY


def test_slices_without_a_position_do_not_count_and_too_few_are_no_stack() -> None:
    nowhere = float("nan")
    said = direction(["HEAD", *TRUNK], [nowhere, *UPWARDS])
    assert said == direction(TRUNK, UPWARDS)
    said = direction(TRUNK, [0.0, 500.0, *[nowhere] * 4])
    assert said.reason is Abstention.NOT_APPLICABLE
    assert said.label is None


@given(
    regions=st.lists(st.sampled_from(REGIONS), min_size=6, max_size=6),
)
def test_the_reversed_stack_has_the_opposite_answer(regions: list[str]) -> None:
    said, against = direction(regions, UPWARDS), direction(regions, [-at for at in UPWARDS])
    assert against.probabilities["reversed"] == pytest.approx(said.probabilities["agrees"])


def test_one_slice_that_errs_at_an_end_turns_no_stack() -> None:
    said = direction(["HEAD", *["LOWERLIMB"] * 5], [0.0, 40.0, 80.0, 120.0, 160.0, 200.0])
    sure = direction(["HEAD", "HEAD", *["LOWERLIMB"] * 4], [0.0, 40.0, 80.0, 120.0, 160.0, 200.0])
    assert said.probabilities["reversed"] < sure.probabilities["reversed"]
