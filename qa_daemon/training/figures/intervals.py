"""Shares with their intervals, and thresholds that count each patient once. Pure."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Final

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from qa_daemon.training.recipe import Example

#: Share of decided answers that may be wrong, each patient counting once: three in a thousand for
#: the turn and as many for the mirror leave four for the regions, one alarm in a hundred series.
WRONG_SHARE_MAX: Final = 0.003


def wilson(right: float, count: float) -> list[float]:
    """Return share, lower and upper 95 % bound of a binomial proportion."""
    if count == 0:
        return [0.0, 0.0, 1.0]
    z, share = 1.96, right / count
    centre = (share + z * z / (2 * count)) / (1 + z * z / count)
    half = z / (1 + z * z / count) * (share * (1 - share) / count + (z / count / 2) ** 2) ** 0.5
    return [round(float(each), 4) for each in (share, max(0, centre - half), min(1, centre + half))]


def patient_weights(examples: Sequence[Example]) -> NDArray[np.float64]:
    """Return weights that let each patient count by the root of its pictures, mean 1."""
    counts: dict[str, int] = defaultdict(int)
    for example in examples:
        counts[example.patient] += 1
    weights = np.asarray([counts[example.patient] ** -0.5 for example in examples])
    return np.asarray(weights / weights.mean(), np.float64)


@frozen
class Said:
    """One answer: its probability, whether it was wrong, and of whom."""

    probability: float
    is_wrong: bool
    patient: str


def threshold(
    said: Sequence[Said], least: float, wrong_share_max: float = WRONG_SHARE_MAX
) -> float:
    """Return the least probability from `least` on with few enough wrong answers above it.

    Each patient counts once, however many pictures there are; the share is that of all answers, so
    that a threshold which almost nobody reaches is not called a good one for being never wrong.
    """
    counts: dict[str, int] = defaultdict(int)
    for each in said:
        counts[each.patient] += 1
    wrong = sorted((each for each in said if each.is_wrong), key=lambda each: -each.probability)
    borne, value = 0.0, least
    for each in wrong:
        borne += 1 / counts[each.patient]
        if borne > wrong_share_max * len(counts):
            value = float(np.ceil(each.probability * 1000 + 1e-6) / 1000)
            break
    return max(least, value)
