"""Patient Orientation (PS3.3 C.7.6.1.1.1): its letters, its plane, its view, and the picture."""

from typing import Final

from attrs import frozen

from qa_daemon.geometry.cosines import Cosines
from qa_daemon.geometry.letters import direction_letters
from qa_daemon.geometry.orientation import CLASS_BOTTOM_SIDES, CLASS_COSINES, turn_between
from qa_daemon.records.element import first_text, texts
from qa_daemon.records.finding import Severity
from qa_daemon.records.instance import Instance
from qa_daemon.records.prediction import Prediction
from qa_daemon.rules.checks.projection.view import FRONTAL, all_stated
from qa_daemon.rules.checks.registry import Options, number, of_series
from qa_daemon.rules.checks.side.places import alike, parts_named
from qa_daemon.rules.facts import (
    PASSED,
    Answer,
    Hit,
    NotApplicable,
    NotEvaluated,
    SeriesFacts,
    decided,
    uids,
)

_AXES: Final = {"A": "AP", "P": "AP", "R": "RL", "L": "RL", "H": "HF", "F": "HF"}
_KEYWORD: Final = "PatientOrientation"
#: Axial letters of the class table, read as those of a frontal picture: head up instead of front.
_FRONTAL_LETTERS: Final = str.maketrans("AP", "HF")
#: Where the feet point by the class: as the back does in an axial slice (`orientation_maths`).
_FEET_AT: Final = CLASS_BOTTOM_SIDES
#: Parts whose directions the standard names otherwise: toes point forward whatever the view.
_FEET: Final = frozenset({"FOOT", "TOE", "CALCANEUS", "ANKLE"})
#: Parts in which heart or liver tell left from right.
_WITH_SIDES: Final = frozenset({"CHEST", "ABDOMEN", "THORAX", "CHESTABDOMEN"})
_SIDES_EXCHANGED: Final = frozenset({2, 4, 5, 6, 7})


def letters_of(instance: Instance) -> tuple[str, str] | None:
    """Return the two directions, row first; None where there are not two readable ones."""
    found = texts(instance.elements, _KEYWORD)
    if len(found) != 2 or not all(map(_is_direction, found)):
        return None
    return None if _AXES[found[0][0]] == _AXES[found[1][0]] else (found[0], found[1])


def _is_direction(letters: str) -> bool:
    axes = [_AXES.get(letter) for letter in letters]
    return 1 <= len(axes) <= 3 and None not in axes and len(set(axes)) == len(axes)


@of_series
def patient_orientation_readable(facts: SeriesFacts, _: Options) -> Answer:
    """Check that Patient Orientation is two directions at right angles in the letters A P R L H F.

    Animals on four legs have letters of their own (Anatomical Orientation Type QUADRUPED).
    """
    filled = [
        each
        for each in facts.series.instances
        if any(texts(each.elements, _KEYWORD))
        and first_text(each.elements, "AnatomicalOrientationType") != "QUADRUPED"
    ]
    if not filled:
        return NotApplicable()
    wrong = [each for each in filled if letters_of(each) is None]
    return (Hit(sop_instance_uids=uids(wrong, facts.series.instances)),) if wrong else PASSED


@of_series
def patient_orientation_agrees_with_plane(facts: SeriesFacts, _: Options) -> Answer:
    """Check that Patient Orientation names the directions of Image Orientation (Patient)."""
    compared, wrong = 0, list[Instance]()
    for each in facts.slices:
        stated = letters_of(each.instance)
        if stated is None or not isinstance(each.cosines, Cosines):
            continue
        compared += 1
        promised = (direction_letters(each.cosines.row), direction_letters(each.cosines.column))
        # Near 45 degrees either letter is right; one that is not among them is wrong.
        if any(mine[0] not in theirs for mine, theirs in zip(stated, promised, strict=True)):
            wrong.append(each.instance)
    if not compared:
        return NotApplicable()
    return (Hit(sop_instance_uids=uids(wrong, facts.series.instances)),) if wrong else PASSED


@of_series
def patient_orientation_agrees_with_view(facts: SeriesFacts, _: Options) -> Answer:
    """Check that a frontal view spreads left to right, and a lateral one front to back."""
    views = set(all_stated(facts).values())
    wanted = {"LATERAL": "AP", **dict.fromkeys(FRONTAL, "RL")}
    if len(views) != 1 or not views <= set(wanted):
        return NotApplicable()
    view = views.pop()
    compared, wrong = 0, list[Instance]()
    for group in alike(facts, frozenset({_KEYWORD, "BodyPartExamined", "AnatomicRegionSequence"})):
        letters = letters_of(group[0])
        parts = parts_named(group[0].elements)
        if letters is None or not parts or any(part.term in _FEET for part in parts):
            continue
        compared += 1
        if {_AXES[each[0]] for each in letters} != {wanted[view], "HF"}:
            wrong.extend(group)
    if not compared:
        return NotApplicable()
    message = f"The view is {view}, and Patient Orientation names the directions of another."
    return (Hit(message, uids(wrong, facts.series.instances)),) if wrong else PASSED


# --- against the picture -------------------------------------------------------------------------


@frozen
class Lie:
    """How a radiograph lies by its tag and by its pixels, as classes of `orientation_maths`.

    Attributes
    ----------
    expected
        By Patient Orientation; 0, head up, where it says nothing.
    mirror_known
        Whether both the picture and the tag tell left from right.
    """

    predicted: int
    expected: int
    confidence: float
    is_stated: bool
    mirror_known: bool

    @property
    def turn(self) -> int:
        """Return what was done to the picture since it lay as expected; 0 agrees."""
        return turn_between(self.predicted, self.expected)


def class_letters(orientation: int) -> tuple[str, str]:
    """Return Patient Orientation of a frontal picture of this class: row, then column."""
    cosines = CLASS_COSINES[orientation]
    row, column = (direction_letters(each) for each in (cosines.row, cosines.column))
    return row.translate(_FRONTAL_LETTERS), column.translate(_FRONTAL_LETTERS)


def lie(facts: SeriesFacts, mirror_probability_min: float) -> Lie | Answer:
    """Compare Patient Orientation with the picture; the mirror only where it can be seen."""
    stated = {letters_of(each) for each in facts.series.instances}
    prediction = facts.inference.of("radiograph_orientation")
    turn = decided(prediction, "turn")
    if isinstance(turn, str) or prediction is None or prediction.turn is None:
        return NotEvaluated(f"radiograph_orientation: {turn}")
    if len(stated) != 1:
        return NotEvaluated("Patient Orientation differs within the series")
    letters = stated.pop()
    expected = 0 if letters is None else expected_by(letters)
    if expected is None:
        return NotApplicable()
    mirror = prediction.mirror
    tells_side = letters is None or all(_AXES[each[0]] != "AP" for each in letters)
    known = (
        mirror is not None
        and not mirror.abstained
        and mirror.probability >= mirror_probability_min
        and tells_side
        and shows_sides(facts)
    )
    quarter = int(prediction.turn.value)
    mirrored = bool(mirror.value) if known and mirror is not None else expected >= 4
    confidence = prediction.turn.probability
    if known and mirror is not None:
        confidence = min(confidence, mirror.probability)
    return Lie(quarter + 4 * mirrored, expected, confidence, letters is not None, known)


def expected_by(letters: tuple[str, str]) -> int | None:
    """Return the class of two directions; None where neither is along the body.

    A lateral picture says nothing of left and right: of its two classes the one that is not
    mirrored is named.
    """
    heads = tuple(each[0] for each in letters)
    for orientation in range(8):
        row, column = class_letters(orientation)
        if (row, column) == heads:
            return orientation
    for orientation in range(4):
        if any(
            mine == theirs and mine in "HF"
            for mine, theirs in zip(heads, class_letters(orientation), strict=True)
        ):
            return orientation
    return None


def shows_sides(facts: SeriesFacts) -> bool:
    """Whether heart or liver are in view, by the picture or else by the tags."""
    seen = decided(facts.inference.of("body_part"), "")
    if isinstance(seen, Prediction) and seen.labels:
        return bool(_WITH_SIDES & set(seen.labels))
    return any(part.term in _WITH_SIDES for part in parts_named(facts.series.instances[0].elements))


@of_series
def picture_lies_as_stated(facts: SeriesFacts, options: Options) -> Answer:
    """Check that the picture lies as Patient Orientation says; n/a where it says nothing."""
    found = lie(facts, number(options, "mirror_probability", 0.0))
    if not isinstance(found, Lie):
        return found
    if not found.is_stated:
        return NotApplicable()
    if found.turn == 0:
        return PASSED
    certain = found.confidence >= number(options, "critical_from", 0.99)
    critical = certain and found.turn in _SIDES_EXCHANGED
    severity = Severity.CRITICAL if critical else Severity.MAJOR
    return (Hit(_told(found), severity=severity, confidence=found.confidence),)


@of_series
def picture_lies_upright(facts: SeriesFacts, options: Options) -> Answer:
    """Check that a picture without Patient Orientation lies as people look at it."""
    found = lie(facts, number(options, "mirror_probability", 0.0))
    if not isinstance(found, Lie):
        return found
    if found.is_stated:
        return NotApplicable()
    if found.turn == 0:
        return PASSED
    severity = Severity.MAJOR if found.turn >= 4 else None
    return (Hit(_told(found), severity=severity, confidence=found.confidence),)


def _told(found: Lie) -> str:
    by_tag, seen = _FEET_AT[found.expected], _FEET_AT[found.predicted]
    mirrored = found.turn >= 4
    exchanged = "left and right are exchanged" if mirrored else ""
    if not found.is_stated:
        turned = f"the feet point to the {seen} of the stored picture" if seen != "bottom" else ""
        said = " and ".join(each for each in (turned, exchanged) if each)
        return f"Patient Orientation is not there, and {said}."
    if by_tag == seen:
        return f"Patient Orientation and the picture agree on the feet, but {exchanged}."
    more = f", and {exchanged}" if mirrored else ""
    return (
        f"By Patient Orientation the feet point to the {by_tag} of the stored picture; "
        f"the pixels show them at the {seen}{more}."
    )
