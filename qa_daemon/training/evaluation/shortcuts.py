"""Can the answer be had without the anatomy? Two plain classifiers that should be near chance.

In: material. Out: balanced accuracies beside chance. The border: a logistic regression that sees
only the rim of the input. The source: one that tells where a picture of a label comes from, among
pictures of that label, because what a hospital images is no shortcut.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from qa_daemon.training.evaluation.baselines import features, logistic
from qa_daemon.training.evaluation.material import FOLDS, Material
from qa_daemon.training.figures.intervals import wilson
from qa_daemon.training.recipe import Example, Figures, Kind
from qa_daemon.training.split import folds

#: Width of the rim, as a share of the side; one pixel at least. A body is framed with a margin of
#: 3 % on each side (`pixels.tensor`), so a wider rim would show its outline.
RIM_SHARE: Final = 0.025
#: A source takes part with this many pictures of a label.
SOURCE_PICTURES_MIN: Final = 20


@frozen
class Found:
    """Accuracy of a classifier, each class counting the same, and what guessing gives."""

    right: tuple[float, ...]
    chance: float
    count: int
    classes: int

    def figures(self) -> Figures:
        """Return it for the report."""
        return {
            "n": self.count,
            "classes": self.classes,
            "balanced accuracy": list(self.right),
            "chance": round(self.chance, 4),
        }


def border(seen: Material[Any], kind: Kind) -> Figures:
    """Return how well the labels are told from the rim of the input alone."""
    rim = _rim(seen.pictures.shape[1])
    labelled = np.flatnonzero(seen.truth.any(axis=1)).tolist()
    own = seen.at(labelled)
    single = Kind.SINGLE if kind is Kind.MULTI else kind
    return _told(own, own.pictures[:, rim].astype(np.float64), own.truth, single).figures()


def source(seen: Material[Any], labels: tuple[str, ...]) -> Figures:
    """Return how well the source is told among pictures of one modality and label."""
    found: dict[str, Found] = {}
    modalities = np.asarray([example.modality for example in seen.examples])
    for place, label in enumerate(labels):
        alone = seen.truth[:, place] & (seen.truth.sum(axis=1) == 1)
        for modality in sorted(set(modalities[alone])):
            members = np.flatnonzero(alone & (modalities == modality)).tolist()
            large = _large([seen.examples[at] for at in members])
            if len(large) < 2:
                continue
            own = seen.at([at for at in members if seen.examples[at].source in large])
            truth = np.asarray([[e.source == name for name in large] for e in own.examples], bool)
            found[f"{modality} {label}"] = _told(own, features(own.pictures), truth, Kind.SINGLE)
    return {name: each.figures() for name, each in found.items()}


def _large(examples: Sequence[Example]) -> list[str]:
    """Return the sources with enough pictures, and enough patients to hold some out."""
    names = sorted({example.source for example in examples})
    own = {name: [e.group for e in examples if e.source == name] for name in names}
    return [
        name
        for name, groups in own.items()
        if len(groups) >= SOURCE_PICTURES_MIN and len(set(groups)) >= FOLDS
    ]


def masked(
    plain: NDArray[np.float32], hidden: NDArray[np.float32], truth: NDArray[np.bool_]
) -> Figures:
    """Return how often the best label is right with and without markers; logits (n, labels)."""
    rows = np.arange(len(truth))
    told: Mapping[str, NDArray[np.float32]] = {"as it is": plain, "markers masked": hidden}
    return {
        name: wilson(int(truth[rows, logits[:, : truth.shape[1]].argmax(axis=1)].sum()), len(rows))
        for name, logits in told.items()
    }


def _told(
    seen: Material[Any], given: NDArray[np.float64], truth: NDArray[np.bool_], kind: Kind
) -> Found:
    places = {example.id: at for at, example in enumerate(seen.examples)}
    said = np.zeros(len(truth), int)
    for fold in folds(seen.examples, FOLDS):
        fitted = [places[example.id] for example in fold.training]
        asked = [places[example.id] for example in fold.held_out]
        said[asked] = logistic(given[fitted], truth[fitted], given[asked], kind).argmax(axis=1)
    right = truth[np.arange(len(said)), said]
    first = truth.argmax(axis=1)
    shares = [float(right[first == label].mean()) for label in np.unique(first)]
    # The interval is that of as many pictures as there are, at the balanced share.
    balanced = float(np.mean(shares))
    return Found(
        tuple(wilson(balanced * len(said), len(said))), 1.0 / len(shares), len(said), len(shares)
    )


def _rim(size: int) -> NDArray[np.bool_]:
    width = max(1, round(RIM_SHARE * size))
    rim = np.ones((size, size), bool)
    rim[width:-width, width:-width] = False
    return rim
