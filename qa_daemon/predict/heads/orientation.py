"""The eight classes: how the picture lies, as a quarter turn and a mirror, decided apart.

The quarter turn is decided by all frames. Who may speak about the mirror say the witnesses of the
card: of axial slices those that show organs of the chest or the abdomen. Without witnesses every
frame speaks. The mirror has the higher threshold.

Thresholds that the card may give: `turn` and `mirror` of the series or the single picture,
`turn_slice` and `mirror_slice` where slices count as fewer than two, `organs` (what witnesses must
say together for a frame to speak about the mirror), `known`.
"""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from attrs import frozen

from qa_daemon.predict.calibrate import Probabilities, effective_count, pooled
from qa_daemon.predict.catalog import ModelCard, Witness
from qa_daemon.predict.heads.outputs import (
    Outputs,
    Subject,
    exclusive,
    unable,
    why_abstained,
)
from qa_daemon.records.prediction import Abstention, Part, Prediction

#: Regions with unpaired organs that show which side is which (`orientation_maths`).
SIDED_REGIONS: Final = ("CHEST", "ABDOMEN")
#: Regions without such organs: shoulders and iliac crests show a little of both kinds.
SIDELESS_REGIONS: Final = ("HEAD", "NECK", "PELVIS", "LOWERLIMB")
#: Whom a model of axial slices asks whose card names nobody.
_AXIAL: Final = "axial_orientation"
#: A mirror probability is kept this far from 0 and 1: of a slice alone, and of one that votes. A
#: voter may be quite wrong (a high dome of the liver looks mirrored), and must not outvote three.
SIDE_DOUBT_ALONE: Final = 0.001
SIDE_DOUBT_VOTING: Final = 0.02
#: From which say of the witnesses on a frame speaks about the mirror.
ORGANS_MIN: Final = 0.5


@frozen(eq=False)
class _Frames:
    """What is known of the frames that vote together.

    Attributes
    ----------
    shares
        Of the eight classes, shape (n, 8).
    organs
        How sure the witnesses are that the side can be told, shape (n,).
    known
        Whether each shows anything that the models know.
    """

    shares: Probabilities
    organs: Probabilities
    known: tuple[bool, ...]

    def one(self, index: int) -> "_Frames":
        """Return one of them."""
        part = slice(index, index + 1)
        return _Frames(self.shares[part], self.organs[part], self.known[part])


def witnesses_of(card: ModelCard) -> tuple[Witness, ...]:
    """Return whom an orientation asks whether it can be told."""
    if card.witnesses or card.target != _AXIAL:
        return card.witnesses
    known = card.threshold("known", 0.0)
    return (
        Witness(target="body_region", sided=SIDED_REGIONS, sideless=SIDELESS_REGIONS, known=known),
    )


def orientation_predictions(
    outputs: Outputs, witnesses: Sequence[Prediction] = ()
) -> tuple[Prediction, ...]:
    """Return the orientation: the series element first, then one per frame.

    Parameters
    ----------
    outputs
        Logits of the eight classes per frame.
    witnesses
        What the models that the card names said of the same frames; without one that is to name
        what shows the sides, the mirror stays undecided.
    """
    card = outputs.card
    if not outputs.subjects:
        return (unable(card.target, Abstention.NO_PIXELS, card.name),)
    each, said = exclusive(card, outputs.logits), _by_subject(witnesses)
    asked = witnesses_of(card)
    frames = _Frames(
        each.labels,
        np.asarray([_organs(asked, said.get(subject, {})) for subject in outputs.subjects]),
        tuple(
            _is_known(card, asked, said.get(subject, {}), float(known))
            for subject, known in zip(outputs.subjects, each.known, strict=True)
        ),
    )
    series = _voted(card, frames)
    return (
        series,
        *(
            subject.said(_voted(card, frames.one(index)))
            for index, subject in enumerate(outputs.subjects)
        ),
    )


def _voted(card: ModelCard, frames: _Frames) -> Prediction:
    """Return what frames say together."""
    each, is_known = frames.shares, any(frames.known)
    turns = pooled(each[:, :4] + each[:, 4:], card.correlation)
    turn = int(turns.argmax())
    sides = _mirror(frames, turn, card)
    alone = "_slice" if effective_count(len(each), card.correlation) < 2.0 else ""
    turn_part = Part(
        value=turn,
        probability=float(turns[turn]),
        abstained=not is_known or bool(turns[turn] < _limit(card, "turn", alone)),
    )
    is_mirrored = bool(sides > 0.5)
    certain = float(max(sides, 1.0 - sides))
    mirror_part = Part(
        value=is_mirrored,
        probability=certain,
        abstained=turn_part.abstained
        or bool(frames.organs.max() < card.threshold("organs", ORGANS_MIN))
        or certain < _limit(card, "mirror", alone),
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
        reason=why_abstained(abstained=abstained, is_known=is_known),
        probabilities=dict(zip(card.labels, map(float, shares), strict=True)),
        turn=turn_part,
        mirror=mirror_part,
    )


def _limit(card: ModelCard, part: str, alone: str) -> float:
    return card.threshold(part + alone, card.threshold(part))


def _mirror(frames: _Frames, turn: int, card: ModelCard) -> float:
    """Return the probability of a mirror, given the turn, of the frames that show sides.

    Where none does, all are asked: the answer is then reported, and abstained from.
    """
    asked = frames.shares[frames.organs >= card.threshold("organs", ORGANS_MIN)]
    if not len(asked):
        asked = frames.shares
    upright, mirrored = asked[:, turn] + 1e-9, asked[:, 4 + turn] + 1e-9
    doubt = SIDE_DOUBT_ALONE if len(asked) == 1 else SIDE_DOUBT_VOTING
    shares = np.clip(mirrored / (upright + mirrored), doubt, 1.0 - doubt)
    # A slice that sees another turn than the series knows little of this one's mirror.
    weights = upright + mirrored
    odds = float((np.log(shares / (1.0 - shares)) * weights).sum() / max(1e-9, weights.sum()))
    total = odds * effective_count(len(asked), card.correlation)
    return float(1.0 / (1.0 + np.exp(-total)))


def _by_subject(
    witnesses: Sequence[Prediction],
) -> Mapping[Subject, Mapping[str, Prediction]]:
    found: dict[Subject, dict[str, Prediction]] = {}
    for said in witnesses:
        if said.sop_instance_uid is not None and said.frame is not None:
            subject = Subject(said.sop_instance_uid, said.frame)
            found.setdefault(subject, {})[said.target] = said
    return found


def _organs(asked: Sequence[Witness], said: Mapping[str, Prediction]) -> float:
    """Return the probability that the frame shows which side is which; 0 if nobody looked."""
    certain = 1.0
    for witness in asked:
        seen = said[witness.target].probabilities if witness.target in said else {}
        if witness.sided:
            certain *= max(seen.get(label, 0.0) for label in witness.sided)
        certain *= 1.0 - max((seen.get(label, 0.0) for label in witness.sideless), default=0.0)
    return certain


def _is_known(
    card: ModelCard, asked: Sequence[Witness], said: Mapping[str, Prediction], own: float
) -> bool:
    """Whether the frame shows anything known, as far as anybody was asked."""
    if card.reject and own < card.threshold("known", 0.0):
        return False
    return all(
        max(said[witness.target].probabilities.values(), default=1.0) >= witness.known
        for witness in asked
        if witness.target in said
    )
