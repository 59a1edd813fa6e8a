"""Which frames of a series a model looks at, and when there is no use in looking.

Frames are counted, never listed: an object may claim two thousand million of them.
"""

from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate
from typing import Final

from attrs import frozen

from qa_daemon.geometry.cosines import Fault, read_cosines
from qa_daemon.geometry.planes import BodyPlane, body_plane
from qa_daemon.pixels.decode import is_decodable
from qa_daemon.records.element import first_text, texts
from qa_daemon.records.instance import Instance, Plane
from qa_daemon.records.prediction import Abstention
from qa_daemon.records.series import Series

#: Modalities whose slices the models of this release know.
MODALITIES: Final = frozenset({"CT", "MR"})
#: Pixels that are no picture of a patient: segmentation, parametric map, dose, waveform-like.
NO_PICTURES: Final = frozenset(
    {
        "1.2.840.10008.5.1.4.1.1.66.4",  # Segmentation
        "1.2.840.10008.5.1.4.1.1.66.7",  # Label Map Segmentation
        "1.2.840.10008.5.1.4.1.1.30",  # Parametric Map
        "1.2.840.10008.5.1.4.1.1.481.2",  # RT Dose
        "1.2.840.10008.5.1.4.1.1.66",  # Raw Data
    }
)
#: Values of Image Type that name a projection for planning (PS3.3 C.8.2.1.1.1 and vendors).
_LOCALISERS: Final = frozenset({"LOCALIZER", "SCOUT", "TOPOGRAM", "SURVIEW", "SCANOGRAM"})
_REWORKED: Final = frozenset({"DERIVED", "SECONDARY"})


@frozen
class Chosen:
    """One frame to be decoded; frames count from 1."""

    sop_instance_uid: str
    frame: int


@frozen
class _Run:
    """Frames of one instance that are of the same kind."""

    instance: Instance
    frames: Sequence[int]
    plane: BodyPlane | None


def choose_frames(series: Series, slices_max: int) -> tuple[Chosen, ...]:
    """Return at most `slices_max` frames, evenly spaced over the stack, in its order.

    Localisers are left out; axial frames are preferred to others, and original pictures to derived
    ones and to secondary captures.
    """
    runs = _preferred(_runs(series))
    ends = list(accumulate(len(run.frames) for run in runs))
    total = ends[-1] if ends else 0
    count = min(total, slices_max)
    chosen = []
    for part in range(count):
        # The middle of each of `count` equal parts: the ends of a stack show least.
        at = (2 * part + 1) * total // (2 * count)
        run = runs[bisect_right(ends, at)]
        before = ends[bisect_right(ends, at)] - len(run.frames)
        chosen.append(Chosen(run.instance.sop_instance_uid, run.frames[at - before]))
    return tuple(chosen)


def whole_series(series: Series, frames_max: int) -> tuple[Chosen, ...]:
    """Return every frame that a model may look at, for `--per-instance`, up to a bound."""
    return choose_frames(series, frames_max)


def why_not(series: Series, target: str) -> Abstention | None:
    """Return why no model can be asked about a series, None if it may be.

    Parameters
    ----------
    target
        As in the contract. Both of this release look at axial slices of CT and MR only.
    """
    if target not in ("axial_orientation", "body_region"):
        return None
    if series.modality not in MODALITIES:
        return Abstention.NOT_APPLICABLE
    if not any(instance.number_of_frames for instance in series.instances):
        return Abstention.NO_PIXELS
    runs = _runs(series)
    if not runs:
        return Abstention.NOT_APPLICABLE
    axial = sum(len(run.frames) for run in runs if _may_be_axial(run, series.modality))
    if 2 * axial <= sum(len(run.frames) for run in runs):
        return Abstention.NOT_AXIAL
    return None


def has_decodable_pixels(instance: Instance) -> bool:
    """Whether the object holds pixels in a transfer syntax that is decoded."""
    return instance.number_of_frames > 0 and is_decodable(instance.transfer_syntax_uid)


def _may_be_axial(run: _Run, modality: str) -> bool:
    # CT without an orientation is nearly always axial; MR is not.
    return run.plane is BodyPlane.AXIAL or (run.plane is None and modality == "CT")


def _runs(series: Series) -> list[_Run]:
    runs = []
    for instance in series.instances:
        if has_decodable_pixels(instance) and _is_picture(instance):
            runs += _runs_of(instance)
    return runs


def _runs_of(instance: Instance) -> list[_Run]:
    frames = range(1, instance.number_of_frames + 1)
    planes = [plane for plane in instance.planes if plane.frame in frames]
    by_plane: dict[BodyPlane | None, list[int]] = {}
    for plane in planes:
        by_plane.setdefault(_body_plane(plane), []).append(plane.frame)
    if not by_plane:
        return [_Run(instance, frames, None)]
    return [_Run(instance, tuple(numbers), plane) for plane, numbers in by_plane.items()]


def _body_plane(plane: Plane) -> BodyPlane | None:
    if plane.orientation is None:
        return None
    cosines = read_cosines(plane.orientation.values)
    return None if isinstance(cosines, Fault) else body_plane(cosines.normal)


def _is_picture(instance: Instance) -> bool:
    kinds = {kind.upper() for kind in texts(instance.elements, "ImageType")}
    return instance.sop_class_uid not in NO_PICTURES and not kinds & _LOCALISERS


def _preferred(runs: Sequence[_Run]) -> Sequence[_Run]:
    axial = [run for run in runs if run.plane is BodyPlane.AXIAL]
    original = [run for run in axial if not _is_reworked(run.instance)]
    return original or axial or runs


def _is_reworked(instance: Instance) -> bool:
    kinds = {kind.upper() for kind in texts(instance.elements, "ImageType")}
    return bool(kinds & _REWORKED) or first_text(instance.elements, "ConversionType") != ""
