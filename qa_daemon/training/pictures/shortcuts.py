"""What can be read from the input without any anatomy: kinds and sources from the rim alone.

In: squares as the model sees them, and examples. Out: how often a plain classifier on the rim, or
on everything, names the right one on patients that it did not see, beside the share of the most
frequent one. A rim that tells more than that still holds a shortcut.
"""

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from qa_daemon.pixels.tensor import Grey, disc
from qa_daemon.training.figures.intervals import wilson
from qa_daemon.training.recipe import Example, Figures

#: Thickness of the rim, in pixels of the square.
RIM: Final = 3
#: Strength of the ridge, against pixels of deviation 1; not tuned.
RIDGE: Final = 30.0
#: Fewer pictures of a source than this say nothing about it.
SOURCE_MIN: Final = 30


def rim(size: int, thickness: int = RIM) -> NDArray[np.bool_]:
    """Return the pixels of the disc of a square within `thickness` of its edge."""
    inner = np.zeros((size, size), bool)
    inner[thickness:-thickness, thickness:-thickness] = disc(size - 2 * thickness)
    return disc(size) & ~inner


def told_by(
    pixels: NDArray[np.float32], names: Sequence[str], examples: Sequence[Example]
) -> Figures:
    """Return how well a ridge classifier on pixels, shape (n, pixels), tells names apart.

    Fitted on half of the patients of each name, asked about the others, then the other way.
    """
    labels = sorted(set(names))
    truth = np.array([labels.index(name) for name in names])
    half = _half(names, [each.patient for each in examples])
    said = np.zeros(len(truth), int)
    for fitted in (half, ~half):
        if fitted.any() and (~fitted).any():
            said[~fitted] = _ridge(pixels[fitted], truth[fitted], len(labels))(pixels[~fitted])
    most = int(np.bincount(truth).max())
    return {
        "n": len(truth),
        "right": wilson(int((said == truth).sum()), len(truth)),
        "most frequent": round(most / len(truth), 4),
    }


def shortcuts(
    squares: Grey, examples: Sequence[Example], kind_of: Callable[[Example], str]
) -> Figures:
    """Return what rim and whole tell of the kind, and of the source among pictures of one kind."""
    size = squares.shape[1]
    flat = squares.reshape(len(squares), -1)
    parts = {"rim": flat[:, rim(size).ravel()], "everything": flat}
    kinds = [kind_of(example) for example in examples]
    figures: Figures = {
        f"kind by {name}": told_by(pixels, kinds, examples) for name, pixels in parts.items()
    }
    for kind in sorted(set(kinds)):
        at = _of_large_sources(kind, kinds, examples)
        sources = [examples[index].source for index in at]
        if len(set(sources)) > 1:
            chosen = [examples[index] for index in at]
            for name, pixels in parts.items():
                figures[f"source of {kind} by {name}"] = told_by(pixels[at], sources, chosen)
    return figures


def _half(names: Sequence[str], patients: Sequence[str]) -> NDArray[np.bool_]:
    """Return which half each lies in: every other patient of each name, so that both hold all."""
    order: dict[str, list[str]] = {}
    for name, patient in sorted(set(zip(names, patients, strict=True))):
        order.setdefault(name, []).append(patient)
    chosen = {(name, each) for name, found in order.items() for each in found[::2]}
    return np.array([pair in chosen for pair in zip(names, patients, strict=True)])


def _of_large_sources(kind: str, kinds: Sequence[str], examples: Sequence[Example]) -> list[int]:
    at = [index for index, each in enumerate(kinds) if each == kind]
    sources = [examples[index].source for index in at]
    return [index for index in at if sources.count(examples[index].source) >= SOURCE_MIN]


def _ridge(
    pixels: NDArray[np.float32], truth: NDArray[np.int_], labels: int
) -> Callable[[NDArray[np.float32]], NDArray[np.intp]]:
    """Return a least-squares classifier; in the dual where there are fewer pictures than pixels."""
    centre = pixels.mean(axis=0)
    shown = (pixels - centre).astype(np.float64)
    wanted = np.eye(labels)[truth]
    mean = wanted.mean(axis=0)
    count, width = shown.shape
    if count < width:
        weights = shown.T @ np.linalg.solve(shown @ shown.T + RIDGE * np.eye(count), wanted - mean)
    else:
        weights = np.linalg.solve(
            shown.T @ shown + RIDGE * np.eye(width), shown.T @ (wanted - mean)
        )

    def best(asked: NDArray[np.float32]) -> NDArray[np.intp]:
        return np.asarray(((asked - centre) @ weights + mean).argmax(axis=1), np.intp)

    return best
