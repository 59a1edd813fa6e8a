from pathlib import Path

import numpy as np
import pytest
from attrs import evolve

from qa_daemon.predict.catalog import ModelCard
from qa_daemon.predict.heads.answer import predictions
from qa_daemon.predict.heads.outputs import Outputs, Place, Subject
from qa_daemon.records.prediction import Abstention, Box, Prediction

CARD = ModelCard(
    id="side_marker",
    version="1.0.0",
    target="side_marker",
    labels=("L", "R", "L mirrored", "R mirrored"),
    modalities=("DX",),
    preparation="patches",
    size=32,
    copies="single",
    reject=1,
    temperature=1.0,
    correlation=0.0,
    thresholds={"label": 0.9, "mirrored": 0.9},
    digest="",
    content=b"",
    golden=Path(),
)
NONE = (0.0, 0.0, 0.0, 0.0, 9.0)
LEFT = (9.0, 0.0, 0.0, 0.0, 0.0)
RIGHT_MIRRORED = (0.0, 0.0, 0.0, 9.0, 0.0)


def said(*frames: list[tuple[float, ...]]) -> tuple[Prediction, ...]:
    places = tuple(
        tuple(
            Place(np.asarray(row, np.float32), Box(10.0 * at, 0, 10.0 * at + 8, 8))
            for at, row in enumerate(rows)
        )
        for rows in frames
    )
    subjects = tuple(Subject(f"1.2.{number}", 1) for number in range(1, len(frames) + 1))
    empty = np.zeros((0, CARD.outputs), np.float32)
    return predictions("side_marker", Outputs(CARD, subjects, empty, places=places))


def test_a_letter_is_read_with_its_box() -> None:
    series, frame = said([NONE, LEFT, NONE])
    assert (frame.label, frame.abstained, frame.mirrored) == ("L", False, False)
    assert frame.box == Box(10, 0, 18, 8)
    assert sum(frame.probabilities.values()) == pytest.approx(1)
    assert (series.label, series.box, series.sop_instance_uid) == ("L", frame.box, None)


def test_mirror_writing_is_read_as_such() -> None:
    series = said([RIGHT_MIRRORED])[0]
    assert (series.label, series.abstained, series.mirrored) == ("R", False, True)


def test_a_card_may_say_that_letters_of_one_side_never_count_as_mirrored() -> None:
    careful = evolve(CARD, thresholds={**CARD.thresholds, "mirrored:R": 1.0})
    place = Place(np.asarray(RIGHT_MIRRORED, np.float32) * 100, Box(0, 0, 8, 8))
    empty = np.zeros((0, careful.outputs), np.float32)
    outputs = Outputs(careful, (Subject("1.2.3", 1),), empty, places=((place,),))
    assert predictions("side_marker", outputs)[0].mirrored is None
    unturned = predictions("side_marker", evolve(outputs, card=CARD))[0]
    assert unturned.mirrored is True


def test_writing_that_may_be_either_is_left_open() -> None:
    series = said([(9.0, 0.0, 9.0, 0.0, 0.0)])[0]
    assert (series.label, series.abstained, series.mirrored) == ("L", False, None)


@pytest.mark.parametrize("rows", [[], [NONE], [NONE, NONE]])
def test_without_a_marker_nothing_is_said(rows: list[tuple[float, ...]]) -> None:
    series, frame = said(rows)
    assert series.abstained
    assert frame.reason is Abstention.LOW_PROBABILITY
    assert series.mirrored is None


def test_the_surest_picture_speaks_for_the_series() -> None:
    series, *frames = said([NONE], [LEFT])
    assert (series.label, series.abstained) == ("L", False)
    assert [frame.abstained for frame in frames] == [True, False]


def test_both_sides_in_one_series_leave_it_open() -> None:
    assert said([LEFT], [RIGHT_MIRRORED])[0].reason is Abstention.LOW_PROBABILITY
