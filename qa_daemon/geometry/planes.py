"""Which body plane a slice shows."""

import math
from enum import StrEnum
from typing import Final

from qa_daemon.geometry.cosines import Vector, length

# Head scans lean up to 25 degrees against the body axes, gantries up to 30 (same bound as the
# axial classes, so that a slice called axial also has a class).
PLANE_COSINE_MIN: Final = math.cos(math.radians(30.0))


class BodyPlane(StrEnum):
    """The labels of target `plane` (contract, section 2)."""

    SAGITTAL = "sagittal"
    CORONAL = "coronal"
    AXIAL = "axial"
    OBLIQUE = "oblique"


_BY_AXIS: Final = (BodyPlane.SAGITTAL, BodyPlane.CORONAL, BodyPlane.AXIAL)


def body_plane(normal: Vector) -> BodyPlane:
    """Return the plane whose axis the normal follows within 30 degrees, else oblique."""
    size = length(normal)
    sizes = [abs(value) for value in normal]
    greatest = max(sizes)
    if size == 0 or greatest / size < PLANE_COSINE_MIN - 1e-9:
        return BodyPlane.OBLIQUE
    return _BY_AXIS[sizes.index(greatest)]
