"""How radiographs hang: which show their side, and what a scorer of turned copies is worth.

In: a card and scored upright pictures. Out: the card calibrated, and figures.
"""

from collections import defaultdict
from typing import Final

import numpy as np
from attrs import evolve, frozen
from numpy.typing import NDArray

from qa_daemon.predict.calibrate import pooled, softmax
from qa_daemon.predict.catalog import ModelCard
from qa_daemon.training.figures.calibration import (
    CORRELATION,
    Chosen,
    best_temperature,
    chosen,
    with_thresholds,
)
from qa_daemon.training.figures.intervals import Said, patient_weights, wilson
from qa_daemon.training.radiographs.measure import is_elsewhere
from qa_daemon.training.radiographs.pictures import Radiograph
from qa_daemon.training.recipe import Calibrated, Figures, Grey, Scored

#: Parts with unpaired organs, seen from the front.
SIDED_PARTS: Final = ("CHEST", "ABDOMEN")
FRONTAL: Final = ("AP", "PA", "FRONTAL")
#: Share of answers that may be decided and wrong, and the floor of each threshold.
WRONG_SHARE_MAX: Final = 0.003
TURN_LEAST: Final = 0.9
MIRROR_LEAST: Final = 0.975
#: Probability that organs are in view from which on the mirror is told.
ORGANS: Final = 0.5


def shows_side(item: Radiograph) -> bool:
    """Whether organs show which side is which, and the picture is known not to be mirrored."""
    return (
        item.is_unmirrored
        and item.view in FRONTAL
        and any(part in SIDED_PARTS for part in item.parts)
    )


def turned(picture: Grey, label: int) -> Grey:
    """Return T_label of (h, w): mirror first, then quarter turns anti-clockwise."""
    return np.rot90(np.fliplr(picture) if label >= 4 else picture, label % 4)


@frozen(eq=False)
class _Hung:
    """Probabilities of the eight classes of upright pictures, and the answers in them."""

    examples: tuple[Radiograph, ...]
    shares: NDArray[np.float64]

    @property
    def turns(self) -> NDArray[np.float64]:
        """The four quarter turns, whatever the mirror, shape (n, 4), as the service says them.

        It leaves even a single picture some doubt: a threshold above that is never reached.
        """
        sums = self.shares[:, :4] + self.shares[:, 4:]
        return np.asarray([pooled(each[None], CORRELATION) for each in sums], np.float64)

    @property
    def mirrors(self) -> NDArray[np.float64]:
        """How likely each is mirrored, given its likeliest turn, shape (n,)."""
        rows, turn = np.arange(len(self.shares)), self.turns.argmax(axis=1)
        mirrored, upright = self.shares[rows, turn + 4], self.shares[rows, turn]
        return np.asarray(mirrored / (mirrored + upright), np.float64)


def _hung(card: ModelCard, found: Scored[Radiograph]) -> _Hung:
    return _Hung(found.examples, softmax(found.logits, card.temperature))


def calibrated(card: ModelCard, found: Scored[Radiograph]) -> Calibrated:
    """Choose temperature and thresholds; turn and mirror apart, each patient counting once."""
    weights = patient_weights(found.examples)
    sided = np.asarray([shows_side(item) for item in found.examples])

    def surprise(temperature: float) -> float:
        shares = softmax(found.logits, temperature)
        right = np.where(sided, shares[:, 0], shares[:, 0] + shares[:, 4])
        return float(-(weights * np.log(np.clip(right, 1e-9, 1))).mean())

    warm = evolve(card, temperature=best_temperature(surprise), correlation=CORRELATION)
    hung = _hung(warm, found)
    turns, sides = [], []
    for item, turn, mirror in zip(hung.examples, hung.turns, hung.mirrors, strict=True):
        turns.append(Said(float(turn.max()), bool(turn.argmax() != 0), item.patient))
        if shows_side(item):
            sides.append(Said(max(mirror, 1 - mirror), bool(mirror > 0.5), item.patient))
    organs = "chest or abdomen from the front more likely than not"
    turn = chosen(turns, TURN_LEAST, WRONG_SHARE_MAX)
    # The mirror is decided no less strictly than the turn.
    mirror = chosen(sides, max(MIRROR_LEAST, turn.value), WRONG_SHARE_MAX)
    return with_thresholds(
        warm,
        {
            "turn": turn,
            "mirror": mirror,
            "organs": Chosen(ORGANS, organs),
        },
    )


def figures(card: ModelCard, found: Scored[Radiograph], sources: frozenset[str]) -> Figures:
    """Return turn and mirror by part, by hospital and by source."""
    hung = _hung(card, found.published())
    groups = defaultdict(list)
    for at, item in enumerate(hung.examples):
        place = "other hospitals" if is_elsewhere(item, sources) else "hospitals of the fit"
        for name in ("all", place, f"source: {item.source}"):
            groups[name].append(at)
        for part in item.parts:
            groups[f"{place}, {part}"].append(at)
    return {name: _of_group(card, hung, at) for name, at in sorted(groups.items())}


def _of_group(card: ModelCard, hung: _Hung, at: list[int]) -> Figures:
    turns, mirrors = hung.turns[at], hung.mirrors[at]
    right = turns.argmax(axis=1) == 0
    decided = turns.max(axis=1) >= card.threshold("turn")
    sided = np.asarray([shows_side(hung.examples[each]) for each in at]) & decided
    unmirrored = mirrors < 0.5
    said = sided & (np.maximum(mirrors, 1 - mirrors) >= card.threshold("mirror"))
    return {
        "n": len(at),
        "patients": len({hung.examples[each].patient for each in at}),
        "turn right": wilson(int(right.sum()), len(at)),
        "turn decided": wilson(int(decided.sum()), len(at)),
        "turn right when decided": wilson(int(right[decided].sum()), int(decided.sum())),
        "mirror right, of those that show sides": wilson(
            int(unmirrored[sided].sum()), int(sided.sum())
        ),
        "mirror decided": wilson(int(said.sum()), int(sided.sum())),
        "mirror right when decided": wilson(int(unmirrored[said].sum()), int(said.sum())),
    }
