"""Why a finding stands: what models saw, what speaks for and against. Pure."""

from collections.abc import Mapping, Sequence
from math import log
from typing import Final

from attrs import frozen

from qa_daemon.geometry.orientation import turn_between
from qa_daemon.records.finding import Finding, Topic
from qa_daemon.records.inference import Inference
from qa_daemon.records.prediction import ORIENTATIONS, Prediction

#: Runners-up beside the winner.
SHOWN_MAX: Final = 3
#: Calibrated figures beyond these are not told apart.
PROBABILITY_MIN, PROBABILITY_MAX = 0.001, 0.999
#: What evidence of a visit says of each witness: `KNEE: -3.9 for the order named, +2.1 for ...`.
_NAMED, _OTHER = " for the order named, ", " for the other"
#: What the pair and the class bars say already, in pictures.
_DRAWN: Final = frozenset(
    {
        "expected class by Image Orientation (Patient)",
        "class seen in the pixels",
        "turn between them",
        "axial_orientation turn",
        "axial_orientation mirror",
    }
)
#: Targets by what a finding is about, the first that was decided is shown.
_TARGETS: Final[Mapping[str, tuple[str, ...]]] = {
    "orientation": (
        "axial_orientation",
        "sagittal_orientation",
        "coronal_orientation",
        "radiograph_orientation",
        "stack_direction",
    ),
    "geometry": ("axial_orientation", "stack_direction"),
    "view": ("view", "radiograph_orientation"),
    "laterality": ("laterality", "side_marker"),
    "body_part": ("body_part", "body_region"),
    "order": ("body_part", "body_region"),
    "pixel": ("image_quality",),
}


@frozen(kw_only=True)
class Candidate:
    """One answer of a model.

    Attributes
    ----------
    orientation
        The class, of orientations only.
    is_tagged
        Whether it is what the tag says.
    """

    label: str
    probability: float
    orientation: int | None = None
    is_tagged: bool = False


@frozen(kw_only=True)
class Sight:
    """What one model says of the series.

    Attributes
    ----------
    reason
        Why it abstains; "" where it does not.
    """

    target: str
    model: str
    candidates: tuple[Candidate, ...]
    reason: str = ""


@frozen(kw_only=True)
class Weight:
    """One line of evidence.

    Attributes
    ----------
    log_odds
        For the change (above 0) or for what stands; None = it was looked at and is not weighed.
    """

    name: str
    said: str
    log_odds: float | None = None


def sight(finding: Finding, inference: Inference, tagged: int) -> Sight | None:
    """Return what the model sees that this finding rests on; None where no model was asked."""
    wanted = _TARGETS.get(finding.topic.value, ())
    named = [each for each in inference.predictions if each.sop_instance_uid is None]
    asked = [each for target in wanted for each in named if each.target == target]
    answered = [each for each in asked if each.label is not None]
    if not answered:
        return _silent(asked[0]) if asked else None
    decided = [each for each in answered if _is_decided(each)]
    return _seen((decided or answered)[0], tagged)


def _is_decided(said: Prediction) -> bool:
    """Whether it says something: of an orientation the turn alone may be decided."""
    return not said.abstained or (said.turn is not None and not said.turn.abstained)


def _silent(asked: Prediction) -> Sight:
    reason = "" if asked.reason is None else asked.reason.value
    return Sight(target=asked.target, model=asked.model, candidates=(), reason=reason)


def _seen(said: Prediction, tagged: int) -> Sight:
    best = sorted(said.probabilities.items(), key=lambda each: (-each[1], each[0]))
    is_orientation = said.target in ORIENTATIONS
    candidates = tuple(
        Candidate(
            label=label,
            probability=probability,
            orientation=int(label) if is_orientation else None,
            is_tagged=is_orientation and int(label) == tagged,
        )
        for label, probability in best[:SHOWN_MAX]
    )
    reason = said.reason.value if said.abstained and said.reason is not None else ""
    if said.abstained and _is_decided(said):
        reason = "turn_only"
    return Sight(target=said.target, model=said.model, candidates=candidates, reason=reason)


def logit(probability: float) -> float:
    """Return log odds, within what a calibration can tell."""
    held = min(max(probability, PROBABILITY_MIN), PROBABILITY_MAX)
    return log(held / (1 - held))


def weights(finding: Finding, inference: Inference) -> tuple[Weight, ...]:
    """Return the evidence, the heaviest first; what has a weight sums to the shown sureness.

    Of a visit every witness has its own, and the rest is how rare such a mix-up is. Elsewhere one
    calibrated figure stands for all pictures together, and facts stand beside it unweighed.
    """
    weighed = [each for name, text in finding.evidence.items() if (each := _witness(name, text))]
    if weighed:
        said = sum(each.log_odds or 0.0 for each in weighed)
        rest = logit(finding.confidence or 0.5) - said
        weighed.append(Weight(name="prior", said="", log_odds=rest))
        return tuple(sorted(weighed, key=lambda each: -abs(each.log_odds or 0.0)))
    facts = [
        Weight(name=name, said=text)
        for name, text in finding.evidence.items()
        if name not in _DRAWN
    ]
    facts += _beside(finding, inference)
    if finding.confidence is None:
        return tuple(facts)
    return (Weight(name="pictures", said="", log_odds=logit(finding.confidence)), *facts)


def _beside(finding: Finding, inference: Inference) -> list[Weight]:
    """Return what pixels of a stack say besides: where the table lies, which end is the head."""
    if finding.topic is not Topic.ORIENTATION:
        return []
    found = []
    if inference.table_side is not None:
        found.append(Weight(name="table", said=inference.table_side))
    direction = inference.of("stack_direction")
    if direction is not None and not direction.abstained and direction.label is not None:
        found.append(Weight(name="stack", said=direction.label))
    return found


def _witness(name: str, text: str) -> Weight | None:
    said, is_weighed, rest = text.rpartition(": ")
    if not is_weighed or _NAMED not in rest or not rest.endswith(_OTHER):
        return None
    against, _, support = rest.removesuffix(_OTHER).partition(_NAMED)
    try:
        return Weight(name=name, said=said, log_odds=float(support) - float(against))
    except ValueError:
        return None


def turn_of(candidate: Candidate, tagged: int) -> int | None:
    """Return how a candidate stands to the tag, as a turn 0 to 7; None of other labels."""
    if candidate.orientation is None:
        return None
    return turn_between(candidate.orientation, tagged)


def telling(pictures: Sequence[int], count_max: int) -> tuple[int, ...]:
    """Return an even choice of those that voted, by their places in the sequence."""
    count = min(len(pictures), count_max)
    return tuple(pictures[(2 * at + 1) * len(pictures) // (2 * count)] for at in range(count))
