"""What the inference child makes small for labelled pictures; in the parent, its check.

Only numbers cross, as for `drawing.drawn`: whatever an object does to a decoder stays in the child.
"""

from collections.abc import Mapping
from math import isfinite
from typing import Any, Final

import numpy as np
from attrs import frozen

from qa_daemon.pixels.decode import decode_frame
from qa_daemon.pixels.grayscale import grey_values, pixel_spacing
from qa_daemon.pixels.image import Image
from qa_daemon.pixels.reduced import Reduced, reduced

_VALUE_BYTES: Final = 2
_NUMBERS: Final = ("slope", "intercept", "factor")


@frozen(eq=False)
class Small:
    """One frame, reduced, and the distance of its pixels before that."""

    picture: Reduced
    spacing: tuple[float, float]


def shrink(image: Image, head: Mapping[str, Any]) -> tuple[dict[str, Any], bytes]:
    """Return the measures of a frame that is made small, and its values.

    Raises
    ------
    Undecodable
        If the frame cannot be had.
    """
    number = int(head["frames"][0])
    made = reduced(grey_values(image, decode_frame(image, number)), int(head["side"]))
    told = {
        "shape": list(made.values.shape),
        "slope": made.slope,
        "intercept": made.intercept,
        "factor": made.factor,
        "spacing": list(pixel_spacing(image, number)),
    }
    return told, made.values.astype("<u2").tobytes()


def body_bytes_max(side_max: int) -> int:
    """Return how long the values of a picture of this size may be."""
    return _VALUE_BYTES * side_max**2


def read(told: Mapping[str, Any], body: bytes | bytearray, side_max: int) -> Small:
    """Return the frame of an answer.

    Raises
    ------
    ValueError
        If the measures and the body do not fit each other: the child is not to be believed.
    """
    rows, columns = (int(side) for side in told["shape"])
    if not (0 < rows <= side_max and 0 < columns <= side_max):
        raise ValueError("a picture has no possible size")
    slope, intercept, factor, *spacing = (
        float(each) for each in (*(told[name] for name in _NUMBERS), *told["spacing"])
    )
    if len(spacing) != 2 or not all(map(isfinite, (slope, intercept, factor, *spacing))):
        raise ValueError("a measure is no number")
    values = np.frombuffer(bytes(body), "<u2").reshape(rows, columns).astype(np.uint16)
    return Small(Reduced(values, slope, intercept, factor), (spacing[0], spacing[1]))
