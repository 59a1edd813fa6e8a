"""LiteRT: one model, one thread, batches of pictures.

In: standardised squares (`predict.prepare`). Out: raw logits per picture and output.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

import numpy as np
from ai_edge_litert.interpreter import Interpreter as LiteRt
from numpy.typing import NDArray

from qa_daemon.errors import ConfigurationError
from qa_daemon.predict.catalog import ModelCard

#: Input pixels per call: the activations of a small network then stay below 10 MB, those of a
#: backbone of 160 pixels below 60 MB.
PIXELS_PER_CALL: Final = 8 * 224 * 224
#: A slice of class k is upright after this turn (`orientation_maths`): 1 and 3 undo each other.
UNDONE_BY: Final = (0, 3, 2, 1, 4, 5, 6, 7)
#: The turns in which a picture is shown, by `ModelCard.copies`.
SHOWN: Final[Mapping[str, tuple[int, ...]]] = {
    "scored": UNDONE_BY,
    "averaged": UNDONE_BY,
    "mirrored": (0, 4),
    "single": (0,),
}
#: Golden outputs may differ by this much between processors.
GOLDEN_TOLERANCE: Final = 0.02


class Interpreter:
    """A loaded model. Not for use by several threads."""

    def __init__(self, card: ModelCard) -> None:
        self.card = card
        with _refused(card):
            self._lite = LiteRt(model_content=card.content, num_threads=1)
            self._given: Any = self._lite.get_input_details()[0]
            self._found: Any = self._lite.get_output_details()[0]
        self._batch = 0

    def run(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the outputs, shape (n, outputs), for squares of shape (n, size, size)."""
        assert batch.ndim == 3
        assert batch.shape[1:] == (self.card.size, self.card.size)
        if len(batch) != self._batch:
            self._lite.resize_tensor_input(self._given["index"], [*batch.shape, 1])
            self._lite.allocate_tensors()
            self._batch = len(batch)
        self._lite.set_tensor(self._given["index"], batch[..., None].astype(np.float32, copy=False))
        self._lite.invoke()
        outputs: NDArray[np.float32] = self._lite.get_tensor(self._found["index"])
        return outputs

    def scores(self, squares: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return raw logits, shape (n, card.outputs), for pictures as stored, (n, size, size).

        Raises
        ------
        ConfigurationError
            If the model has not the outputs that its card promises.
        """
        shown = len(SHOWN[self.card.copies]) * self.card.size**2
        at_once = max(1, PIXELS_PER_CALL // shown)
        parts = [
            self._scores(squares[first : first + at_once])
            for first in range(0, len(squares), at_once)
        ]
        if not parts:
            return np.zeros((0, self.card.outputs), np.float32)
        return np.concatenate(parts)

    def _scores(self, squares: NDArray[np.float32]) -> NDArray[np.float32]:
        turns = SHOWN[self.card.copies]
        copies = np.stack([turned(squares, turn) for turn in turns], axis=1)
        outputs = self.run(copies.reshape(-1, *squares.shape[1:]))
        by_copy = outputs.reshape(len(squares), len(turns), -1)
        averaged: NDArray[np.float32] = by_copy.mean(axis=1)
        if self.card.copies == "scored":
            averaged = np.concatenate([by_copy[:, :, 0], averaged[:, 1:]], axis=1)
        if averaged.shape[1] != self.card.outputs:
            raise ConfigurationError(
                f"{self.card.name}: has {averaged.shape[1]} outputs, its card speaks of "
                f"{self.card.outputs}; install the package again"
            )
        return averaged


def turned(squares: NDArray[np.float32], label: int) -> NDArray[np.float32]:
    """Return T_label of each picture, shape (n, size, size): mirror first, then quarter turns."""
    mirrored = squares[:, :, ::-1] if label >= 4 else squares
    return np.rot90(mirrored, label % 4, axes=(1, 2))


def check_golden(
    card: ModelCard, inputs_max: int | None = None, interpreter: Interpreter | None = None
) -> None:
    """Run the golden inputs of a package and compare.

    Parameters
    ----------
    inputs_max
        How many of them, all if None.
    interpreter
        Of this card, where it is loaded already.

    Raises
    ------
    ConfigurationError
        If they cannot be read, or if the model answers otherwise than when it was made.
    """
    try:
        with np.load(card.golden, allow_pickle=False) as golden:
            inputs = golden["inputs"][:inputs_max].astype(np.float32)
            expected = golden["outputs"][:inputs_max]
    except (OSError, ValueError, KeyError) as error:
        message = f"{card.name}: golden inputs cannot be read; install the package again"
        raise ConfigurationError(message) from error
    found = (interpreter or Interpreter(card)).scores(inputs)
    if found.shape != expected.shape or not np.allclose(found, expected, atol=GOLDEN_TOLERANCE):
        raise ConfigurationError(
            f"{card.name}: answers its golden inputs otherwise than when it was made; "
            "install the package again, or report the processor"
        )


@contextmanager
def _refused(card: ModelCard) -> Iterator[None]:
    """Turn what the library raises over a broken flat buffer into one error of ours."""
    try:
        yield
    except (ValueError, RuntimeError) as error:
        message = f"{card.name}: LiteRT cannot load it; install the package again"
        raise ConfigurationError(message) from error
