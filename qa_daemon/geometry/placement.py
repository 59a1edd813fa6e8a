"""Where a slice lies: the equation of the plane, and its correction under each hypothesis.

P(r, c) = S + X dc c + Y dr r, with r and c from 0 (PS3.3 C.7.6.2.1.1, equation C.7.6.2.1-1).
"""

from typing import Final

from attrs import evolve, frozen

from qa_daemon.geometry.cosines import Cosines, Fault, Vector, added, scaled
from qa_daemon.geometry.decimals import decimals
from qa_daemon.geometry.orientation import frame_turn, frame_turned

# No scanner's coordinates reach this far; tables travel about 2 m and count from odd origins.
POSITION_MM_MAX: Final = 10_000.0


@frozen
class Placement:
    """A slice in space.

    Attributes
    ----------
    position
        Centre of the first voxel, mm.
    row_spacing_mm, column_spacing_mm
        Between rows, between columns: the two values of Pixel Spacing in their order.
    rows, columns
        Size of the stored array.
    """

    cosines: Cosines
    position: Vector
    row_spacing_mm: float
    column_spacing_mm: float
    rows: int
    columns: int

    def point(self, row: float, column: float) -> Vector:
        """Return P(row, column) in mm."""
        return added(
            self.position,
            scaled(self.cosines.row, self.column_spacing_mm * column),
            scaled(self.cosines.column, self.row_spacing_mm * row),
        )

    @property
    def centre(self) -> Vector:
        """Centre of the field, mm."""
        return self.point((self.rows - 1) / 2, (self.columns - 1) / 2)

    @property
    def field_mm(self) -> tuple[float, float]:
        """Width along a row and height along a column."""
        return self.columns * self.column_spacing_mm, self.rows * self.row_spacing_mm


def read_position(texts: tuple[str, ...]) -> Vector | Fault:
    """Return Image Position (Patient), or what is wrong with it."""
    if not any(text.strip(" ") for text in texts) and len(texts) <= 1:
        return Fault("ipp-missing", "Image Position (Patient) is empty; it needs three numbers")
    values = decimals(texts)
    if values is None or len(values) != 3:
        return Fault("ipp-invalid", "Image Position (Patient) is not three decimal numbers")
    if max(abs(value) for value in values) > POSITION_MM_MAX:
        return Fault("ipp-implausible", "Image Position (Patient) lies more than 10 m away")
    return (values[0], values[1], values[2])


def read_spacing(texts: tuple[str, ...]) -> tuple[float, float] | Fault:
    """Return Pixel Spacing, between rows and between columns, or what is wrong with it."""
    if not any(text.strip(" ") for text in texts) and len(texts) <= 1:
        return Fault("pixel-spacing-missing", "Pixel Spacing is empty; it needs two numbers")
    values = decimals(texts)
    if values is None or len(values) != 2 or min(values) <= 0:
        return Fault("pixel-spacing-invalid", "Pixel Spacing is not two numbers above zero")
    return (values[0], values[1])


# X' and Y' by the old X and Y, then how many whole columns and rows S' lies away from S.
_H2: Final[tuple[tuple[Vector, Vector], ...]] = (
    ((1, 0, 0), (0, 1, 0)),
    ((0, 1, 1), (-1, 0, 0)),
    ((-1, 0, 1), (0, -1, 1)),
    ((0, -1, 0), (1, 0, 1)),
    ((-1, 0, 1), (0, 1, 0)),
    ((0, 1, 0), (1, 0, 0)),
    ((1, 0, 0), (0, -1, 1)),
    ((0, -1, 1), (-1, 0, 1)),
)


def turned_cosines(cosines: Cosines, d: int) -> Cosines:
    """Return X' and Y' of an array that was turned by T_d (hypotheses H1a and H2)."""
    (a, b, _), (c, e, _) = _H2[d]
    x, y = cosines.row, cosines.column
    return Cosines(added(scaled(x, a), scaled(y, b)), added(scaled(x, c), scaled(y, e)))


def pixels_turned(placement: Placement, d: int) -> Placement:
    """Return where the array T_d(I) lies, if I lay at `placement` (H2).

    `placement` speaks of the old array; for odd d the new one has its rows and columns exchanged.
    Every voxel keeps its place in the patient.
    """
    (_, _, columns_away), (_, _, rows_away) = _H2[d]
    moved = evolve(
        placement,
        cosines=turned_cosines(placement.cosines, d),
        position=placement.point(
            rows_away * (placement.rows - 1), columns_away * (placement.columns - 1)
        ),
    )
    if d % 2 == 0:
        return moved
    return evolve(
        moved,
        row_spacing_mm=placement.column_spacing_mm,
        column_spacing_mm=placement.row_spacing_mm,
        rows=placement.columns,
        columns=placement.rows,
    )


def frame_replaced(
    cosines: Cosines, position: Vector | None, d: int, expected: int
) -> tuple[Cosines, Vector | None]:
    """Return cosines and position in the frame that holds if a wrong one was entered (H1b).

    All coordinates turn about the isocentre. Where z counts from an origin on the table, only its
    direction is certain afterwards, not its value.
    """
    turn = frame_turn(d, expected)
    return (
        Cosines(frame_turned(turn, cosines.row), frame_turned(turn, cosines.column)),
        None if position is None else frame_turned(turn, position),
    )
