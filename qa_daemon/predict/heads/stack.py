"""`stack_direction`: whether regions follow each other from head to feet as the positions say.

The second witness of a wrong patient frame. What each slice shows tells how high it lies in the
body; a line through those heights over the positions rises (`agrees`), falls (`reversed`), or is
too flat or too short to tell.
"""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from qa_daemon.predict.catalog import ModelCard
from qa_daemon.predict.heads.outputs import Outputs, independent, unable, why_abstained
from qa_daemon.records.prediction import Abstention, Prediction

LABELS: Final = ("agrees", "reversed")
#: Where the middle of a region lies above the ischium in an adult, mm: only differences count.
REGION_HEIGHT_MM: Final[Mapping[str, float]] = {
    "LOWERLIMB": -350.0,
    "PELVIS": 80.0,
    "ABDOMEN": 300.0,
    "CHEST": 520.0,
    "NECK": 730.0,
    "HEAD": 880.0,
}
#: A shorter stack may lie inside one region, and tells nothing.
LENGTH_MM_MIN: Final = 150.0
SLICES_MIN: Final = 3
#: What regions say of the height of one slice is off by about this.
HEIGHT_SPREAD_MM: Final = 100.0
#: Slices say much the same as their neighbours: so many of them count as independent.
INDEPENDENT_MAX: Final = 5


def stack_prediction(outputs: Outputs) -> Prediction:
    """Return the series element of `stack_direction`; a single frame has no direction.

    Parameters
    ----------
    outputs
        Of the region model; `heights_mm` are the places of the slices as their tags say.
    """
    card = outputs.card
    heights = outputs.heights_mm
    if not outputs.subjects or heights is None:
        return unable("stack_direction", Abstention.NO_PIXELS, card.name)
    placed = np.isfinite(heights)
    if placed.sum() < SLICES_MIN:
        return unable("stack_direction", Abstention.NOT_APPLICABLE, card.name)
    share = agreement(heights[placed], seen_heights_mm(card, outputs.logits[placed]))
    is_long = float(np.ptp(heights[placed])) >= LENGTH_MM_MIN
    best = max(share, 1.0 - share)
    abstained = not is_long or best < card.threshold("stack", 0.98)
    return Prediction(
        target="stack_direction",
        model=card.name,
        label=LABELS[int(share < 0.5)],
        probability=best,
        abstained=abstained,
        reason=why_abstained(abstained=abstained, is_known=True),
        probabilities={"agrees": share, "reversed": 1.0 - share},
    )


def seen_heights_mm(card: ModelCard, logits: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return how high each slice lies in the body by the regions that it shows, shape (n,)."""
    shares = independent(card, logits).labels
    known = np.asarray([REGION_HEIGHT_MM.get(label, np.nan) for label in card.labels])
    told = np.isfinite(known)
    weights = shares[:, told] + 1e-6
    heights: NDArray[np.float64] = (weights * known[told]).sum(axis=1) / weights.sum(axis=1)
    return heights


def agreement(
    placed_mm: Sequence[float] | NDArray[np.float64], seen_mm: NDArray[np.float64]
) -> float:
    """Return the probability that the seen heights rise with the places rather than fall.

    The likelihood of a slope of +1 against one of -1, each slice off by `HEIGHT_SPREAD_MM`.
    """
    placed = np.asarray(placed_mm) - np.mean(placed_mm)
    seen = seen_mm - seen_mm.mean()
    count = min(len(placed), INDEPENDENT_MAX) / len(placed)
    odds = 2.0 * float((placed * seen).sum()) * count / HEIGHT_SPREAD_MM**2
    return float(1.0 / (1.0 + np.exp(-np.clip(odds, -30.0, 30.0))))
