"""The class that a sagittal or coronal plane promises, against the one that its pixels show."""

from collections import Counter
from typing import Final

from qa_daemon.geometry.cosines import Cosines
from qa_daemon.geometry.orientation import (
    CLASS_BOTTOM_SIDES,
    expected_class,
    keeping_mirror,
    turn_between,
)
from qa_daemon.geometry.planes import BodyPlane
from qa_daemon.records.prediction import Prediction
from qa_daemon.rules.checks.registry import Options, number, of_series
from qa_daemon.rules.facts import (
    PASSED,
    Answer,
    Hit,
    NotApplicable,
    NotEvaluated,
    SeriesFacts,
    decided,
)

# As for axial series: one voice, if this share of the slices promises the same class.
_MAJORITY_MIN: Final = 0.8
#: Left and right of a coronal slice are told by liver and heart; front and back of a sagittal one
#: by whatever is in view.
_REGIONS_WITH_SIDES: Final = frozenset({"CHEST", "ABDOMEN"})


def _promised(facts: SeriesFacts, plane: BodyPlane) -> int | None:
    votes = Counter(
        expected_class(each.cosines, plane).value
        for each in facts.slices
        if isinstance(each.cosines, Cosines)
    )
    if not votes:
        return None
    value, count = votes.most_common(1)[0]
    return value if count >= _MAJORITY_MIN * votes.total() else None


def _shows_sides(facts: SeriesFacts, plane: BodyPlane) -> bool:
    if plane is BodyPlane.SAGITTAL:
        return True
    region = facts.inference.of("body_region")
    return (
        isinstance(region, Prediction)
        and not region.abstained
        and bool(_REGIONS_WITH_SIDES & set(region.labels or ()))
    )


@of_series
def upright_plane_agrees_with_pixels(facts: SeriesFacts, options: Options) -> Answer:
    """Check that pixels of a sagittal or coronal series lie as their tags say.

    Options: `plane`, `mirror_probability` from which the mirror counts.
    """
    plane = BodyPlane(str(options.get("plane", BodyPlane.SAGITTAL)))
    expected = _promised(facts, plane)
    if expected is None:
        return NotApplicable()
    target = f"{plane}_orientation"
    prediction = facts.inference.of(target)
    turn = decided(prediction, "turn")
    if isinstance(turn, str) or prediction is None or prediction.turn is None:
        return NotEvaluated(f"{target}: {turn}")
    quarter, confidence, mirror = int(prediction.turn.value), prediction.turn.probability, None
    if prediction.mirror is not None and not prediction.mirror.abstained:
        mirror = prediction.mirror
    seen = keeping_mirror(quarter, expected)
    sure_from = number(options, "mirror_probability", 0.0)
    if mirror is not None and mirror.probability >= sure_from and _shows_sides(facts, plane):
        seen, confidence = quarter + 4 * bool(mirror.value), min(confidence, mirror.probability)
    if turn_between(seen, expected) == 0:
        return PASSED
    return (Hit(_told(seen, expected, plane), confidence=confidence),)


def _told(seen: int, expected: int, plane: BodyPlane) -> str:
    by_tag, shown = CLASS_BOTTOM_SIDES[expected], CLASS_BOTTOM_SIDES[seen]
    exchanged = "front and back" if plane is BodyPlane.SAGITTAL else "left and right"
    if by_tag == shown:
        return f"The pixels show {exchanged} exchanged against Image Orientation (Patient)."
    return (
        f"By Image Orientation (Patient) the feet lie towards the {by_tag} of the stored picture; "
        f"the pixels show them towards the {shown}."
    )
