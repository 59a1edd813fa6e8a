"""Letters for directions in the patient: L R, A P, H F (PS3.3 C.7.6.1.1.1)."""

from collections.abc import Sequence
from typing import Final

from attrs import frozen

# Components under this are not worth a letter of their own: sin 15 degrees.
LETTER_COMPONENT_MIN: Final = 0.26
_POSITIVE: Final = "LPH"
_NEGATIVE: Final = "RAF"
_OPPOSITE: Final = str.maketrans("LRAPHF", "RLPAFH")


@frozen
class EdgeLetters:
    """The letters at the four edges of a picture as it is stored."""

    left: str
    right: str
    top: str
    bottom: str


def direction_letters(direction: Sequence[float]) -> str:
    """Return up to three letters for a direction in patient axes (LPS), the principal one first.

    Parameters
    ----------
    direction
        Three components, +x left, +y posterior, +z head; need not be of unit length.
    """
    length = sum(component**2 for component in direction) ** 0.5
    parts = sorted(
        ((abs(component) / length, axis) for axis, component in enumerate(direction)), reverse=True
    )
    return "".join(
        (_POSITIVE if direction[axis] > 0 else _NEGATIVE)[axis]
        for part, axis in parts
        if part >= LETTER_COMPONENT_MIN
    )


def edge_letters(row: Sequence[float], column: Sequence[float]) -> EdgeLetters:
    """Return the letters at the edges: `row` points to the right, `column` downwards."""
    right, bottom = direction_letters(row), direction_letters(column)
    return EdgeLetters(
        left=right.translate(_OPPOSITE),
        right=right,
        top=bottom.translate(_OPPOSITE),
        bottom=bottom,
    )
