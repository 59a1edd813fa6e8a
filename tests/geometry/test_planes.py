"""Body planes by the normal."""

import math

import pytest

from qa_daemon.geometry.cosines import Vector
from qa_daemon.geometry.planes import BodyPlane, body_plane


@pytest.mark.parametrize(
    ("normal", "plane"),
    [
        ((0, 0, 1), BodyPlane.AXIAL),
        ((0, 0, -1), BodyPlane.AXIAL),
        ((0, -1, 0), BodyPlane.CORONAL),
        ((-1, 0, 0), BodyPlane.SAGITTAL),
        ((0, math.sin(0.52), math.cos(0.52)), BodyPlane.AXIAL),
        ((0, math.sin(0.53), math.cos(0.53)), BodyPlane.OBLIQUE),
        ((0, 0, 0), BodyPlane.OBLIQUE),
    ],
)
def test_the_normal_names_the_plane(normal: Vector, plane: BodyPlane) -> None:
    assert body_plane(normal) is plane
