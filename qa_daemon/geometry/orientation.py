"""The eight classes of each plane: their algebra, the class that a tag promises, turning arrays.

T_k for k = 0 to 3 turns the picture by k quarter turns counter-clockwise; T_4+k mirrors left-right
first, then turns. A class is the number of the T that makes it from class 0 of its plane. What
screen right / screen down is (L left, R right, A anterior, P posterior, H head, F foot), with the
IOP of an exact slice (`PLANE_CLASS_COSINES`):

    class  axial                 sagittal              coronal
    0      L / P  1 0 0  0 1 0   P / F  0 1 0  0 0 -1  L / F  1 0 0  0 0 -1
    1      P / R  0 1 0 -1 0 0   F / A  0 0 -1 0 -1 0  F / R  0 0 -1 -1 0 0
    2      R / A -1 0 0  0 -1 0  A / H  0 -1 0 0 0 1   R / H  -1 0 0 0 0 1
    3      A / L  0 -1 0 1 0 0   H / P  0 0 1  0 1 0   H / L  0 0 1  1 0 0
    4      R / P -1 0 0  0 1 0   A / F  0 -1 0 0 0 -1  R / F  -1 0 0 0 0 -1
    5      P / L  0 1 0  1 0 0   F / P  0 0 -1 0 1 0   F / L  0 0 -1 1 0 0
    6      L / A  1 0 0  0 -1 0  P / H  0 1 0  0 0 1   L / H  1 0 0  0 0 1
    7      A / R  0 -1 0 -1 0 0  H / A  0 0 1  0 -1 0  H / R  0 0 1  -1 0 0

So class 0 shows: axial, the spine at the bottom and the patient's left on screen right; sagittal,
the head up and the face to screen left; coronal, the head up and the patient's left on screen
right. A mirrored sagittal picture faces right, which any slice with a front and a back shows; in a
mirrored coronal one the sides are exchanged, which only liver, stomach, spleen or heart show.
"""

import math
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from qa_daemon.geometry.cosines import Cosines, Vector, dot, length
from qa_daemon.geometry.planes import BodyPlane
from qa_daemon.records.finding import Display
from qa_daemon.records.prediction import Abstention

#: Direction of row and column in an exact axial slice of each class.
CLASS_COSINES: Final = (
    Cosines((1, 0, 0), (0, 1, 0)),
    Cosines((0, 1, 0), (-1, 0, 0)),
    Cosines((-1, 0, 0), (0, -1, 0)),
    Cosines((0, -1, 0), (1, 0, 0)),
    Cosines((-1, 0, 0), (0, 1, 0)),
    Cosines((0, 1, 0), (1, 0, 0)),
    Cosines((1, 0, 0), (0, -1, 0)),
    Cosines((0, -1, 0), (-1, 0, 0)),
)


def _classes(row: Vector, column: Vector) -> tuple[Cosines, ...]:
    """Return row and column directions of the eight classes of a plane from those of class 0."""

    def back(axis: Vector) -> Vector:
        return (0.0 - axis[0], 0.0 - axis[1], 0.0 - axis[2])

    pairs = []
    for right, down in ((row, column), (back(row), column)):
        pairs += [
            Cosines(right, down),
            Cosines(down, back(right)),
            Cosines(back(right), back(down)),
            Cosines(back(down), right),
        ]
    return tuple(pairs)


#: The same for every plane that has classes.
PLANE_CLASS_COSINES: Final[Mapping[BodyPlane, tuple[Cosines, ...]]] = {
    BodyPlane.AXIAL: CLASS_COSINES,
    BodyPlane.SAGITTAL: _classes((0, 1, 0), (0, 0, -1)),
    BodyPlane.CORONAL: _classes((1, 0, 0), (0, 0, -1)),
}
#: Which patient axis the normal of an exact slice follows.
_AXIS: Final = {BodyPlane.SAGITTAL: 0, BodyPlane.CORONAL: 1, BodyPlane.AXIAL: 2}

#: Patient Position that shows each class where the scanner draws gravity downwards. Many do not:
#: never derive a class from Patient Position.
CLASS_PATIENT_POSITIONS: Final = ("HFS", "HFDR", "HFP", "HFDL", "FFS", "FFDL", "FFP", "FFDR")

#: Side of the picture on which what lay at the bottom in class 0 lies in each class.
CLASS_BOTTOM_SIDES: Final = ("bottom", "right", "top", "left", "bottom", "right", "top", "left")

# A normal further than this from the body axis is no slice of the plane (gantries tilt up to 30
# degrees, heads are scanned up to 25 degrees askew).
NORMAL_COSINE_MIN: Final = math.cos(math.radians(30.0))

# Dot products with the class table: at 45 degrees inside the plane two classes tie, at 35 degrees
# they differ by this.
CLASS_MARGIN_MIN: Final = 0.5

# 30 degrees written with three decimals must not fall outside by rounding.
_ROUNDING: Final = 1e-9


@frozen
class ExpectedClass:
    """The class that a tag promises.

    Attributes
    ----------
    value
        0 to 7; None if the tag does not decide.
    why_not
        `not_axial` (`not_applicable` in other planes), or `low_probability` where two classes are
        about as near; None if decided.
    margin
        Dot product of the nearest class less that of the second, at most 2.
    """

    value: int | None
    why_not: Abstention | None
    margin: float


def compose(g: int, h: int) -> int:
    """Return the class of T_g T_h: h is done first."""
    a, s = g % 4, g // 4
    b, t = h % 4, h // 4
    return ((a - b) if s else (a + b)) % 4 + 4 * (s ^ t)


def inverse(g: int) -> int:
    """Return the class that undoes g."""
    return (-g) % 4 if g < 4 else g


def turn_between(predicted: int, expected: int) -> int:
    """Return d with predicted = d * expected: 0 agrees, below 4 a turn, from 4 on mirrored."""
    return compose(predicted, inverse(expected))


def keeping_mirror(turn: int, expected: int) -> int:
    """Return the class with this quarter turn that is mirrored exactly if `expected` is.

    For pictures whose anatomy shows the turn but not the side (heads, necks, limbs).
    """
    return turn % 4 + 4 * (expected // 4)


def expected_class(cosines: Cosines, plane: BodyPlane = BodyPlane.AXIAL) -> ExpectedClass:
    """Return the class of a plane that the six cosines promise, or why they promise none.

    Raises
    ------
    KeyError
        If the plane is oblique: it has no classes.
    """
    normal = cosines.normal
    size = length(normal)
    if size == 0 or abs(normal[_AXIS[plane]]) / size < NORMAL_COSINE_MIN - _ROUNDING:
        is_axial = plane is BodyPlane.AXIAL
        return ExpectedClass(
            None, Abstention.NOT_AXIAL if is_axial else Abstention.NOT_APPLICABLE, 0.0
        )
    products = [
        dot(cosines.row, exact.row) + dot(cosines.column, exact.column)
        for exact in PLANE_CLASS_COSINES[plane]
    ]
    second, best = sorted(products)[-2:]
    if best - second < CLASS_MARGIN_MIN:
        return ExpectedClass(None, Abstention.LOW_PROBABILITY, best - second)
    return ExpectedClass(products.index(best), None, best - second)


def turned(array: NDArray[Any], g: int) -> NDArray[Any]:
    """Return T_g of an array whose first two axes are rows and columns; a view."""
    if g >= 4:
        array = np.fliplr(array)
    return np.rot90(array, g % 4)


def display(g: int) -> Display:
    """Return T_g as a presentation state says it: rotation clockwise first, then flip.

    PS3.3 C.10.6: Image Rotation (0070,0042), Image Horizontal Flip (0070,0041).
    """
    if g < 4:
        return Display(image_rotation=-90 * g % 360, image_horizontal_flip="N")
    return Display(image_rotation=90 * (g - 4), image_horizontal_flip="Y")


def _basis(g: int) -> tuple[Vector, Vector, Vector]:
    exact = CLASS_COSINES[g]
    return (exact.row, exact.column, exact.normal)


def frame_turn(d: int, expected: int) -> tuple[Vector, Vector, Vector]:
    """Return Q of hypothesis H1b, three rows: true patient axes from those that the tag assumed.

    A proper rotation about the isocentre: [X2 Y2 N2][X1 Y1 N1]^T with the class table's rows of
    `expected` (1) and d * `expected` (2).
    """
    before, after = _basis(expected), _basis(compose(d, expected))

    def entry(i: int, j: int) -> float:
        return sum(after[k][i] * before[k][j] for k in range(3))

    x, y, z = ((entry(i, 0), entry(i, 1), entry(i, 2)) for i in range(3))
    return x, y, z


def frame_turned(turn: tuple[Vector, Vector, Vector], vector: Vector) -> Vector:
    """Return Q applied to a vector."""
    return (dot(turn[0], vector), dot(turn[1], vector), dot(turn[2], vector))


def patient_position_turned(patient_position: str, d: int, expected: int) -> str | None:
    """Return the Patient Position that holds if the patient frame was entered wrongly (H1b).

    None for terms other than the eight of a recumbent patient.
    """
    if patient_position not in CLASS_PATIENT_POSITIONS:
        return None
    turn = frame_turn(d, expected)
    entered = CLASS_COSINES[CLASS_PATIENT_POSITIONS.index(patient_position)]
    true = Cosines(frame_turned(turn, entered.row), frame_turned(turn, entered.column))
    return CLASS_PATIENT_POSITIONS[CLASS_COSINES.index(true)]
