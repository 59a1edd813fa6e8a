"""How one stored picture hangs by a tag, and which letters then stand at its edges. Pure.

Letters come from the tag that a picture stands for and from the turns it was given, never from the
screen. All turns are classes of `geometry.orientation`: T_k.
"""

from typing import Final

from attrs import frozen

from qa_daemon.geometry.cosines import Cosines
from qa_daemon.geometry.letters import EdgeLetters, direction_letters
from qa_daemon.geometry.orientation import compose, expected_class, inverse, turn_between
from qa_daemon.geometry.planes import BodyPlane, body_plane
from qa_daemon.rules.checks.projection.directions import expected_by
from qa_daemon.suggest.radiograph import turned_letters

TURNS: Final = tuple(range(8))
#: `COMPOSED[g][h]`: h first, then g.
COMPOSED: Final = tuple(tuple(compose(g, h) for h in TURNS) for g in TURNS)
#: What the keys of the view do: flip top and bottom, flip left and right, turn right, turn left.
VIEW_TURNS: Final = {"v": 6, "h": 4, "r": 3, "l": 1}
_OPPOSITE: Final = str.maketrans("LRAPHF", "RLPAFH")


@frozen
class Hanging:
    """One stored picture under one reading of its tags.

    Attributes
    ----------
    turn
        What hangs it as that reading demands; 0 where no class is known.
    letters
        By the turn in which it is shown, 0 (as stored) to 7; () where the tags give none.
    """

    turn: int
    letters: tuple[EdgeLetters, ...] = ()

    @property
    def has_letters(self) -> bool:
        """Whether any can be written."""
        return bool(self.letters)


NO_LETTERS: Final = Hanging(0)


def letters_under(stored: tuple[str, str], turn: int) -> EdgeLetters:
    """Return the letters at the edges of T_turn of a picture.

    Parameters
    ----------
    stored
        Directions of growing columns and of growing rows in the stored picture.
    """
    right, bottom = turned_letters(stored, turn)
    return EdgeLetters(
        left=right.translate(_OPPOSITE),
        right=right,
        top=bottom.translate(_OPPOSITE),
        bottom=bottom,
    )


def hung_by_cosines(cosines: Cosines) -> Hanging:
    """Return how Image Orientation (Patient) hangs a picture: A up or head up, R on screen left."""
    plane = body_plane(cosines.normal)
    known = None if plane is BodyPlane.OBLIQUE else expected_class(cosines, plane).value
    stored = direction_letters(cosines.row), direction_letters(cosines.column)
    return _hung(stored, known)


def hung_by_letters(directions: tuple[str, str]) -> Hanging:
    """Return how Patient Orientation hangs a picture: head up, the patient's left on the right."""
    return _hung(directions, expected_by(directions))


def _hung(stored: tuple[str, str], known: int | None) -> Hanging:
    turn = 0 if known is None else inverse(known)
    return Hanging(turn, tuple(letters_under(stored, each) for each in TURNS))


def hung_as(shown: int, tagged: int, stored: tuple[str, str]) -> Hanging:
    """Return how a picture hangs once its tag, of class `tagged`, says that it shows `shown`."""
    directions = turned_letters(stored, turn_between(shown, tagged))
    letters = tuple(letters_under(directions, each) for each in TURNS)
    return Hanging(hung_by_class(shown), letters)


def hung_by_class(orientation: int) -> int:
    """Return the turn under which a picture that shows this class looks as class 0."""
    return inverse(orientation)
