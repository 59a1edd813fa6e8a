"""Which frames of a series a model looks at, and when there is no use in looking.

Frames are counted, never listed: an object may claim two thousand million of them.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Mapping, Sequence
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

#: Modalities of slices, and of projections without contrast medium onto a flat detector. Others
#: (RF, XA, MG, PX, IO and so on) are asked about only where the card of a model names them.
SLICES: Final = frozenset({"CT", "MR"})
RADIOGRAPHS: Final = frozenset({"CR", "DX", "RG"})
#: Targets about slices of one plane, and about slices of any plane that the model knows.
PLANE_OF: Final[Mapping[str, BodyPlane]] = {
    "axial_orientation": BodyPlane.AXIAL,
    "coronal_orientation": BodyPlane.CORONAL,
    "sagittal_orientation": BodyPlane.SAGITTAL,
    "stack_direction": BodyPlane.AXIAL,
}
ANY_PLANE: Final = frozenset({"body_region", "plane"})
#: Targets about whatever picture the model knows.
ANY_PICTURE: Final = frozenset({"image_kind"})
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
#: A slice of fewer rows or columns is out of what the models know: drawn up to their input, one of
#: 16 to 32 pixels got sure and wrong regions.
SLICE_SIDE_MIN: Final = 48
#: Values of Image Type that name a projection for planning (PS3.3 C.8.2.1.1.1 and vendors).
_LOCALISERS: Final = frozenset({"LOCALIZER", "SCOUT", "TOPOGRAM", "SURVIEW", "SCANOGRAM"})
_REWORKED: Final = frozenset({"DERIVED", "SECONDARY"})


@frozen
class Chosen:
    """One frame to be decoded; frames count from 1."""

    sop_instance_uid: str
    frame: int


@frozen
class Known:
    """What the models of a target know.

    Attributes
    ----------
    modalities
        None where there is no model: those that the target is about.
    planes
        Of slices (`geometry.planes`), as the card says; None where there is no model.
    """

    target: str
    modalities: frozenset[str] | None = None
    planes: frozenset[str] | None = None

    def knows(self, modality: str) -> bool:
        """Whether pictures of a modality are asked about."""
        if self.modalities is not None:
            return modality in self.modalities
        if self.target in ANY_PICTURE:
            return modality in SLICES | RADIOGRAPHS
        return modality in (SLICES if self.is_about_slices else RADIOGRAPHS)

    @property
    def is_about_slices(self) -> bool:
        """Whether the plane of a picture counts."""
        return self.target in PLANE_OF or self.target in ANY_PLANE

    @property
    def wanted(self) -> frozenset[str] | None:
        """The planes that are looked at, None where it does not count."""
        if not self.is_about_slices:
            return None
        if self.target in PLANE_OF:
            return frozenset({PLANE_OF[self.target]})
        if self.planes is None:
            return frozenset({BodyPlane.AXIAL})
        # Who knows every plane needs no tag that names one.
        return None if self.planes.issuperset(BodyPlane) else self.planes


@frozen
class _Run:
    """Frames of one instance that are of the same kind."""

    instance: Instance
    frames: Sequence[int]
    plane: BodyPlane | None


def choose_frames(
    series: Series, slices_max: int, planes: frozenset[str] | None = None
) -> tuple[Chosen, ...]:
    """Return at most `slices_max` frames, evenly spaced over the stack, in its order.

    Localisers and slices below `SLICE_SIDE_MIN` are left out; frames of the plane that most have
    are preferred to others, and original pictures to derived ones and to secondary captures.

    Parameters
    ----------
    planes
        Those that may be looked at; None where every picture may.
    """
    runs = _preferred(_large(_runs(series), series.modality), series.modality, planes)
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


def why_not(series: Series, known: Known) -> Abstention | None:
    """Return why no model can be asked about a series, None if it may be."""
    if not known.knows(series.modality):
        return Abstention.NOT_APPLICABLE
    if not any(instance.number_of_frames for instance in series.instances):
        return Abstention.NO_PIXELS
    runs, planes = _runs(series), known.wanted
    if not runs:
        return Abstention.NOT_APPLICABLE
    if known.target in ANY_PLANE and all(_is_tiny(run.instance) for run in runs):
        return Abstention.OUT_OF_DISTRIBUTION
    return None if planes is None else _why_no_plane(runs, series.modality, planes)


def _why_no_plane(runs: Sequence[_Run], modality: str, planes: frozenset[str]) -> Abstention | None:
    """Return why too few frames lie in one of the planes, None if enough do."""
    fit = sum(len(run.frames) for run in runs if _plane(run, modality) in planes)
    if 2 * fit > sum(len(run.frames) for run in runs):
        return None
    is_axial = planes == {BodyPlane.AXIAL}
    return Abstention.NOT_AXIAL if is_axial else Abstention.NOT_APPLICABLE


def has_decodable_pixels(instance: Instance) -> bool:
    """Whether the object holds pixels in a transfer syntax that is decoded."""
    return instance.number_of_frames > 0 and is_decodable(instance.transfer_syntax_uid)


def _plane(run: _Run, modality: str) -> BodyPlane | None:
    # CT without an orientation is nearly always axial; MR is not.
    return BodyPlane.AXIAL if run.plane is None and modality == "CT" else run.plane


def _runs(series: Series) -> list[_Run]:
    runs = []
    for instance in series.instances:
        if has_decodable_pixels(instance) and _is_picture(instance):
            runs += _runs_of(instance)
    return runs


def _large(runs: Sequence[_Run], modality: str) -> Sequence[_Run]:
    """Return the runs that are not too small to show anatomy; all if there is no other."""
    if modality not in SLICES:
        return runs
    return [run for run in runs if not _is_tiny(run.instance)] or runs


def _is_tiny(instance: Instance) -> bool:
    sides = [first_text(instance.elements, keyword) for keyword in ("Rows", "Columns")]
    return any(side.isdecimal() and int(side) < SLICE_SIDE_MIN for side in sides)


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


def _preferred(
    runs: Sequence[_Run], modality: str, planes: frozenset[str] | None
) -> Sequence[_Run]:
    if planes is not None:
        counts = Counter[BodyPlane]()
        for run in runs:
            plane = _plane(run, modality)
            if plane is not None and plane in planes:
                counts[plane] += len(run.frames)
        if counts:
            usual = max(counts, key=lambda plane: (counts[plane], plane is BodyPlane.AXIAL))
            # A frame without a plane counts as axial, but one that has it is preferred.
            of_plane = [run for run in runs if run.plane is usual]
            runs = of_plane or [run for run in runs if _plane(run, modality) is usual]
    original = [run for run in runs if not _is_reworked(run.instance)]
    return original or runs


def _is_reworked(instance: Instance) -> bool:
    kinds = {kind.upper() for kind in texts(instance.elements, "ImageType")}
    return bool(kinds & _REWORKED) or first_text(instance.elements, "ConversionType") != ""
