"""Letters follow the picture, whatever it was turned by; a tag hangs its picture as it demands."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa_daemon.geometry.cosines import Cosines
from qa_daemon.geometry.letters import EdgeLetters, direction_letters
from qa_daemon.geometry.orientation import (
    CLASS_COSINES,
    PLANE_CLASS_COSINES,
    compose,
    inverse,
    turn_between,
    turned,
)
from qa_daemon.geometry.planes import BodyPlane
from qa_daemon.queue.reviewing.hanging import (
    COMPOSED,
    TURNS,
    VIEW_TURNS,
    hung_as,
    hung_by_class,
    hung_by_cosines,
    hung_by_letters,
    letters_under,
)

CLASSES = st.sampled_from(TURNS)
#: The middle of each edge of a picture of five by five.
EDGES = {"left": (2, 0), "right": (2, 4), "top": (0, 2), "bottom": (4, 2)}


def lettered(stored: tuple[str, str]) -> np.ndarray:
    """Draw the letters of a stored picture into its pixels, so that they turn with them."""
    picture = np.full((5, 5), "", dtype="<U3")
    letters = letters_under(stored, 0)
    for edge, place in EDGES.items():
        picture[place] = getattr(letters, edge)
    return picture


def read(picture: np.ndarray) -> EdgeLetters:
    return EdgeLetters(**{edge: str(picture[place]) for edge, place in EDGES.items()})


@given(stored=CLASSES, turn=CLASSES)
def test_letters_after_any_turn_are_those_that_turned_with_the_pixels(
    stored: int, turn: int
) -> None:
    cosines = CLASS_COSINES[stored]
    letters = direction_letters(cosines.row), direction_letters(cosines.column)
    assert letters_under(letters, turn) == read(turned(lettered(letters), turn))


@given(base=CLASSES, keys=st.lists(st.sampled_from(sorted(VIEW_TURNS)), max_size=12))
def test_any_row_of_view_turns_keeps_letters_and_pixels_together(
    base: int, keys: list[str]
) -> None:
    letters = ("L", "P")
    view, picture = 0, turned(lettered(letters), base)
    for key in keys:
        view = COMPOSED[VIEW_TURNS[key]][view]
        picture = turned(picture, VIEW_TURNS[key])
    assert letters_under(letters, COMPOSED[view][base]) == read(picture)


@pytest.mark.parametrize(("key", "edges"), [
    ("h", EdgeLetters("L", "R", "A", "P")),
    ("v", EdgeLetters("R", "L", "P", "A")),
    ("l", EdgeLetters("A", "P", "L", "R")),
    ("r", EdgeLetters("P", "A", "R", "L")),
])  # fmt: skip
def test_each_key_does_to_the_letters_what_it_says(key: str, edges: EdgeLetters) -> None:
    assert letters_under(("L", "P"), VIEW_TURNS[key]) == edges


@pytest.mark.parametrize("plane", sorted(PLANE_CLASS_COSINES))
@pytest.mark.parametrize("stored", TURNS)
def test_every_class_of_every_plane_hangs_as_class_0(plane: BodyPlane, stored: int) -> None:
    exact = PLANE_CLASS_COSINES[plane]
    hung, upright = hung_by_cosines(exact[stored]), hung_by_cosines(exact[0])
    assert compose(hung.turn, stored) == 0
    assert hung.letters[hung.turn] == upright.letters[0]


@given(tilt=st.floats(-25, 25), stored=CLASSES)
def test_a_tilted_gantry_changes_no_hanging(tilt: float, stored: int) -> None:
    sine, cosine = math.sin(math.radians(tilt)), math.cos(math.radians(tilt))
    exact = CLASS_COSINES[stored]

    def tilted(vector: tuple[float, float, float]) -> tuple[float, float, float]:
        x, y, z = vector
        return x, y * cosine - z * sine, y * sine + z * cosine

    assert hung_by_cosines(Cosines(tilted(exact.row), tilted(exact.column))).turn == inverse(stored)


def test_an_oblique_slice_stays_as_stored_and_has_letters_of_two() -> None:
    half = math.sqrt(0.5)
    hung = hung_by_cosines(Cosines((half, half, 0), (0, 0, -1)))
    assert hung.turn == 0
    assert sorted(hung.letters[0].right) == ["L", "P"]


def test_a_radiograph_hangs_head_up_by_patient_orientation() -> None:
    for directions, turn in ((("L", "F"), 0), (("R", "F"), 4), (("R", "H"), 2)):
        hung = hung_by_letters(directions)
        assert hung.turn == turn
        assert hung.letters[turn] == EdgeLetters("R", "L", "H", "F")


@given(shown=CLASSES, tagged=CLASSES)
def test_whatever_class_a_person_chooses_hangs_with_its_letters_upright(
    shown: int, tagged: int
) -> None:
    cosines = CLASS_COSINES[tagged]
    stored = direction_letters(cosines.row), direction_letters(cosines.column)
    chosen = hung_as(shown, tagged, stored)
    assert chosen.letters[chosen.turn] == EdgeLetters("R", "L", "A", "P")
    assert hung_by_class(shown) == chosen.turn
    if turn_between(shown, tagged) == 0:
        assert chosen == hung_by_cosines(cosines)
