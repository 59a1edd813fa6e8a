"""What `image_quality` looks at: a radiograph as it would be displayed, reduced, levels untouched.

Nothing is stretched, as darkness and lost ends of the range are what is sought, and nothing is
enlarged, as that would blur. The same function makes the input in training and in service.
"""

from typing import Final

import numpy as np

from qa_daemon.pixels.tensor import Frame, Grey, framed

#: The side of the square that the shipped model takes. A third more than thumbnails of 192 pixels
#: show; blur below one pixel of it cannot be seen, and does not hinder anybody's reading of a part.
DISPLAYED_SIZE: Final = 256
#: What surrounds the picture: no level that a picture can have.
OUTSIDE: Final = -0.25


def displayed_tensor(shown: Grey, *, size: int = DISPLAYED_SIZE) -> Grey:
    """Return the picture in the middle of a square, shape (size, size), `OUTSIDE` around it.

    Parameters
    ----------
    shown
        0 black to 1 white as displayed (`grayscale.displayed_values`), shape (rows, columns).
    size
        Side of the square, as the model's card says; a longer picture is reduced to it.
    """
    reduced = np.clip(np.nan_to_num(shown.astype(np.float32, copy=False)), 0.0, 1.0)
    rows, columns = reduced.shape
    long = max(rows, columns)
    if long > size:
        rows, columns = (max(1, round(side * size / long)) for side in (rows, columns))
        reduced = framed(reduced, Frame(long / 2, long / 2, float(long)), size)[:rows, :columns]
    square = np.full((size, size), OUTSIDE, np.float32)
    top, left = (size - rows) // 2, (size - columns) // 2
    square[top : top + rows, left : left + columns] = reduced
    return square
