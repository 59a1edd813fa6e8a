"""How each picture of a series hangs as tagged, and as a suggestion would have it. Pure."""

from collections.abc import Mapping, Sequence
from typing import Final

from attrs import frozen

from qa_daemon.geometry.cosines import Cosines, Fault, read_cosines
from qa_daemon.geometry.orientation import inverse
from qa_daemon.geometry.placement import read_position
from qa_daemon.geometry.planes import BodyPlane, body_plane
from qa_daemon.queue.reviewing.hanging import (
    NO_LETTERS,
    Hanging,
    hung_by_cosines,
    hung_by_letters,
)
from qa_daemon.records.finding import Change, JsonValue, Suggestion
from qa_daemon.records.instance import Instance, Plane
from qa_daemon.records.preview import Picture
from qa_daemon.rules.checks.projection.directions import letters_of

_IOP: Final = "ImageOrientationPatient"
_LETTERS: Final = "PatientOrientation"
#: Which of the three axes a stack of each plane walks along, and its name.
_AXES: Final = {BodyPlane.SAGITTAL: 0, BodyPlane.CORONAL: 1, BodyPlane.AXIAL: 2}
AXIS_NAMES: Final = "xyz"


@frozen
class Place:
    """Where a slice lies by its tags, along the axis that its stack walks."""

    axis: str
    mm: float


@frozen
class Pair:
    """One picture under both readings.

    Attributes
    ----------
    suggested
        None where the suggestion says nothing of how pictures lie.
    """

    picture: Picture
    tagged: Hanging
    suggested: Hanging | None
    place: Place | None


def pairs(
    pictures: Sequence[Picture], instances: Sequence[Instance], suggestion: Suggestion | None
) -> tuple[Pair, ...]:
    """Return every picture with both of its hangings."""
    by_uid = {each.sop_instance_uid: each for each in instances}
    proposed = _proposed(suggestion)
    found = []
    for picture in pictures:
        instance = by_uid.get(picture.sop_instance_uid)
        if instance is None:
            found.append(Pair(picture, NO_LETTERS, None, None))
            continue
        plane = next((each for each in instance.planes if each.frame == picture.frame), None)
        tagged = _tagged(instance, plane)
        suggested = _suggested(instance, plane, proposed)
        found.append(Pair(picture, tagged, suggested, _place(plane)))
    return tuple(found)


def tagged_class(pair: Pair) -> int:
    """Return the class that the tag promises; 0 where it promises none."""
    return inverse(pair.tagged.turn)


def _tagged(instance: Instance, plane: Plane | None) -> Hanging:
    cosines = None
    if plane is not None and plane.orientation is not None:
        cosines = _cosines(plane.orientation.values)
    if cosines is not None:
        return hung_by_cosines(cosines)
    letters = letters_of(instance)
    return NO_LETTERS if letters is None else hung_by_letters(letters)


def _suggested(
    instance: Instance, plane: Plane | None, proposed: Mapping[tuple[str, str], Change]
) -> Hanging | None:
    """Return the hanging of what would be written; unchanged tags hang as before."""
    if not proposed:
        return None
    uid = instance.sop_instance_uid
    if plane is not None and plane.orientation is not None:
        path = plane.orientation.path
        change = proposed.get((uid, path)) or proposed.get(("", path))
        if change is not None:
            cosines = _cosines(_texts(change.proposed))
            return NO_LETTERS if cosines is None else hung_by_cosines(cosines)
    change = proposed.get((uid, _LETTERS)) or proposed.get(("", _LETTERS))
    if change is not None and change.proposed is not None and len(change.proposed) == 2:
        first, second = _texts(change.proposed)
        return hung_by_letters((first, second))
    return _tagged(instance, plane)


def _proposed(suggestion: Suggestion | None) -> Mapping[tuple[str, str], Change]:
    changes = () if suggestion is None else suggestion.changes
    return {
        (each.sop_instance_uid or "", each.path): each
        for each in changes
        if each.attribute in {_IOP, _LETTERS} and each.proposed
    }


def _place(plane: Plane | None) -> Place | None:
    if plane is None or plane.position is None or plane.orientation is None:
        return None
    position, cosines = read_position(plane.position.values), _cosines(plane.orientation.values)
    if isinstance(position, Fault) or cosines is None:
        return None
    axis = _AXES.get(body_plane(cosines.normal))
    return None if axis is None else Place(AXIS_NAMES[axis], position[axis])


def _cosines(values: Sequence[str] | None) -> Cosines | None:
    if values is None:
        return None
    found = read_cosines(tuple(values))
    return None if isinstance(found, Fault) else found


def _texts(values: Sequence[JsonValue] | None) -> tuple[str, ...]:
    return tuple(str(each) for each in values or ())
