"""Where in the body a picture lies, for the little figure beside it. Pure.

The figure faces the viewer, so its right is on the left. Heights are those of its drawing, 0 at the
top to 88.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from attrs import frozen

from qa_daemon.records.element import first_text
from qa_daemon.records.inference import Inference
from qa_daemon.records.series import Series

WIDTH: Final = 44
#: From where to where each region reaches.
_SPANS: Final[Mapping[str, tuple[float, float]]] = {
    "HEAD": (10, 21),
    "NECK": (21, 26),
    "CHEST": (26, 37),
    "ABDOMEN": (37, 47),
    "PELVIS": (47, 54),
    "LOWERLIMB": (54, 77),
}
#: Middle (on the patient's right where there are two), half width, half height.
_PARTS: Final[Mapping[str, tuple[float, float, float, float]]] = {
    "SKULL": (22, 16, 6, 6), "HEAD": (22, 16, 6, 6), "SINUS": (22, 17, 4, 3),
    "CSPINE": (22, 23, 3, 4), "NECK": (22, 23, 4, 4), "CHEST": (22, 31, 7, 6),
    "TSPINE": (22, 32, 3, 7), "ABDOMEN": (22, 42, 7, 6), "LSPINE": (22, 43, 3, 6),
    "PELVIS": (22, 50, 7, 5), "CLAVICLE": (18, 25, 4, 2.5), "SHOULDER": (14, 26, 4, 4),
    "UPPERARM": (12, 33, 3, 6), "ELBOW": (11, 38, 3, 3), "FOREARM": (10, 43, 3, 5),
    "WRIST": (9, 47, 3, 3), "HAND": (9, 49, 3.5, 4), "FINGER": (9, 51, 3, 3),
    "HIP": (17, 51, 4, 4), "THIGH": (18, 58, 4, 6), "KNEE": (17, 64, 3.5, 3.5),
    "LOWERLEG": (17, 70, 3.5, 6), "ANKLE": (17, 76, 3, 3), "FOOT": (16, 78, 4, 3),
    "LOWERLIMB": (18, 64, 5, 13),
}  # fmt: skip
_UNPAIRED: Final = frozenset(
    {"SKULL", "HEAD", "SINUS", "CSPINE", "NECK", "CHEST", "TSPINE", "ABDOMEN", "LSPINE", "PELVIS"}
)


@frozen
class Spot:
    """A part of the body in the figure: middle and half axes."""

    x: float
    y: float
    width: float
    height: float


@frozen
class Figure:
    """What the figure marks: a slice's level, or the part that a radiograph shows.

    Attributes
    ----------
    parts
        Their terms, for the words beside the figure.
    """

    level: float | None = None
    spots: tuple[Spot, ...] = ()
    parts: tuple[str, ...] = ()


def figure(series: Series, inference: Inference, height: float) -> Figure:
    """Return the figure of one picture.

    Parameters
    ----------
    height
        Where the slice stands in its stack, 0 the end at the feet, 1 at the head.
    """
    region = inference.of("body_region")
    if region is not None and not region.abstained and region.labels:
        spans = [_SPANS[each] for each in region.labels if each in _SPANS]
        if spans:
            top, bottom = min(each[0] for each in spans), max(each[1] for each in spans)
            return Figure(level=bottom - (bottom - top) * height, parts=region.labels)
    return _of_part(series, inference)


def _of_part(series: Series, inference: Inference) -> Figure:
    part = inference.of("body_part")
    terms: Sequence[str] = ()
    if part is not None and not part.abstained and part.labels:
        terms = part.labels
    tagged = first_text(series.shared, "BodyPartExamined")
    known = [each for each in (terms or (tagged,)) if each in _PARTS]
    side = first_text(series.shared, "ImageLaterality") or first_text(series.shared, "Laterality")
    spots = tuple(spot for term in known for spot in _spots(term, side))
    return Figure(spots=spots, parts=tuple(known))


def _spots(term: str, side: str) -> tuple[Spot, ...]:
    x, y, width, height = _PARTS[term]
    right, left = Spot(x, y, width, height), Spot(WIDTH - x, y, width, height)
    if term in _UNPAIRED:
        return (right,)
    return {"R": (right,), "L": (left,)}.get(side, (right, left))
