"""The six direction cosines of Image Orientation (Patient) (PS3.3 C.7.6.2.1.1), read and checked.

Axes: +x to the patient's left, +y to posterior, +z to the head.
"""

import math
from typing import Final, TypeAlias

from attrs import frozen

from qa_daemon.geometry.decimals import decimals

Vector: TypeAlias = tuple[float, float, float]

# The standard asks for "unity" and "zero" and gives no tolerance. Three decimals, the coarsest that
# devices write, are off by up to sqrt(3) * 5e-4; over a field of 500 mm that is half a millimetre.
COSINE_TOLERANCE: Final = 1e-3

#: What this program writes holds to this.
WRITTEN_TOLERANCE: Final = 1e-4

# Cosines of slices that count as the same. Rounding to three decimals moves a direction by at most
# 0.05 degrees; a foreign slice differs by far more. cos(1 degree):
SAME_DIRECTION_COSINE: Final = math.cos(math.radians(1.0))


@frozen
class Fault:
    """What is wrong with a value; `kind` is a permanent name, the message quotes no value."""

    kind: str
    message: str


@frozen
class Cosines:
    """Direction of a row (growing column index) and of a column (growing row index)."""

    row: Vector
    column: Vector

    @property
    def normal(self) -> Vector:
        """Row x column, of unit length if the two are orthonormal."""
        return cross(self.row, self.column)

    @property
    def values(self) -> tuple[float, ...]:
        """The six numbers in the order of the attribute."""
        return (*self.row, *self.column)


def dot(a: Vector, b: Vector) -> float:
    """Return the scalar product."""
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


def cross(a: Vector, b: Vector) -> Vector:
    """Return the vector product, right-handed."""
    return (
        a[1] * b[2] - a[2] * b[1],
        a[2] * b[0] - a[0] * b[2],
        a[0] * b[1] - a[1] * b[0],
    )


def length(a: Vector) -> float:
    """Return the Euclidean length."""
    return math.hypot(*a)


def scaled(a: Vector, factor: float) -> Vector:
    """Return `a` times a number."""
    return (a[0] * factor, a[1] * factor, a[2] * factor)


def added(*vectors: Vector) -> Vector:
    """Return the sum."""
    return (
        math.fsum(v[0] for v in vectors),
        math.fsum(v[1] for v in vectors),
        math.fsum(v[2] for v in vectors),
    )


def read_cosines(texts: tuple[str, ...]) -> Cosines | Fault:
    """Return the cosines that six decimal strings write, or what is wrong with them.

    Directions of length zero are a fault here; whether the two are unit and orthogonal is asked
    of `orthonormality_fault`, so that a slightly wrong tag can still be compared with pixels.
    """
    if not any(text.strip(" ") for text in texts) and len(texts) <= 1:
        return Fault("iop-missing", "Image Orientation (Patient) is empty; it needs six numbers")
    if len(texts) != 6:
        return Fault(
            "iop-invalid", f"Image Orientation (Patient) has {len(texts)} values; it needs six"
        )
    values = decimals(texts)
    if values is None:
        return Fault(
            "iop-invalid", "Image Orientation (Patient) holds something that is no decimal number"
        )
    cosines = Cosines((values[0], values[1], values[2]), (values[3], values[4], values[5]))
    if not any(cosines.row) or not any(cosines.column):
        return Fault("iop-invalid", "Image Orientation (Patient) has a direction of length zero")
    return cosines


def orthonormality_fault(cosines: Cosines, tolerance: float = COSINE_TOLERANCE) -> Fault | None:
    """Return what keeps the two directions from being unit and orthogonal, None if nothing does."""
    wrong = []
    if abs(length(cosines.row) - 1) > tolerance:
        wrong.append("the row direction is not of unit length")
    if abs(length(cosines.column) - 1) > tolerance:
        wrong.append("the column direction is not of unit length")
    if abs(dot(cosines.row, cosines.column)) > tolerance:
        wrong.append("row and column are not at right angles")
    if not wrong:
        return None
    return Fault("iop-not-orthonormal", f"Image Orientation (Patient): {'; '.join(wrong)}")


def orthonormal(cosines: Cosines) -> Cosines | None:
    """Return the nearest cosines that keep the row's direction; None if the two are parallel.

    Nor is there anything to keep of a row shorter than the tolerance: it points by rounding only.
    """
    row_length = length(cosines.row)
    if row_length < COSINE_TOLERANCE:
        return None
    row = scaled(cosines.row, 1 / row_length)
    column = added(cosines.column, scaled(row, -dot(row, cosines.column)))
    column_length = length(column)
    if column_length < COSINE_TOLERANCE:
        return None
    return Cosines(row, scaled(column, 1 / column_length))


def are_alike(a: Cosines, b: Cosines) -> bool:
    """Whether rows and columns of two slices point the same way, within 1 degree."""
    return _is_same_direction(a.row, b.row) and _is_same_direction(a.column, b.column)


def _is_same_direction(a: Vector, b: Vector) -> bool:
    return dot(a, b) >= SAME_DIRECTION_COSINE * length(a) * length(b)
