from pathlib import Path
from typing import Any

import numpy as np
import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from qa_daemon.predict.catalog import ModelCard, Witness
from qa_daemon.predict.heads.labels import multi_label_predictions
from qa_daemon.predict.heads.orientation import orientation_predictions
from qa_daemon.predict.heads.outputs import Outputs, Subject, unable
from qa_daemon.records.prediction import Abstention, Part, Prediction

REGIONS = ("HEAD", "NECK", "CHEST", "ABDOMEN", "PELVIS", "LOWERLIMB")


def card(target: str) -> ModelCard:
    is_orientation = target == "axial_orientation"
    return ModelCard(
        id=target,
        version="1.0.0",
        target=target,
        labels=tuple("01234567") if is_orientation else REGIONS,
        modalities=("CT", "MR"),
        size=80,
        copies="scored" if is_orientation else "averaged",
        temperature=1.0,
        correlation=0.25,
        thresholds={
            "turn": 0.95,
            "turn_slice": 0.95,
            "mirror": 0.975,
            "mirror_slice": 0.98,
            "organs": 0.5,
            "known": 0.3,
            "label": 0.5,
        },
        digest="",
        content=b"",
        golden=Path(),
    )


def subjects(count: int) -> tuple[Subject, ...]:
    return tuple(Subject(f"1.2.{number}", 1) for number in range(1, count + 1))


def said_of_regions(*rows: tuple[float, ...]) -> tuple[Prediction, ...]:
    """Make region answers of these probabilities, one row per slice."""
    shares = np.clip(np.asarray(rows, np.float32), 1e-4, 1 - 1e-4)
    logits = np.log(shares / (1 - shares))
    return multi_label_predictions(Outputs(card("body_region"), subjects(len(rows)), logits))


def said_of_a_stack(*rows: tuple[float, ...]) -> tuple[Prediction, ...]:
    """Make region answers as above, of slices 20 mm apart, the first one at the head."""
    shares = np.clip(np.asarray(rows, np.float32), 1e-4, 1 - 1e-4)
    outputs = Outputs(
        card("body_region"),
        subjects(len(rows)),
        np.log(shares / (1 - shares)),
        heights_mm=np.linspace(0.0, -20.0 * (len(rows) - 1), len(rows), dtype=np.float64),
    )
    return multi_label_predictions(outputs)


CHEST = (0.0, 0.0, 0.98, 0.1, 0.0, 0.0)
ABDOMEN = (0.0, 0.0, 0.01, 0.98, 0.0, 0.0)
HEAD = (0.98, 0.0, 0.0, 0.0, 0.0, 0.0)
NOTHING = (0.05, 0.05, 0.05, 0.05, 0.05, 0.05)


def orientation(
    logits: list[list[float]], regions: tuple[Prediction, ...]
) -> tuple[Prediction, ...]:
    outputs = Outputs(
        card("axial_orientation"), subjects(len(logits)), np.asarray(logits, np.float32)
    )
    return orientation_predictions(outputs, regions)


def favouring(label: int, by: float = 8.0) -> list[float]:
    return [by if each == label else 0.0 for each in range(8)]


def test_a_stack_yields_the_set_that_it_covers_and_what_much_of_it_shows() -> None:
    series, *frames = said_of_a_stack(CHEST, *[ABDOMEN] * 9)
    assert series.labels is not None
    assert set(series.labels) == {"CHEST", "ABDOMEN"}
    assert "CHEST" in (frames[0].labels or ())
    assert series.widespread["ABDOMEN"] > 0.9
    assert series.widespread["CHEST"] < 0.05


def test_a_slice_out_of_its_place_adds_no_region_to_a_stack() -> None:
    series, *_ = said_of_a_stack(*[CHEST] * 5, HEAD, *[CHEST] * 4)
    assert series.labels == ("CHEST",)


def test_slices_without_a_place_are_taken_as_they_are() -> None:
    series, *frames = said_of_regions(*[CHEST] * 5, HEAD)
    assert series.labels == ("CHEST",)
    assert frames[-1].labels == ("HEAD",)


@pytest.mark.parametrize("label", range(8))
def test_a_sure_answer_with_organs_in_view_decides_turn_and_mirror(label: int) -> None:
    series, frame = orientation([favouring(label)], said_of_regions(CHEST))
    for said in (series, frame):
        assert said.label == str(label)
        assert said.turn is not None
        assert said.mirror is not None
        assert said.turn.value == label % 4
        assert said.mirror.value is (label >= 4)
        assert not said.abstained
        assert said.reason is None
    assert (series.sop_instance_uid, series.frame) == (None, None)
    assert (frame.sop_instance_uid, frame.frame) == ("1.2.1", 1)
    assert series.model == "axial_orientation@1.0.0"


@given(
    logits=st.lists(st.lists(st.floats(-9, 9), min_size=8, max_size=8), min_size=1, max_size=12),
    with_organs=st.booleans(),
)
def test_probabilities_sum_to_one_and_the_label_is_the_most_probable(
    logits: list[list[float]], *, with_organs: bool
) -> None:
    regions = said_of_regions(*[CHEST if with_organs else HEAD for _ in logits])
    for said in orientation(logits, regions):
        assert abs(sum(said.probabilities.values()) - 1) < 1e-6
        assert said.probability == pytest.approx(max(said.probabilities.values()))
        assert said.label is not None
        assert said.probabilities[said.label] == said.probability
        assert said.turn is not None
        assert said.mirror is not None
        assert int(said.label) == said.turn.value + 4 * bool(said.mirror.value)
        assert said.abstained == (said.turn.abstained or said.mirror.abstained)
        assert (said.reason is None) == (not said.abstained)


def test_without_chest_or_abdomen_the_mirror_stays_undecided() -> None:
    series = orientation([favouring(4)] * 6, said_of_regions(*[HEAD] * 6))[0]
    assert series.turn is not None
    assert series.mirror is not None
    assert not series.turn.abstained
    assert series.mirror.abstained
    assert series.abstained
    assert series.reason == Abstention.LOW_PROBABILITY


def test_without_the_region_model_the_mirror_stays_undecided() -> None:
    series = orientation([favouring(0)] * 6, ())[0]
    assert series.turn is not None
    assert series.mirror is not None
    assert not series.turn.abstained
    assert series.mirror.abstained


def test_only_slices_with_organs_speak_about_the_mirror() -> None:
    logits = [favouring(4)] * 5 + [favouring(0)] * 3
    series = orientation(logits, said_of_regions(*[HEAD] * 5, *[CHEST] * 3))[0]
    assert series.mirror is not None
    assert series.mirror.value is False
    assert not series.mirror.abstained


def test_a_single_dissenting_slice_does_not_turn_the_series() -> None:
    logits = [favouring(0)] * 6 + [favouring(2)]
    answers = orientation(logits, said_of_regions(*[CHEST] * 7))
    assert answers[0].label == "0"
    assert not answers[0].abstained
    assert answers[-1].label == "2"


def test_a_picture_on_which_no_region_is_seen_is_out_of_distribution() -> None:
    series = orientation([favouring(2)], said_of_regions(NOTHING))[0]
    assert series.turn is not None
    assert series.turn.abstained
    assert series.reason == Abstention.OUT_OF_DISTRIBUTION
    assert series.label == "2"


def test_a_flat_answer_is_of_low_probability() -> None:
    series = orientation([[0.0] * 8], said_of_regions(CHEST))[0]
    assert series.abstained
    assert series.reason == Abstention.LOW_PROBABILITY


def test_a_series_without_pixels_still_has_its_element() -> None:
    outputs = Outputs(card("axial_orientation"), (), np.zeros((0, 8), np.float32))
    (series,) = orientation_predictions(outputs)
    assert series == unable("axial_orientation", Abstention.NO_PIXELS, "axial_orientation@1.0.0")


def radiograph(**changes: Any) -> ModelCard:
    return evolve(
        card("axial_orientation"),
        id="r",
        target="radiograph_orientation",
        copies="scored",
        **changes,
    )


def of_radiographs(
    asked: ModelCard, rows: list[list[float]], witnesses: tuple[Prediction, ...] = ()
) -> Prediction:
    logits = np.asarray(rows, np.float32)
    return orientation_predictions(Outputs(asked, subjects(len(rows)), logits), witnesses)[0]


def test_an_orientation_that_names_no_witness_decides_the_mirror_alone() -> None:
    said = of_radiographs(radiograph(), [favouring(6)])
    assert said.turn == Part(2, said.turn.probability if said.turn else 0, abstained=False)
    assert said.mirror is not None
    assert (said.mirror.value, said.mirror.abstained) == (True, False)
    assert said.target == "radiograph_orientation"


def test_a_card_without_a_threshold_decides_nothing() -> None:
    said = of_radiographs(radiograph(thresholds={"turn": 0.9}), [favouring(0)])
    assert said.turn is not None
    assert said.mirror is not None
    assert not said.turn.abstained
    assert said.mirror.abstained


def witness(target: str, frame: int = 1, **shares: float) -> Prediction:
    return Prediction(
        target=target, model="w@1.0.0", probabilities=shares, sop_instance_uid="1.2.1", frame=frame
    )


def test_witnesses_of_the_card_say_who_may_speak_about_the_mirror() -> None:
    asked = radiograph(
        witnesses=(
            Witness(target="body_part", sided=("CHEST",), known=0.2),
            Witness(target="view", sideless=("LATERAL",)),
        )
    )
    frontal, lateral = witness("view", AP=0.95, LATERAL=0.05), witness("view", AP=0.1, LATERAL=0.9)
    chest, hand = witness("body_part", CHEST=0.9), witness("body_part", CHEST=0.1, HAND=0.8)
    for witnesses, decides in (
        ((chest, frontal), True),
        ((chest, lateral), False),
        ((hand, frontal), False),
        ((chest,), True),
        ((frontal,), False),
    ):
        said = of_radiographs(asked, [favouring(4)], witnesses)
        assert said.turn is not None
        assert said.mirror is not None
        assert not said.turn.abstained
        assert said.mirror.abstained is not decides
    unknown = witness("body_part", CHEST=0.1, HAND=0.1)
    said = of_radiographs(asked, [favouring(4)], (unknown, frontal))
    assert said.reason is Abstention.OUT_OF_DISTRIBUTION


def test_an_output_for_what_is_unknown_is_no_class() -> None:
    asked = radiograph(reject=1)
    known = of_radiographs(asked, [[*favouring(3), 0.0]])
    assert known.label == "3"
    assert not known.abstained
    assert sum(known.probabilities.values()) == pytest.approx(1)
    unknown = of_radiographs(asked, [[*favouring(3), 20.0]])
    assert unknown.label == "3"
    assert unknown.reason is Abstention.OUT_OF_DISTRIBUTION
