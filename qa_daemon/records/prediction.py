"""What a model says about a series or a frame, abstentions included."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from attrs import field, frozen


class Abstention(StrEnum):
    """Why a prediction may not be used (contract, section 2)."""

    LOW_PROBABILITY = "low_probability"
    OUT_OF_DISTRIBUTION = "out_of_distribution"
    NOT_AXIAL = "not_axial"
    NO_PIXELS = "no_pixels"
    NOT_APPLICABLE = "not_applicable"
    MODEL_UNAVAILABLE = "model_unavailable"
    LIMIT = "limit"


#: What can be asked (contract, section 2); one without a model answers `model_unavailable`.
TARGETS: Final = (
    "axial_orientation", "body_part", "body_region", "chest_opacity", "coronal_orientation",
    "image_kind", "image_quality", "laterality", "plane", "radiograph_orientation",
    "sagittal_orientation", "side_marker", "stack_direction", "view",
)  # fmt: skip
#: Targets of several independent labels; all others have exactly one (contract, section 2).
MULTI_LABEL: Final = frozenset(("body_region", "body_part", "image_quality"))
#: Targets of the eight classes, decided in two halves (`orientation_maths`).
ORIENTATIONS: Final = frozenset(
    (
        "axial_orientation",
        "sagittal_orientation",
        "coronal_orientation",
        "radiograph_orientation",
    )
)


@frozen
class Part:
    """One of the two questions of an orientation: the quarter turn, or the mirror."""

    value: int | bool
    probability: float
    abstained: bool


@frozen
class Box:
    """Where something lies in a frame: columns and rows, (0, 0) the corner of the first pixel.

    As PIXEL coordinates of PS3.3 C.10.5: the first pixel ends at (1, 1).
    """

    left: float
    top: float
    right: float
    bottom: float


@frozen
class Prediction:
    """The answer of one model about one subject.

    Attributes
    ----------
    target
        What was asked, such as `axial_orientation`.
    sop_instance_uid, frame
        The subject; both None for the series as a whole. Frames count from 1.
    label
        The most probable label, also when abstained; None only if nothing was computed.
    labels
        For multi-label targets those accepted, best first; None for single-label targets.
    probabilities
        Calibrated. Single-label: all labels, sum 1. Multi-label: independent.
    widespread
        Multi-label targets, of a series: from which probability on a quarter of its frames show
        each label. A label may be accepted that few frames show.
    model
        `id@version`, "" where no model could be asked.
    turn, mirror
        Of the orientations only.
    box, mirrored
        `side_marker` only: where the marker lies, and whether its writing is mirrored, None where
        that was not decided. Of a series: those of its surest frame.
    """

    target: str
    model: str
    label: str | None = None
    probability: float | None = None
    abstained: bool = True
    reason: Abstention | None = None
    probabilities: Mapping[str, float] = field(factory=dict)
    labels: tuple[str, ...] | None = None
    widespread: Mapping[str, float] = field(factory=dict)
    sop_instance_uid: str | None = None
    frame: int | None = None
    turn: Part | None = None
    mirror: Part | None = None
    box: Box | None = None
    mirrored: bool | None = None
