"""The pictures of an evaluation: every model, plain or not, gets the same ones.

In: examples. Out: inputs as the service makes them, with the labels that are right. Pictures of an
orientation are turned by a draw of their own, so that there is something to tell.
"""

from collections.abc import Sequence
from typing import Any, Final, Generic

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from qa_daemon.predict.interpreter import turned
from qa_daemon.training.recipe import E, Example, Grey, Kind, Recipe
from qa_daemon.training.split import Split, folds, place, without_source

FOLDS: Final = 3
#: A source of fewer pictures says little alone; those are held out together.
SOURCE_PICTURES_MIN: Final = 50
SMALL_SOURCES: Final = "small sources together"


@frozen(eq=False)
class Material(Generic[E]):
    """Examples with their inputs, shape (n, size, size), and right labels, shape (n, labels)."""

    examples: tuple[E, ...]
    pictures: Grey
    truth: NDArray[np.bool_]

    def of(self, examples: Sequence[Example]) -> "Material[E]":
        """Return the part that holds some of the examples, in their order."""
        places = {example.id: at for at, example in enumerate(self.examples)}
        kept = [places[example.id] for example in examples if example.id in places]
        return self.at(kept)

    def at(self, kept: Sequence[int]) -> "Material[E]":
        """Return some of it, by index."""
        chosen = list(kept)
        return Material(
            tuple(self.examples[at] for at in chosen), self.pictures[chosen], self.truth[chosen]
        )


@frozen(eq=False)
class Part(Generic[E]):
    """One way to hold something out: a fold, or a source."""

    kind: str
    name: str
    division: Split[E]


def material(recipe: Recipe[E], examples: Sequence[E]) -> Material[E]:
    """Return the material of all examples that have an answer.

    What shows none of the labels is there to be fitted on: how it is rejected says the card.
    """
    asked = tuple(example for example in examples if example.labels)
    turns = [_turn(recipe, example) for example in asked]
    pictures = np.stack(
        [
            turned(recipe.shown(example)[None], turn)[0]
            for example, turn in zip(asked, turns, strict=True)
        ]
    )
    truth = np.asarray(
        [
            [label in _labels(example, turn) for label in recipe.labels]
            for example, turn in zip(asked, turns, strict=True)
        ],
        bool,
    )
    return Material(asked, np.asarray(pictures, np.float32), truth)


def parts(recipe: Recipe[E], examples: Sequence[E]) -> tuple[Part[E], ...]:
    """Return the folds by patient, then every source held out in turn that has answers."""
    found = [
        Part("fold", str(number), division)
        for number, division in enumerate(folds(examples, FOLDS), 1)
    ]
    counts: dict[str, int] = {}
    for example in examples:
        is_asked = example.origin.is_measured and bool(example.labels or recipe.kind is Kind.OWN)
        counts[example.source] = counts.get(example.source, 0) + is_asked
    large = sorted(name for name, count in counts.items() if count >= SOURCE_PICTURES_MIN)
    small = frozenset(name for name, count in counts.items() if 0 < count < SOURCE_PICTURES_MIN)
    found += [Part("source", name, without_source(examples, frozenset({name}))) for name in large]
    if small:
        found.append(Part("source", SMALL_SOURCES, without_source(examples, small)))
    # With one source there is none to hold out.
    return tuple(part for part in found if part.division.training and part.division.held_out)


def _turn(recipe: Recipe[Any], example: Example) -> int:
    if recipe.kind is not Kind.ORIENTATION:
        return 0
    return int(place(example.id, "turn") * 8)


def _labels(example: Example, turn: int) -> tuple[str, ...]:
    """Return what is right once the picture has been turned; mirrored twice is not mirrored."""
    if not turn:
        return example.labels
    return tuple(str(turn if label == "0" else (turn + 4) % 8) for label in example.labels)
