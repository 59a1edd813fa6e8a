"""How batches of radiographs are drawn: which picture how often, and which variant of it.

In: examples and a random generator. Out: squares as `pixels.radiograph` makes them.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from qa_daemon.pixels.radiograph import radiograph_tensor
from qa_daemon.training.radiographs.pictures import Radiograph
from qa_daemon.training.radiographs.strangers import stranger
from qa_daemon.training.radiographs.variety import STRONG, Ready, Variety, ready, varied
from qa_daemon.training.recipe import Grey

#: Longer side of a variant before it is prepared, in samples.
SIDES: Final = (160.0, 240.0)
STRANGER_SIDE: Final = 192


class Album:
    """Pictures of which variants are drawn; each is read and its field sought once."""

    def __init__(self, items: Sequence[Radiograph], chances: NDArray[np.float64]) -> None:
        self._items, self._chances = list(items), chances
        self._ready: dict[int, Ready] = {}

    def __len__(self) -> int:
        return len(self._items)

    def draw(self, random: Generator, count: int) -> list[int]:
        """Return places of pictures, as often as their chances say."""
        return [int(at) for at in random.choice(len(self._items), count, p=self._chances)]

    def item(self, place: int) -> Radiograph:
        """Return the picture at a place."""
        return self._items[place]

    def variant(self, place: int, random: Generator, size: int, variety: Variety = STRONG) -> Grey:
        """Return a random variant of the picture at a place, shape (size, size)."""
        if place not in self._ready:
            self._ready[place] = ready(self._items[place].read())
        side = int(random.uniform(*SIDES))
        return radiograph_tensor(varied(self._ready[place], random, side, variety), size=size)


def strange(random: Generator, size: int) -> Grey:
    """Return a drawn picture that is no radiograph, shape (size, size)."""
    return radiograph_tensor(stranger(random, STRANGER_SIDE), size=size)


def shown(item: Radiograph, size: int) -> Grey:
    """Return a picture as the service shows it to a model, shape (size, size)."""
    return radiograph_tensor(item.read().astype(np.float32), size=size)


def rarity(items: Sequence[Radiograph]) -> NDArray[np.float64]:
    """Return how often each picture is drawn, sum 1: by the roots of its source and its label."""
    sources = Counter(item.source for item in items)
    labels = Counter(label for item in items for label in item.labels)
    weights = np.asarray(
        [
            (sources[item.source] * min((labels[each] for each in item.labels), default=1)) ** -0.5
            for item in items
        ]
    )
    return np.asarray(weights / weights.sum(), np.float64)
