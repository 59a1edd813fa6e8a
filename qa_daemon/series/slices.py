"""From instances to slices in space: the texts of planes read, faulty ones left out.

What is wrong with the texts is told by the readers in `geometry`; here an image without a usable
plane is simply no slice.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from functools import cache
from typing import Final

from attrs import frozen

from qa_daemon.geometry.cosines import Cosines, Fault, Vector, read_cosines
from qa_daemon.geometry.decimals import decimal
from qa_daemon.geometry.placement import Placement, read_position, read_spacing
from qa_daemon.geometry.stack import Slice
from qa_daemon.records.element import Elements, first_text
from qa_daemon.records.instance import Instance, Located, Plane

#: Elements by which images of one place legitimately differ: echoes, times, b-values, energies,
#: phases, parts of complex images, other reconstructions. All are standard attributes of CT, MR
#: and PET images, and read (`dicom.elements`); what a vendor keeps in private elements shows in
#: Acquisition Number or time.
VARIANT_KEYWORDS: Final = (
    "EchoNumbers",
    "EchoTime",
    "InversionTime",
    "RepetitionTime",
    "FlipAngle",
    "TriggerTime",
    "TemporalPositionIdentifier",
    "TemporalPositionIndex",
    "AcquisitionNumber",
    "AcquisitionTime",
    "AcquisitionDateTime",
    "FrameReferenceTime",
    "ImageType",
    "ComplexImageComponent",
    "DiffusionBValue",
    "DiffusionGradientOrientation",
    "KVP",
    "ConvolutionKernel",
    "SliceThickness",
    "ReconstructionDiameter",
    "NominalPercentageOfCardiacPhase",
    "ContrastBolusAgent",
    "SeriesDescription",
    "Rows",
    "Columns",
    "PixelSpacing",
)


@frozen
class PlacedFrame:
    """A frame with the place that its texts write.

    Attributes
    ----------
    position
        None if absent or unusable.
    spacing_mm
        Between rows, between columns; None if absent or unusable.
    """

    instance: Instance
    plane: Plane
    cosines: Cosines
    position: Vector | None
    spacing_mm: tuple[float, float] | None

    @property
    def placement(self) -> Placement | None:
        """The whole plane as tagged; None if a part of it is missing."""
        size = array_size(self.instance.elements)
        if self.position is None or self.spacing_mm is None or size is None:
            return None
        return Placement(self.cosines, self.position, *self.spacing_mm, *size)


def array_size(elements: Elements) -> tuple[int, int] | None:
    """Return Rows and Columns, None if one is missing or not above zero."""
    rows, columns = whole(elements, "Rows"), whole(elements, "Columns")
    if not rows or not columns or rows < 0 or columns < 0:
        return None
    return rows, columns


def whole(elements: Elements, keyword: str) -> int | None:
    """Return the first value as an integer, None if it is absent or no integer."""
    value = decimal(first_text(elements, keyword))
    return int(value) if value is not None and value == int(value) else None


def _texts(located: Located | None) -> tuple[str, ...]:
    return located.values if located is not None else ()


def placed_frames(instances: Iterable[Instance]) -> Iterator[PlacedFrame]:
    """Return every frame whose orientation can be read, in the order of instances and frames."""
    directions, spacings = cache(read_cosines), cache(read_spacing)  # a thousand slices, one text
    for instance in instances:
        for plane in instance.planes:
            cosines = directions(_texts(plane.orientation))
            if isinstance(cosines, Fault):
                continue
            position = read_position(_texts(plane.position))
            spacing = spacings(_texts(plane.spacing))
            yield PlacedFrame(
                instance,
                plane,
                cosines,
                None if isinstance(position, Fault) else position,
                None if isinstance(spacing, Fault) else spacing,
            )


def variant(elements: Elements, keywords: Sequence[str] = VARIANT_KEYWORDS) -> tuple[str, ...]:
    """Return what tells this image from others of the same place."""
    return tuple(
        "\\".join(map(str, element.values))
        if (element := elements.get(keyword)) is not None
        else ""
        for keyword in keywords
    )


def _varying(frames: Sequence[PlacedFrame], among: Collection[str] | None) -> tuple[str, ...]:
    """Return the keywords of variants in which not all images are alike; all for one alone."""
    if len(frames) < 2:
        return VARIANT_KEYWORDS
    first = frames[0].instance.elements
    return tuple(
        keyword
        for keyword in VARIANT_KEYWORDS
        if among is None or keyword in among
        if any(frame.instance.elements.get(keyword) != first.get(keyword) for frame in frames)
    )


def slices(instances: Iterable[Instance]) -> tuple[Slice, ...]:
    """Return the slices of instances, frame by frame, for `geometry.stack.stack_facts`."""
    return slices_of(tuple(placed_frames(instances)))


def slices_of(
    frames: Sequence[PlacedFrame], conflicting: Collection[str] | None = None
) -> tuple[Slice, ...]:
    """Return the slices that frames are, but for those without a position.

    Parameters
    ----------
    conflicting
        Keywords in which their instances differ; None where nobody has looked.
    """
    varying = _varying(frames, conflicting)
    return tuple(
        Slice(
            uid=placed.instance.sop_instance_uid,
            cosines=placed.cosines,
            position=placed.position,
            number=whole(placed.instance.elements, "InstanceNumber") if is_single else None,
            variant=variant(placed.instance.elements, varying) if is_single else (),
            frame=None if is_single else placed.plane.frame,
        )
        for placed in frames
        if placed.position is not None
        for is_single in (placed.instance.number_of_frames <= 1,)
    )
