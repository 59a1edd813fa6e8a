"""From the grey picture of a frame to what a model looks at, once per kind and size. Pure.

A card names its preparation; the table `PREPARATIONS` says which function of `pixels` that is. A
preparation that the table lacks makes the models that want it unavailable.
"""

from collections.abc import Callable, Mapping
from typing import Final

import numpy as np
from attrs import define, field, frozen
from numpy.typing import NDArray

from qa_daemon.pixels.inputs.chest import chest_tensor
from qa_daemon.pixels.inputs.displayed import displayed_tensor
from qa_daemon.pixels.inputs.marker import marker_places
from qa_daemon.pixels.inputs.picture import picture_tensor
from qa_daemon.pixels.radiograph import radiograph_tensor
from qa_daemon.pixels.tensor import orientation_tensor
from qa_daemon.records.prediction import Box

Grey = NDArray[np.float32]


@frozen(eq=False)
class Squares:
    """What one frame becomes.

    Attributes
    ----------
    pictures
        float32, shape (n, size, size). n = 1 but for `patches`: there, one square per place where
        something may be, possibly none.
    boxes
        Of `patches` only: where each square lies in the frame.
    """

    pictures: Grey
    boxes: tuple[Box, ...] = ()


@frozen(eq=False)
class View:
    """A frame as every preparation gets it.

    Attributes
    ----------
    grey
        After the modality LUT (CT: HU), MONOCHROME1 inverted, shape (rows, columns).
    spacing
        Pixel Spacing, between rows and between columns; (1, 1) where unknown.
    displayed
        Returns the frame as its window shows it, 0 black to 1 white; few models want it. Without
        one `grey` is shown from 0 to 1.
    """

    grey: Grey
    modality: str
    spacing: tuple[float, float] = (1.0, 1.0)
    displayed: Callable[[], Grey] | None = None


Prepare = Callable[[View, int], Squares]


def _slice(view: View, size: int) -> Squares:
    square = orientation_tensor(view.grey, view.modality, spacing=view.spacing, size=size)
    return Squares(square[None])


def _radiograph(view: View, size: int) -> Squares:
    return Squares(radiograph_tensor(view.grey, size=size)[None])


def _picture(view: View, size: int) -> Squares:
    return Squares(picture_tensor(view.grey, view.modality, size=size)[None])


def _chest(view: View, size: int) -> Squares:
    return Squares(chest_tensor(view.grey, size=size)[None])


def _displayed(view: View, size: int) -> Squares:
    shown = view.grey if view.displayed is None else view.displayed()
    return Squares(displayed_tensor(shown, size=size)[None])


def _patches(view: View, size: int) -> Squares:
    places = marker_places(view.grey, size=size)
    return Squares(places.squares, tuple(Box(*map(float, box)) for box in places.boxes))


#: By the word of the card.
PREPARATIONS: Final[Mapping[str, Prepare]] = {
    "slice": _slice,
    "radiograph": _radiograph,
    "picture": _picture,
    "chest": _chest,
    "displayed": _displayed,
    "patches": _patches,
}


@define(eq=False)
class Prepared:
    """The inputs of one frame; each is made when a model first wants it, and kept."""

    view: View
    _made: dict[tuple[str, int], Squares] = field(factory=dict, init=False)

    def of(self, preparation: str, size: int) -> Squares:
        """Return the input of a kind and size."""
        key = preparation, size
        if key not in self._made:
            self._made[key] = PREPARATIONS[preparation](self.view, size)
        return self._made[key]
