"""LiteRT: one model, one thread, batches of slices.

In: standardised squares (`pixels.tensor`). Out: raw logits per slice and label.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import numpy as np
from ai_edge_litert.interpreter import Interpreter as LiteRt
from numpy.typing import NDArray

from qa_daemon.errors import ConfigurationError
from qa_daemon.predict.catalog import ModelCard

#: Slices per call: eight copies each keep activations below 10 MB.
SLICES_PER_CALL: Final = 16
#: A slice of class k is upright after this turn (`orientation_maths`): 1 and 3 undo each other.
UNDONE_BY: Final = (0, 3, 2, 1, 4, 5, 6, 7)
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
        self._lite.set_tensor(self._given["index"], batch[..., None].astype(np.float32))
        self._lite.invoke()
        outputs: NDArray[np.float32] = self._lite.get_tensor(self._found["index"])
        return outputs

    def scores(self, slices: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return raw logits, shape (n, labels), for slices as stored, shape (n, size, size)."""
        parts = [
            self._scores(slices[first : first + SLICES_PER_CALL])
            for first in range(0, len(slices), SLICES_PER_CALL)
        ]
        if not parts:
            return np.zeros((0, len(self.card.labels)), np.float32)
        return np.concatenate(parts)

    def _scores(self, slices: NDArray[np.float32]) -> NDArray[np.float32]:
        copies = np.stack([turned(slices, label) for label in UNDONE_BY], axis=1)
        outputs = self.run(copies.reshape(-1, *slices.shape[1:]))
        if self.card.copies == "scored":
            return outputs.reshape(len(slices), len(UNDONE_BY))
        by_copy = outputs.reshape(len(slices), len(UNDONE_BY), -1)
        averaged: NDArray[np.float32] = by_copy.mean(axis=1)
        return averaged


def turned(slices: NDArray[np.float32], label: int) -> NDArray[np.float32]:
    """Return T_label of each slice, shape (n, size, size): mirror first, then quarter turns."""
    mirrored = slices[:, :, ::-1] if label >= 4 else slices
    return np.rot90(mirrored, label % 4, axes=(1, 2))


def check_golden(card: ModelCard) -> None:
    """Run the golden inputs of a package and compare.

    Raises
    ------
    ConfigurationError
        If they cannot be read, or if the model answers otherwise than when it was made.
    """
    try:
        with np.load(card.golden, allow_pickle=False) as golden:
            inputs, expected = golden["inputs"].astype(np.float32), golden["outputs"]
    except (OSError, ValueError, KeyError) as error:
        message = f"{card.name}: golden inputs cannot be read; install the package again"
        raise ConfigurationError(message) from error
    found = Interpreter(card).scores(inputs)
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
