"""What `chest_opacity` looks at: the exposed field of a chest radiograph, squashed to a square.

In published sets the shape of the picture gives the label away (aspect alone: AUC .87), so no shape
is kept. The same function makes the input in training and in service; numpy only.
"""

from typing import Final

import numpy as np

from qa_daemon.pixels.radiograph import evened, exposed_field, reduced
from qa_daemon.pixels.tensor import SPREAD_MIN, Grey, triangle_weights

#: The side of the square that the shipped model takes.
CHEST_SIZE: Final = 160


def chest_tensor(grey: Grey, *, size: int = CHEST_SIZE) -> Grey:
    """Return the field of a radiograph as the model sees it, shape (size, size), standardised.

    Parameters
    ----------
    grey
        Values that rise with brightness (MONOCHROME1 already inverted), shape (rows, columns).
    size
        Side of the square, as the model's card says.
    """
    small = reduced(grey)
    field = exposed_field(small)
    rows, columns = small.shape
    top, left = round(field.top * rows), round(field.left * columns)
    bottom = max(top + 1, round(field.bottom * rows))
    right = max(left + 1, round(field.right * columns))
    shown = evened(small[top:bottom, left:right])
    down = triangle_weights(shown.shape[0], 1.0, 0.0, float(shown.shape[0]), size)
    across = triangle_weights(shown.shape[1], 1.0, 0.0, float(shown.shape[1]), size)
    # What hangs over the edge would fade to zero; the field ends sharply instead.
    down /= down.sum(axis=1, keepdims=True)
    across /= across.sum(axis=1, keepdims=True)
    square = down @ shown @ across.T
    spread = float(square.std())
    if not np.isfinite(spread) or spread < SPREAD_MIN:
        return np.zeros((size, size), np.float32)
    return np.asarray((square - square.mean()) / spread, np.float32)
