"""`stack_direction`: whether regions follow each other from head to feet as the positions say.

The second witness of a wrong patient frame. The regions that slices show fit the order of their
positions (`agrees`) or its reverse (`reversed`) better, or both about as well: then nothing is told
(`heads.anatomy`). A line through heights of regions was tried: it is led astray by one slice at
the end of a stack (a knee and a head were called reversed at .99 and .97).
"""

from typing import Final

import numpy as np

from qa_daemon.predict.heads.anatomy import ORDER, SLICES_MIN, head_end_odds
from qa_daemon.predict.heads.outputs import Outputs, independent, unable, why_abstained
from qa_daemon.records.prediction import Abstention, Prediction

LABELS: Final = ("agrees", "reversed")
#: A shorter stack may lie inside one region, and tells nothing.
LENGTH_MM_MIN: Final = 150.0
#: No answer is surer than these odds.
LOG_ODDS_MAX: Final = 30.0
#: Right on 14 of 14 stacks of 15 cm of patients that the regions were not fitted on, 12 of them
#: decided; the greatest probability of a wrong answer on any stack was .80.
STACK_MIN: Final = 0.98


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
    if placed.sum() < SLICES_MIN or card.labels != ORDER:
        return unable("stack_direction", Abstention.NOT_APPLICABLE, card.name)
    shares = independent(card, outputs.logits[placed]).labels
    odds = np.clip(head_end_odds(shares, heights[placed]), -LOG_ODDS_MAX, LOG_ODDS_MAX)
    share = float(1.0 / (1.0 + np.exp(-odds)))
    is_long = float(np.ptp(heights[placed])) >= LENGTH_MM_MIN
    best = max(share, 1.0 - share)
    abstained = not is_long or best < card.threshold("stack", STACK_MIN)
    return Prediction(
        target="stack_direction",
        model=card.name,
        label=LABELS[int(share < 0.5)],
        probability=best,
        abstained=abstained,
        reason=why_abstained(abstained=abstained, is_known=True),
        probabilities={"agrees": share, "reversed": 1.0 - share},
    )
