"""What every card reports of held-out examples, for targets that need no words of their own.

In: a calibrated card and scored examples. Out: figures by group, with n, patients, intervals,
abstentions, calibration and the confusion of labels. Answers are those of single pictures.
"""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from qa_daemon.predict.catalog import ModelCard
from qa_daemon.predict.heads.outputs import exclusive, independent
from qa_daemon.training.figures import curves
from qa_daemon.training.figures.calibration import LABEL_MIN, truth_of
from qa_daemon.training.figures.intervals import wilson
from qa_daemon.training.recipe import Example, Figures, Kind, Scored


@frozen(eq=False)
class Answers:
    """Probabilities and truth of examples, shape (n, labels); which are decided, shape (n,)."""

    examples: tuple[Example, ...]
    labels: tuple[str, ...]
    shares: NDArray[np.float64]
    truth: NDArray[np.bool_]
    decided: NDArray[np.bool_]

    @property
    def best(self) -> NDArray[np.intp]:
        """The most probable label of each, shape (n,)."""
        return np.asarray(self.shares.argmax(axis=1), np.intp)

    @property
    def right(self) -> NDArray[np.bool_]:
        """Whether the most probable label is a right one, shape (n,)."""
        return np.asarray(self.truth[np.arange(len(self.best)), self.best], bool)

    def at(self, chosen: Sequence[int]) -> "Answers":
        """Return some of them, by index."""
        kept = list(chosen)
        examples = tuple(self.examples[index] for index in kept)
        return Answers(
            examples, self.labels, self.shares[kept], self.truth[kept], self.decided[kept]
        )


def answers(card: ModelCard, found: Scored[Any], kind: Kind) -> Answers:
    """Return what the card says of the examples as published."""
    published = found.published()
    every = (independent if kind is Kind.MULTI else exclusive)(card, published.logits)
    least = np.asarray([card.label_threshold(label, LABEL_MIN) for label in card.labels])
    reached = every.labels >= least
    if kind is not Kind.MULTI:
        reached &= every.labels == every.labels.max(axis=1, keepdims=True)
    return Answers(
        examples=published.examples,
        labels=card.labels,
        shares=every.labels,
        truth=truth_of(card, published.examples),
        decided=reached.any(axis=1) & (every.known >= card.threshold("known", 0.0)),
    )


def standard_figures(said: Answers, sources_held_out: frozenset[str]) -> Figures:
    """Return figures of all, of held-out patients and held-out sources, and of each source."""
    groups: dict[str, list[int]] = defaultdict(list)
    for index, example in enumerate(said.examples):
        is_unseen = example.source in sources_held_out
        kind = "sources held out" if is_unseen else "patients held out"
        for name in ("all", kind, f"source: {example.source}"):
            groups[name].append(index)
    return {
        "pictures": {name: of_group(said.at(at)) for name, at in sorted(groups.items())},
        "macro F1": round(curves.macro_f1(_table(said)), 4),
        "confusion, rows are the truth": {
            label: row.tolist() for label, row in zip(said.labels, _table(said), strict=True)
        },
    }


def of_group(said: Answers) -> Figures:
    """Return the figures of one group of pictures."""
    sure = said.shares.max(axis=1)
    decided = said.decided
    return {
        "n": len(said.examples),
        "patients": len({example.group for example in said.examples}),
        "best label right": wilson(int(said.right.sum()), len(said.right)),
        "decided": wilson(int(decided.sum()), len(decided)),
        "right when decided": wilson(int(said.right[decided].sum()), int(decided.sum())),
        "ECE": round(curves.reliability(said.right, sure).error, 4),
    }


def _table(said: Answers) -> NDArray[np.int_]:
    """Return the confusion; of several right labels the one that was said counts, else the first.

    Examples without any label of the target have no row.
    """
    labelled = np.flatnonzero(said.truth.any(axis=1))
    best = said.best[labelled]
    truth = np.where(said.right[labelled], best, said.truth[labelled].argmax(axis=1))
    return curves.confusion(truth.tolist(), best.tolist(), len(said.labels))
