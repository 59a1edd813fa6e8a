"""From logits to probabilities that mean what they say. Pure, numpy only.

Slices of one series are no independent witnesses: their log-probabilities are added, but n of
them count as n / (1 + (n - 1) correlation), the effective size of a clustered sample.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

Probabilities = NDArray[np.float64]

#: No single slice may veto a series: each keeps this much doubt, spread over all labels.
DOUBT: Final = 0.02


def softmax(logits: NDArray[np.floating], temperature: float) -> Probabilities:
    """Return probabilities over the last axis."""
    scaled = logits.astype(np.float64) / temperature
    raised = np.exp(scaled - scaled.max(axis=-1, keepdims=True))
    shares: Probabilities = raised / raised.sum(axis=-1, keepdims=True)
    return shares


def sigmoid(logits: NDArray[np.floating], temperature: float) -> Probabilities:
    """Return independent probabilities, shape unchanged."""
    scaled = np.clip(logits.astype(np.float64) / temperature, -60.0, 60.0)
    shares: Probabilities = 1.0 / (1.0 + np.exp(-scaled))
    return shares


def effective_count(count: int, correlation: float) -> float:
    """Return how many independent slices `count` correlated ones are worth."""
    return count / (1.0 + (count - 1) * correlation) if count else 0.0


def pooled(slices: Probabilities, correlation: float) -> Probabilities:
    """Return the vote of slices, shape (n, labels), as probabilities, shape (labels,)."""
    doubting = slices * (1.0 - DOUBT) + DOUBT / slices.shape[1]
    logs = np.log(doubting).mean(axis=0) * effective_count(len(slices), correlation)
    return softmax(logs, 1.0)
