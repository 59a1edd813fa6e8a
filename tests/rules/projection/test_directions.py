"""Letters, classes and turns of radiographs are one algebra."""

import pytest

from qa_daemon.geometry.orientation import compose
from qa_daemon.rules.checks.projection.directions import class_letters, expected_by
from qa_daemon.suggest.radiograph import turned_letters


@pytest.mark.parametrize("orientation", range(8))
def test_every_class_is_read_back_from_its_letters(orientation: int) -> None:
    assert expected_by(class_letters(orientation)) == orientation


def test_a_frontal_chest_runs_to_the_left_and_to_the_feet() -> None:
    assert class_letters(0) == ("L", "F")
    assert class_letters(4) == ("R", "F")


@pytest.mark.parametrize("turn", range(8))
@pytest.mark.parametrize("orientation", range(8))
def test_turning_letters_is_turning_classes(turn: int, orientation: int) -> None:
    turned = turned_letters(class_letters(orientation), turn)
    assert turned == class_letters(compose(turn, orientation))


@pytest.mark.parametrize(
    ("letters", "turn"), [(("A", "F"), 0), (("F", "A"), 1), (("P", "H"), 2), (("H", "P"), 3)]
)
def test_a_lateral_picture_has_a_turn_and_no_mirror(letters: tuple[str, str], turn: int) -> None:
    assert expected_by(letters) == turn


def test_a_picture_across_the_body_has_no_class() -> None:
    assert expected_by(("L", "P")) is None
