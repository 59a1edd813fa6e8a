"""Regions follow each other from head to feet: what one slice shows, corrected by its neighbours.

A hidden Markov model over the slices of an axial stack, head first: each slice lies in one region,
and the next one in the same or in one further down. The probabilities of the slices are its
emissions, the forward-backward algorithm gives the regions that fit the whole stack. Which end is
the head is not taken from the tags: both directions are weighed. Pure, numpy only.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from qa_daemon.predict.calibrate import Probabilities, effective_count

#: Head to feet, the order of the stack.
ORDER: Final = ("HEAD", "NECK", "CHEST", "ABDOMEN", "PELVIS", "LOWERLIMB")
#: Chances that the next sampled slice lies in the same region, in the next, or further down. Ten
#: slices of a whole body show each region once or twice, ten of a chest one region ten times.
STAY: Final = 0.70
NEXT: Final = 0.27
BEYOND: Final = 0.03
#: No slice excludes a region for certain.
DOUBT: Final = 0.02
#: Neighbouring slices err alike: n of them count as n / (1 + (n - 1) CORRELATION).
CORRELATION: Final = 0.25
#: Less is no stack.
SLICES_MIN: Final = 3


def _transitions() -> Probabilities:
    """Return the chances of each region after each, rows sum to 1; never back towards the head."""
    count = len(ORDER)
    chances = np.zeros((count, count))
    for here in range(count):
        chances[here, here] = STAY
        chances[here, here + 1 : here + 2] = NEXT
        chances[here, here + 2 :] = BEYOND / max(1, count - here - 2)
    return np.asarray(chances / chances.sum(axis=1, keepdims=True), np.float64)


_TRANSITIONS: Final = _transitions()


def along_the_body(shares: Probabilities, heights_mm: NDArray[np.float64]) -> Probabilities:
    """Return the probabilities of the regions of an axial stack, each slice seen in its place.

    Parameters
    ----------
    shares
        Calibrated and independent, in the order of `ORDER`, shape (n, 6).
    heights_mm
        Places of the slices along the patient, finite, shape (n,); less than `SLICES_MIN` of them
        are left as they are.

    Notes
    -----
    A slice may show the end of one region and the start of the next. So a region counts if the
    stack says that the slice lies in it, and else by what the slice shows, as far as the stack has
    a neighbouring slice in it.
    """
    if len(heights_mm) < SLICES_MIN:
        return shares
    order = np.argsort(-heights_mm, kind="stable")
    inside = _regions_of_places(shares[order])
    around = np.concatenate([inside[:1], inside, inside[-1:]])
    near = np.maximum(np.maximum(around[:-2], around[1:-1]), around[2:])
    smoothed = shares.copy()
    smoothed[order] = inside + (1.0 - inside) * shares[order] * near
    return smoothed


def head_end_odds(shares: Probabilities, heights_mm: NDArray[np.float64]) -> float:
    """Return the logarithm of how much better regions fit the order of the places than its reverse.

    Parameters as in `along_the_body`, without those labels that no region of `ORDER` has. Every
    slice counts in full: which end is the head rests on the few that show another region.
    """
    seen = _emissions(shares[np.argsort(-heights_mm, kind="stable")])
    return _forward_backward(seen)[1] - _forward_backward(seen[::-1])[1]


def _emissions(shares: Probabilities) -> Probabilities:
    seen = shares + DOUBT
    return np.asarray(seen / seen.sum(axis=1, keepdims=True), np.float64)


def _regions_of_places(shares: Probabilities) -> Probabilities:
    """Return in which region each slice of a stack lies; rows sum to 1."""
    seen = _emissions(shares)
    seen **= effective_count(len(seen), CORRELATION) / len(seen)
    down, down_log = _forward_backward(seen)
    up, up_log = _forward_backward(seen[::-1])
    is_head_first = 1.0 / (1.0 + np.exp(np.clip(up_log - down_log, -60.0, 60.0)))
    places: Probabilities = is_head_first * down + (1.0 - is_head_first) * up[::-1]
    return places


def _forward_backward(seen: Probabilities) -> tuple[Probabilities, float]:
    """Return the posterior of each slice, and the logarithm of the likelihood of the stack."""
    forward, backward = np.empty_like(seen), np.ones_like(seen)
    log = 0.0
    chances = np.full(seen.shape[1], 1.0 / seen.shape[1])
    for at, row in enumerate(seen):
        reached = (chances if at == 0 else forward[at - 1] @ _TRANSITIONS) * row
        log += float(np.log(reached.sum()))
        forward[at] = reached / reached.sum()
    for at in range(len(seen) - 2, -1, -1):
        ahead = _TRANSITIONS @ (seen[at + 1] * backward[at + 1])
        backward[at] = ahead / ahead.sum()
    posterior = forward * backward
    return np.asarray(posterior / posterior.sum(axis=1, keepdims=True), np.float64), log
