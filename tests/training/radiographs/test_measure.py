"""Figures of radiograph models: right, next to right, and rejected."""

import numpy as np
import pytest

from qa_daemon.predict.heads.orientation import orientation_predictions
from qa_daemon.predict.heads.outputs import Outputs, Subject
from qa_daemon.training.make import joined
from qa_daemon.training.package import blank_card
from qa_daemon.training.radiographs import hanging, measure
from qa_daemon.training.radiographs.pictures import PARTS, Radiograph
from qa_daemon.training.recipe import Scored
from qa_daemon.training.recipes.radiographs import body_part, radiograph_orientation


def a_picture(number: int, parts: tuple[str, ...], source: str = "radiopaedia") -> Radiograph:
    return Radiograph(
        id=f"drawn/{number}",
        read=lambda: np.zeros((8, 8), np.uint8),
        labels=parts,
        parts=parts,
        patient=f"{source}|{number}",
        source=source,
        licence="own",
        modality="DX",
        view="AP",
        is_upright=True,
        is_unmirrored=True,
    )


def scored(rows: list[tuple[Radiograph, dict[str, float]]]) -> Scored[Radiograph]:
    logits = np.full((len(rows), len(PARTS)), -6.0, np.float32)
    for row, (_, said) in enumerate(rows):
        for part, value in said.items():
            logits[row, PARTS.index(part)] = value
    pictures = np.zeros((len(rows), 8, 8), np.float32)
    return Scored(tuple(item for item, _ in rows), pictures, logits, np.zeros(len(rows), np.intp))


def test_parts_touch_each_other_both_ways_and_themselves() -> None:
    table = measure.touching(PARTS)
    assert (table == table.T).all()
    assert table.diagonal().all()
    assert table[PARTS.index("HAND"), PARTS.index("WRIST")]
    assert not table[PARTS.index("HAND"), PARTS.index("FOOT")]


def test_thresholds_let_nine_in_ten_of_other_hospitals_through() -> None:
    random = np.random.default_rng(1)
    rows = [
        (a_picture(number, ("KNEE",)), {"KNEE": float(random.normal(2, 1.5))})
        for number in range(200)
    ]
    card = blank_card(body_part.RECIPE, b"", "1.0.0")
    made = measure.calibrated_parts(card, scored(rows), measure.SOURCES_HELD_OUT).card
    said = measure.answers(made, scored(rows))
    assert (said.sure >= made.threshold("label")).mean() == pytest.approx(0.9, abs=0.02)


def test_a_hand_called_a_wrist_is_wrong_but_next_to_right() -> None:
    rows = [
        (a_picture(1, ("HAND",)), {"WRIST": 3.0}),
        (a_picture(2, ("HAND",)), {"HAND": 3.0}),
        (a_picture(3, ("HAND",)), {"KNEE": 3.0}),
    ]
    card = blank_card(body_part.RECIPE, b"", "1.0.0")
    figures = measure.of_group(measure.answers(card, scored(rows)), 0.5)
    right, near = figures["best part right"], figures["right or touching"]
    assert isinstance(right, list)
    assert isinstance(near, list)
    assert (right[0], near[0]) == pytest.approx((1 / 3, 2 / 3), abs=1e-3)


def test_contradictions_need_more_than_the_wrong_answers_had() -> None:
    rows = [
        (a_picture(number, ("KNEE",)), {("SKULL" if number < 5 else "KNEE"): 4.0})
        for number in range(100)
    ]
    card = blank_card(body_part.RECIPE, b"", "1.0.0")
    made = measure.calibrated_parts(card, scored(rows), measure.SOURCES_HELD_OUT).card
    worst = float(measure.answers(made, scored(rows)).sure[0])
    assert made.threshold("contradiction") > worst


def hung(label: int, count: int, part: str = "CHEST") -> Scored[Radiograph]:
    items = tuple(a_picture(number + 1000 * label, (part,)) for number in range(count))
    logits = np.zeros((count, 8), np.float32)
    logits[:, label] = 9.0
    return Scored(items, np.zeros((count, 8, 8), np.float32), logits, np.zeros(count, np.intp))


def test_turn_and_mirror_are_counted_apart() -> None:
    found = joined([hung(0, 60), hung(4, 20), hung(1, 20)])
    card = blank_card(radiograph_orientation.RECIPE, b"", "1.0.0")
    made = hanging.calibrated(card, found).card
    figures = hanging.figures(made, found, frozenset())["all"]
    assert isinstance(figures, dict)
    assert figures["turn right"][0] == pytest.approx(0.8)
    # A fifth of the turns and a quarter of the mirrors are wrong: nothing may be decided.
    assert figures["turn decided"][0] == 0.0


def test_knees_do_not_count_for_the_mirror() -> None:
    found = joined([hung(0, 50), hung(4, 50, "KNEE")])
    card = blank_card(radiograph_orientation.RECIPE, b"", "1.0.0")
    figures = hanging.figures(hanging.calibrated(card, found).card, found, frozenset())["all"]
    assert isinstance(figures, dict)
    assert figures["turn right"][0] == 1.0
    assert figures["mirror right, of those that show sides"][0] == 1.0


@pytest.mark.parametrize("label", range(8))
def test_a_turned_picture_is_the_turn_of_that_class(label: int) -> None:
    picture = np.arange(16, dtype=np.float32).reshape(4, 4)
    mirrored = picture[:, ::-1] if label >= 4 else picture
    np.testing.assert_array_equal(hanging.turned(picture, label), np.rot90(mirrored, label % 4))


def test_a_picture_of_which_the_network_is_sure_is_decided_in_service() -> None:
    found = hung(0, 400)
    found.logits[0] = np.roll(found.logits[0], 1) * 2  # surer than all others, and wrong
    found.logits[1] = np.roll(found.logits[1], 1) * 2
    card = blank_card(radiograph_orientation.RECIPE, b"", "1.0.0")
    sure = np.zeros((1, 8), np.float32)
    sure[0, 2] = 60.0
    made = hanging.calibrated(card, found).card
    said = orientation_predictions(Outputs(made, (Subject("1.2", 1),), sure))[0]
    assert said.turn is not None
    assert (said.turn.value, said.turn.abstained) == (2, False)
