"""`side_marker`: a lead letter on a radiograph, where it lies, and whether it is mirrored.

A model of this target looks at squares of the picture (`prepare.Squares`, preparation `patches`).
Its outputs are `L`, `R`, then with six and more outputs the same letters mirrored, the rest none.
From where on writing counts as mirrored a card says for all letters, or for those of one side.
"""

from typing import Final

import numpy as np
from attrs import evolve

from qa_daemon.predict.calibrate import Probabilities
from qa_daemon.predict.catalog import ModelCard
from qa_daemon.predict.heads.outputs import Outputs, Place, exclusive, unable, why_abstained
from qa_daemon.records.prediction import Abstention, Prediction

#: The labels of the contract, and what a card calls the same letters in mirror writing.
SIDES: Final = ("L", "R")
MIRRORED: Final = ("L mirrored", "R mirrored")
#: Nothing is surer: a card that asks for 1 is never content.
WRITING_MAX: Final = 1.0 - 1e-9


def marker_predictions(outputs: Outputs) -> tuple[Prediction, ...]:
    """Return the series element, the surest of the frames, then one per frame."""
    card = outputs.card
    if not outputs.subjects:
        return (unable(card.target, Abstention.NO_PIXELS, card.name),)
    frames = tuple(
        subject.said(_frame(card, places))
        for subject, places in zip(outputs.subjects, outputs.places, strict=True)
    )
    decided = [frame for frame in frames if not frame.abstained]
    surest = max(decided or frames, key=lambda frame: frame.probability or 0.0)
    if len({frame.label for frame in decided}) > 1:  # both sides of one patient in a series
        surest = evolve(surest, abstained=True, reason=Abstention.LOW_PROBABILITY)
    return (evolve(surest, sop_instance_uid=None, frame=None), *frames)


def _frame(card: ModelCard, places: tuple[Place, ...]) -> Prediction:
    """Return the surest marker of one frame; without a place that might be one: abstained."""
    if not places:
        return Prediction(target=card.target, model=card.name, reason=Abstention.LOW_PROBABILITY)
    shares = exclusive(card, np.stack([place.logits for place in places]))
    every = shares.labels * shares.known[:, None]
    marked = np.stack([_of(card, every, name) for name in (*SIDES, *MIRRORED)], axis=1)
    at = int(marked.sum(axis=1).argmax())
    found = float(marked[at].sum())
    given = marked[at] / max(found, 1e-12)  # the shares if a marker stands there
    sides, writing = given[:2] + given[2:], min(float(given[2:].sum()), WRITING_MAX)
    side = int(sides.argmax())
    abstained = found * float(sides[side]) < card.label_threshold(SIDES[side])
    least = card.threshold("mirrored")
    if writing > 0.5:
        least = card.threshold(f"mirrored:{SIDES[side]}", least)
    is_read = not abstained and max(writing, 1.0 - writing) >= least
    return Prediction(
        target=card.target,
        model=card.name,
        label=SIDES[side],
        probability=float(sides[side]),
        abstained=abstained,
        reason=why_abstained(abstained=abstained, is_known=True),
        probabilities=dict(zip(SIDES, map(float, sides), strict=True)),
        box=places[at].box,
        mirrored=writing > 0.5 if is_read else None,
    )


def _of(card: ModelCard, shares: Probabilities, name: str) -> Probabilities:
    if name not in card.labels:
        return np.zeros(len(shares))
    return shares[:, card.labels.index(name)]
