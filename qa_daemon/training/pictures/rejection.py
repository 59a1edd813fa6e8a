"""What is none of the labels, and how often a card abstains on it.

In: a calibrated card and scored examples of no label. Out: figures by source.
"""

from collections import defaultdict
from typing import Any

import numpy as np

from qa_daemon.predict.catalog import ModelCard
from qa_daemon.predict.heads.outputs import exclusive
from qa_daemon.training.figures.intervals import wilson
from qa_daemon.training.recipe import Figures, Scored


def rejected(card: ModelCard, found: Scored[Any]) -> Figures:
    """Return on which share of pictures of no class the card abstains, by source.

    It does if the picture is not known, or if no label reaches its threshold.
    """
    shares = exclusive(card, found.logits)
    least = np.asarray([card.label_threshold(label) for label in card.labels])
    reached = (shares.labels >= least).any(axis=1)
    abstained = ~reached | (shares.known < card.threshold("known", 0.0))
    groups: dict[str, list[int]] = defaultdict(list)
    for at, example in enumerate(found.examples):
        groups["all"].append(at)
        groups[f"source: {example.source}"].append(at)
    return {
        name: {"n": len(at), "abstained": wilson(int(abstained[at].sum()), len(at))}
        for name, at in sorted(groups.items())
    }
