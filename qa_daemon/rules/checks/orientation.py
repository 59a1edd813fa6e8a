"""Image Orientation (Patient): its values, and what it promises against what the pixels show."""

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Final

from attrs import frozen

from qa_daemon.geometry.cosines import COSINE_TOLERANCE, Cosines, Fault, dot, length
from qa_daemon.geometry.letters import direction_letters, edge_letters
from qa_daemon.geometry.orientation import (
    CLASS_BOTTOM_SIDES,
    CLASS_COSINES,
    expected_class,
    keeping_mirror,
    turn_between,
)
from qa_daemon.records.finding import Severity
from qa_daemon.records.prediction import Abstention
from qa_daemon.rules.checks.registry import Options, number, of_series
from qa_daemon.rules.facts import (
    PASSED,
    Answer,
    Hit,
    NotApplicable,
    NotEvaluated,
    SeriesFacts,
    Slice,
    decided,
    demands_plane,
    uids,
)

# A series speaks with one voice if this share of its slices promises the same class; a single
# foreign slice has a rule of its own.
_MAJORITY_MIN: Final = 0.8

# Left and right are told by liver, heart, stomach, spleen and aorta; in no other region.
_REGIONS_WITH_SIDES: Final = frozenset({"CHEST", "ABDOMEN"})

#: Turns that bring the patient's left to the other side of the screen: half a turn, or a mirror.
_SIDES_EXCHANGED: Final = frozenset({2, 4, 5, 6, 7})

#: Where gravity points in patient axes, by Patient Position (PS3.3 C.7.3.1.1.2).
_GRAVITY: Final = {
    "HFS": "P", "FFS": "P", "HFP": "A", "FFP": "A",
    "HFDR": "R", "FFDR": "R", "HFDL": "L", "FFDL": "L",
}  # fmt: skip


def _hits(concerned: Iterable[Slice], facts: SeriesFacts, message: str) -> tuple[Hit, ...]:
    slices = tuple(concerned)
    if not slices:
        return PASSED
    instances = {each.instance.sop_instance_uid: each.instance for each in slices}
    frames = f" ({len(slices)} frames)" if len(slices) > len(instances) else ""
    return (Hit(f"{message}{frames}", uids(instances.values(), facts.series.instances)),)


@of_series
def image_orientation_present(facts: SeriesFacts, _: Options) -> Answer:
    """Check that every frame that must have an Image Orientation (Patient) has one (C.7.6.2)."""
    message = "Image Orientation (Patient) is missing; nothing tells left from right."
    due = [e for e in facts.series.instances if e.number_of_frames > 0 and demands_plane(e)]
    bare = [each for each in due if not each.planes]
    empty = [e for e in facts.slices if _is_missing(e.cosines) and demands_plane(e.instance)]
    if bare:
        concerned = {each.sop_instance_uid: each for each in bare}
        concerned |= {each.instance.sop_instance_uid: each.instance for each in empty}
        return (Hit(message, uids(concerned.values(), facts.series.instances)),)
    return _hits(empty, facts, message)


def _is_missing(cosines: Cosines | Fault | None) -> bool:
    return cosines is None or (isinstance(cosines, Fault) and cosines.kind == "iop-missing")


@of_series
def image_orientation_readable(facts: SeriesFacts, _: Options) -> Answer:
    """Check that Image Orientation (Patient) is six decimals, neither direction zero."""
    wrong = [
        (each, each.cosines.message)
        for each in facts.slices
        if isinstance(each.cosines, Fault) and not _is_missing(each.cosines)
    ]
    return _hits([each for each, _ in wrong], facts, f"{wrong[0][1]}." if wrong else "")


def _judge(facts: SeriesFacts, is_right: Callable[[Cosines], bool], message: str) -> Answer:
    readable = [each for each in facts.slices if isinstance(each.cosines, Cosines)]
    if not readable:
        return NotApplicable()
    wrong = [e for e in readable if isinstance(e.cosines, Cosines) and not is_right(e.cosines)]
    return _hits(wrong, facts, message)


@of_series
def image_orientation_unit(facts: SeriesFacts, options: Options) -> Answer:
    """Check that both directions have length one (C.7.6.2.1.1 gives no tolerance)."""
    tolerance = number(options, "tolerance", COSINE_TOLERANCE)

    def is_unit(cosines: Cosines) -> bool:
        return all(abs(length(each) - 1) <= tolerance for each in (cosines.row, cosines.column))

    message = "The directions in Image Orientation (Patient) are not of length one."
    return _judge(facts, is_unit, message)


@of_series
def image_orientation_orthogonal(facts: SeriesFacts, options: Options) -> Answer:
    """Check that row and column stand at right angles."""
    tolerance = number(options, "tolerance", COSINE_TOLERANCE)

    def is_orthogonal(cosines: Cosines) -> bool:
        sizes = length(cosines.row) * length(cosines.column)
        return abs(dot(cosines.row, cosines.column)) <= tolerance * max(sizes, 1e-300)

    message = "Row and column in Image Orientation (Patient) are not at right angles."
    return _judge(facts, is_orthogonal, message)


@frozen
class Comparison:
    """What the tag promises and what the pixels show, as axial classes.

    Attributes
    ----------
    predicted
        The class seen; where only the quarter turn is decided, the one with the tag's handedness.
    turn
        d with predicted = d * expected; 0 agrees, from 4 on mirrored.
    """

    predicted: int
    expected: int
    confidence: float

    @property
    def turn(self) -> int:
        """Return d of `orientation_maths`."""
        return turn_between(self.predicted, self.expected)


def promised_class(facts: SeriesFacts) -> int | Abstention | None:
    """Return the axial class that the tags of a series promise.

    None where its slices disagree, or none can be read; else why the tag decides nothing.
    """
    votes = Counter[int | Abstention | None]()
    for cosines, count in Counter(each.cosines for each in facts.slices).items():
        votes[_promised(cosines)] += count
    if not votes:
        return None
    value, count = votes.most_common(1)[0]
    return value if count >= _MAJORITY_MIN * votes.total() else None


def _promised(cosines: Cosines | Fault | None) -> int | Abstention | None:
    if not isinstance(cosines, Cosines):
        return None
    expected = expected_class(cosines)
    return expected.why_not if expected.value is None else expected.value


def compared(facts: SeriesFacts, mirror_probability_min: float = 0.0) -> Comparison | Answer:
    """Compare tag and pixels; the mirror counts only where the anatomy can show it."""
    expected = promised_class(facts)
    if expected is Abstention.NOT_AXIAL:
        return NotApplicable()
    if expected is None or isinstance(expected, Abstention):
        return NotEvaluated("the tags of the series promise no single axial class")
    prediction = facts.inference.of("axial_orientation")
    turn = decided(prediction, "turn")
    if isinstance(turn, str) or prediction is None or turn.probability is None:
        return NotEvaluated(f"axial_orientation: {turn}")
    quarter = int(prediction.turn.value) if prediction.turn is not None else 0
    mirror = prediction.mirror
    if mirror is None or mirror.abstained or mirror.probability < mirror_probability_min:
        return Comparison(keeping_mirror(quarter, expected), expected, turn.probability)
    if bool(mirror.value) != (expected >= 4) and not _shows_sides(facts):
        return Comparison(keeping_mirror(quarter, expected), expected, turn.probability)
    confidence = min(turn.probability, mirror.probability)
    return Comparison(quarter + 4 * bool(mirror.value), expected, confidence)


def _shows_sides(facts: SeriesFacts) -> bool:
    """Whether an organ that tells left from right may be in view; unknown counts as yes."""
    region = facts.inference.of("body_region")
    if region is None or region.abstained or not region.labels:
        return True
    return bool(_REGIONS_WITH_SIDES & set(region.labels))


def _class_in_words(number: int) -> str:
    """Return a class as its number and what stands at the right and at the bottom of the screen."""
    cosines = CLASS_COSINES[number]
    letters = edge_letters(cosines.row, cosines.column)
    return f"{number} (on the screen {letters.right} is right, {letters.bottom} is down)"


def _turn_in_words(turn: int) -> str:
    mirrored, quarters = turn >= 4, turn % 4
    degrees = f"turned by {90 * quarters} degrees anti-clockwise"
    words = ["mirrored left to right"] * mirrored + [degrees] * bool(quarters)
    return f"{turn} ({', then '.join(words)})"


@of_series
def image_orientation_agrees_with_pixels(facts: SeriesFacts, options: Options) -> Answer:
    """Check that the axial class that the tag promises is the one that the pixels show."""
    comparison = compared(facts, number(options, "mirror_probability", 0.0))
    if not isinstance(comparison, Comparison):
        return comparison
    if comparison.turn == 0:
        return PASSED
    certain = comparison.confidence >= number(options, "critical_from", 0.99)
    critical = certain and comparison.turn in _SIDES_EXCHANGED
    return (
        Hit(
            message=_told(comparison),
            evidence={
                "expected class by Image Orientation (Patient)": _class_in_words(
                    comparison.expected
                ),
                "class seen in the pixels": _class_in_words(comparison.predicted),
                "turn between them": _turn_in_words(comparison.turn),
            },
            severity=Severity.CRITICAL if critical else Severity.MAJOR,
            confidence=comparison.confidence,
        ),
    )


def _told(comparison: Comparison) -> str:
    by_tag, seen = (CLASS_BOTTOM_SIDES[c] for c in (comparison.expected, comparison.predicted))
    said = (
        f"By Image Orientation (Patient) the spine should lie at the {by_tag} of the stored picture"
    )
    seen_there = f"the pixels show it at the {seen}"
    if comparison.turn < 4:
        return f"{said}; {seen_there}."
    if by_tag == seen:
        return f"{said}, as it does; but the pixels show left and right exchanged."
    return f"{said}; {seen_there}, with left and right exchanged."


@of_series
def patient_position_agrees_with_orientation(facts: SeriesFacts, _: Options) -> Answer:
    """Check that gravity by Patient Position points down the columns, as most CTs draw it."""
    down = _GRAVITY.get(facts.text("PatientPosition"))
    written = {each.cosines for each in facts.slices if isinstance(each.cosines, Cosines)}
    columns = {
        direction_letters(cosines.column)[:1]
        for cosines in written
        if expected_class(cosines).value is not None
    }
    if down is None or len(columns) != 1:
        return NotApplicable()
    if columns == {down}:
        return PASSED
    column = columns.pop()
    return (
        Hit(
            f"By Patient Position the bottom of the picture should be {_SIDES[down]} of the "
            f"patient, by Image Orientation (Patient) it is {_SIDES[column]}. One of them may be "
            "wrong; many scanners turn the picture and are right.",
            evidence={"PatientPosition": facts.text("PatientPosition")},
        ),
    )


_SIDES: Final = {
    "A": "the front", "P": "the back", "L": "the left side", "R": "the right side",
    "H": "the head", "F": "the feet",
}  # fmt: skip
