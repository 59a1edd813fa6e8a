"""From the raw outputs of a model over slices to `Prediction` values. Pure.

Every answer has one element for the series and one per frame. The two questions of an orientation
are decided apart: the quarter turn by all slices, the mirror only by slices that show organs of
the chest or the abdomen, and with a higher threshold.
"""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from attrs import evolve, frozen
from numpy.typing import NDArray

from qa_daemon.predict.calibrate import (
    Probabilities,
    effective_count,
    pooled,
    sigmoid,
    softmax,
)
from qa_daemon.predict.catalog import ModelCard
from qa_daemon.records.prediction import Abstention, Part, Prediction

ORIENTATION: Final = "axial_orientation"
REGION: Final = "body_region"
#: Regions with unpaired organs that show which side is which (`orientation_maths`).
SIDED_REGIONS: Final = ("CHEST", "ABDOMEN")
#: Regions without such organs: shoulders and iliac crests show a little of both kinds.
SIDELESS_REGIONS: Final = ("HEAD", "NECK", "PELVIS", "LOWERLIMB")
#: A mirror probability is kept this far from 0 and 1: of a slice alone, and of one that votes. A
#: voter may be quite wrong (a high dome of the liver looks mirrored), and must not outvote three.
SIDE_DOUBT_ALONE: Final = 0.001
SIDE_DOUBT_VOTING: Final = 0.02
#: A region counts for the series if it is seen on this share of the slices, and on one at least.
SLICES_SHARE_MIN: Final = 0.25


@frozen
class Subject:
    """One frame that a model looked at; frames count from 1."""

    sop_instance_uid: str
    frame: int


@frozen(eq=False)
class Outputs:
    """What a model said: raw logits of shape (subjects, labels)."""

    card: ModelCard
    subjects: tuple[Subject, ...]
    logits: NDArray[np.float32]


def unable(target: str, reason: Abstention, model: str = "") -> Prediction:
    """Return the series element of a target that could not be asked, with the reason."""
    return Prediction(target=target, model=model, reason=reason)


def region_predictions(outputs: Outputs) -> tuple[Prediction, ...]:
    """Return `body_region`: the series element first, then one per frame.

    A region belongs to the series if `SLICES_SHARE_MIN` of the slices show it: its probability is
    the k-th best over the slices. One slice that errs adds nothing, nor does the rim of a region.
    """
    card = outputs.card
    if not outputs.subjects:
        return (unable(card.target, Abstention.NO_PIXELS, card.name),)
    each = sigmoid(outputs.logits, card.temperature)
    needed = max(1, round(SLICES_SHARE_MIN * len(each)))
    whole = _regions(card, np.sort(each, axis=0)[-needed])
    frames = (
        evolve(
            _regions(card, shares), sop_instance_uid=subject.sop_instance_uid, frame=subject.frame
        )
        for subject, shares in zip(outputs.subjects, each, strict=True)
    )
    return (whole, *frames)


def orientation_predictions(
    outputs: Outputs, regions: Sequence[Prediction] = ()
) -> tuple[Prediction, ...]:
    """Return `axial_orientation`: the series element first, then one per frame.

    Parameters
    ----------
    outputs
        Logits of the eight classes per slice.
    regions
        What `region_predictions` said of the same frames; without it the mirror stays undecided.
    """
    card = outputs.card
    if not outputs.subjects:
        return (unable(card.target, Abstention.NO_PIXELS, card.name),)
    each = softmax(outputs.logits, card.temperature)
    seen = _by_subject(regions)
    organs = np.asarray([_organs(seen.get(subject)) for subject in outputs.subjects])
    known = [_is_known(card, seen.get(subject)) for subject in outputs.subjects]
    series = _voted(card, each, organs, is_known=any(known))
    frames = (
        evolve(
            _voted(card, each[index : index + 1], organs[index : index + 1], is_known=known[index]),
            sop_instance_uid=subject.sop_instance_uid,
            frame=subject.frame,
        )
        for index, subject in enumerate(outputs.subjects)
    )
    return (series, *frames)


def _voted(
    card: ModelCard, each: Probabilities, organs: Probabilities, *, is_known: bool
) -> Prediction:
    """Return what slices say together; `each` has shape (n, 8), `organs` shape (n,)."""
    turns = pooled(each[:, :4] + each[:, 4:], card.correlation)
    turn = int(turns.argmax())
    sides = _mirror(each, turn, organs, card)
    is_alone = effective_count(len(each), card.correlation) < 2.0
    limits = card.thresholds
    turn_part = Part(
        value=turn,
        probability=float(turns[turn]),
        abstained=not is_known
        or bool(turns[turn] < (limits.turn_slice if is_alone else limits.turn)),
    )
    is_mirrored = bool(sides > 0.5)
    certain = float(max(sides, 1.0 - sides))
    mirror_part = Part(
        value=is_mirrored,
        probability=certain,
        abstained=turn_part.abstained
        or bool(organs.max() < limits.organs)
        or certain < (limits.mirror_slice if is_alone else limits.mirror),
    )
    shares = np.concatenate([turns * (1.0 - sides), turns * sides])
    label = turn + 4 * is_mirrored
    abstained = turn_part.abstained or mirror_part.abstained
    return Prediction(
        target=card.target,
        model=card.name,
        label=card.labels[label],
        probability=float(shares[label]),
        abstained=abstained,
        reason=_reason(abstained=abstained, is_known=is_known),
        probabilities=dict(zip(card.labels, map(float, shares), strict=True)),
        turn=turn_part,
        mirror=mirror_part,
    )


def _mirror(each: Probabilities, turn: int, organs: Probabilities, card: ModelCard) -> float:
    """Return the probability of a mirror, given the turn, of the slices that show organs.

    Where none does, all slices are asked: the answer is then reported, and abstained from.
    """
    asked = each[organs >= card.thresholds.organs]
    if not len(asked):
        asked = each
    upright, mirrored = asked[:, turn] + 1e-9, asked[:, 4 + turn] + 1e-9
    doubt = SIDE_DOUBT_ALONE if len(asked) == 1 else SIDE_DOUBT_VOTING
    shares = np.clip(mirrored / (upright + mirrored), doubt, 1.0 - doubt)
    # A slice that sees another turn than the series knows little of this one's mirror.
    weights = upright + mirrored
    odds = float((np.log(shares / (1.0 - shares)) * weights).sum() / max(1e-9, weights.sum()))
    total = odds * effective_count(len(asked), card.correlation)
    return float(1.0 / (1.0 + np.exp(-total)))


def _regions(card: ModelCard, shares: Probabilities) -> Prediction:
    order = np.argsort(-shares, kind="stable")
    accepted = tuple(card.labels[at] for at in order if shares[at] >= card.thresholds.label)
    best = int(order[0])
    is_known = bool(shares[best] >= card.thresholds.known)
    if accepted:
        reason = None
    else:
        reason = Abstention.LOW_PROBABILITY if is_known else Abstention.OUT_OF_DISTRIBUTION
    return Prediction(
        target=card.target,
        model=card.name,
        label=card.labels[best],
        probability=float(shares[best]),
        abstained=reason is not None,
        reason=reason,
        probabilities=dict(zip(card.labels, map(float, shares), strict=True)),
        labels=accepted,
    )


def _by_subject(regions: Sequence[Prediction]) -> Mapping[Subject, Prediction]:
    return {
        Subject(said.sop_instance_uid, said.frame): said
        for said in regions
        if said.sop_instance_uid is not None and said.frame is not None
    }


def _organs(said: Prediction | None) -> float:
    """Return the probability that organs which tell the side fill the slice; 0 if nobody looked."""
    if said is None:
        return 0.0
    seen = said.probabilities
    organs = max(seen.get(region, 0.0) for region in SIDED_REGIONS)
    return organs * (1.0 - max(seen.get(region, 0.0) for region in SIDELESS_REGIONS))


def _is_known(card: ModelCard, said: Prediction | None) -> bool:
    """Whether the slice shows a body at all, as far as the region model was asked."""
    if said is None:
        return True
    return max(said.probabilities.values(), default=1.0) >= card.thresholds.known


def _reason(*, abstained: bool, is_known: bool) -> Abstention | None:
    if not abstained:
        return None
    return Abstention.LOW_PROBABILITY if is_known else Abstention.OUT_OF_DISTRIBUTION
