"""Targets whose answer is a label, or a set of labels.

Several labels (`body_region`, `body_part`, `image_quality`): independent probabilities; those above
their thresholds are accepted, and a target of which one label must be true abstains if none is.
One label (`view`, `laterality`, `plane`, `image_kind`, `chest_opacity`): probabilities that sum to
1; frames of a series vote by their logarithms.
"""

from typing import Final

import numpy as np
from attrs import evolve

from qa_daemon.predict.calibrate import Probabilities, pooled
from qa_daemon.predict.catalog import ModelCard
from qa_daemon.predict.heads.anatomy import ORDER, SLICES_MIN, along_the_body
from qa_daemon.predict.heads.outputs import (
    Outputs,
    exclusive,
    independent,
    unable,
    why_abstained,
)
from qa_daemon.records.prediction import Abstention, Prediction

#: A label counts for the series if it is seen on this share of the slices, and on one at least.
SLICES_SHARE_MIN: Final = 0.25
#: From which probability on a label is accepted where the card does not say.
LABEL_MIN: Final = 0.5
#: Targets for which no accepted label is an answer: nothing is wrong (contract, section 2).
MAY_BE_EMPTY: Final = frozenset({"image_quality"})


def multi_label_predictions(outputs: Outputs) -> tuple[Prediction, ...]:
    """Return the series element first, then one per frame.

    A label belongs to the series if `SLICES_SHARE_MIN` of the slices show it: its probability is
    the k-th best over the slices. One slice that errs adds nothing, nor does the rim of a region.
    Regions of a stack whose places are known are first corrected by their neighbours
    (`anatomy`); then one slice is enough, and the series yields the set that it covers.
    """
    card = outputs.card
    if not outputs.subjects:
        return (unable(card.target, Abstention.NO_PIXELS, card.name),)
    each = independent(card, outputs.logits)
    needed = max(1, round(SLICES_SHARE_MIN * len(each.labels)))
    widespread = np.sort(each.labels, axis=0)[-needed]
    if _is_stack(outputs):
        assert outputs.heights_mm is not None
        each = evolve(each, labels=along_the_body(each.labels, outputs.heights_mm))
        needed = 1
    whole = evolve(
        _several(card, np.sort(each.labels, axis=0)[-needed], np.sort(each.known)[-needed]),
        widespread=dict(zip(card.labels, map(float, widespread), strict=True)),
    )
    frames = (
        subject.said(_several(card, shares, known))
        for subject, shares, known in zip(outputs.subjects, each.labels, each.known, strict=True)
    )
    return (whole, *frames)


def single_label_predictions(outputs: Outputs) -> tuple[Prediction, ...]:
    """Return the series element first, then one per frame.

    A frame that shows nothing known has no vote, unless none does.
    """
    card = outputs.card
    if not outputs.subjects:
        return (unable(card.target, Abstention.NO_PIXELS, card.name),)
    each = exclusive(card, outputs.logits)
    best = each.labels.max(axis=1)
    known = (each.known if card.reject else best) >= card.threshold("known", 0.0)
    voters = each.labels[known] if known.any() else each.labels
    whole = _one(card, pooled(voters, card.correlation), is_known=bool(known.any()))
    if len(voters) == 1:
        whole = _one(card, voters[0], is_known=bool(known.any()))  # alone it need not doubt
    frames = (
        subject.said(_one(card, shares, is_known=bool(is_known)))
        for subject, shares, is_known in zip(outputs.subjects, each.labels, known, strict=True)
    )
    return (whole, *frames)


def _is_stack(outputs: Outputs) -> bool:
    """Whether the answers are regions of the body at known places."""
    heights = outputs.heights_mm
    return (
        outputs.card.labels == ORDER
        and heights is not None
        and len(heights) >= SLICES_MIN
        and bool(np.isfinite(heights).all())
    )


def _several(card: ModelCard, shares: Probabilities, known: float) -> Prediction:
    order = np.argsort(-shares, kind="stable")
    accepted = tuple(
        card.labels[at]
        for at in order
        if shares[at] >= card.label_threshold(card.labels[at], LABEL_MIN)
    )
    best = int(order[0])
    may_be_empty = card.target in MAY_BE_EMPTY
    # Where some label must be true, a picture without any shows nothing that the model knows.
    certain = known if card.reject or may_be_empty else float(shares[best])
    is_known = bool(certain >= card.threshold("known", 0.0))
    if card.reject and not is_known:
        accepted = ()
    is_answer = is_known if may_be_empty else bool(accepted)
    return Prediction(
        target=card.target,
        model=card.name,
        label=card.labels[best],
        probability=float(shares[best]),
        abstained=not is_answer,
        reason=why_abstained(abstained=not is_answer, is_known=is_known),
        probabilities=dict(zip(card.labels, map(float, shares), strict=True)),
        labels=accepted,
    )


def _one(card: ModelCard, shares: Probabilities, *, is_known: bool) -> Prediction:
    best = int(shares.argmax())
    label = card.labels[best]
    abstained = not is_known or bool(shares[best] < card.label_threshold(label))
    return Prediction(
        target=card.target,
        model=card.name,
        label=label,
        probability=float(shares[best]),
        abstained=abstained,
        reason=why_abstained(abstained=abstained, is_known=is_known),
        probabilities=dict(zip(card.labels, map(float, shares), strict=True)),
    )
