import numpy as np
from numpy.typing import NDArray

from qa_daemon.pixels.inputs.chest import chest_tensor


def chest(rows: int, columns: int) -> NDArray[np.float32]:
    """Return two dark lungs in a bright body, filling the picture."""
    down, across = np.linspace(-1, 1, rows)[:, None], np.linspace(-1, 1, columns)[None, :]
    picture = 200.0 - 40.0 * down**2 * np.ones((1, columns))
    for side in (-0.45, 0.45):
        picture = np.where(((across - side) / 0.3) ** 2 + (down / 0.7) ** 2 < 1, 60.0, picture)
    ribs = 15.0 * np.sin(40 * down + 3 * across)
    return (picture + ribs).astype(np.float32)


def test_the_shape_of_the_picture_cannot_be_read() -> None:
    wide, tall = chest_tensor(chest(200, 300)), chest_tensor(chest(300, 200))
    assert wide.shape == tall.shape == (160, 160)
    assert float(np.corrcoef(wide.ravel(), tall.ravel())[0, 1]) > 0.98


def test_a_border_is_cut_away() -> None:
    bare = chest(256, 256)
    bordered = np.pad(bare, 30)
    assert (
        float(np.corrcoef(chest_tensor(bare).ravel(), chest_tensor(bordered).ravel())[0, 1]) > 0.95
    )


def test_gain_and_offset_cannot_be_read() -> None:
    bare = chest(256, 256)
    assert np.allclose(chest_tensor(bare), chest_tensor(bare * 7 - 300), atol=1e-2)


def test_an_empty_picture_becomes_zeros() -> None:
    assert not chest_tensor(np.full((50, 40), 3.0, np.float32)).any()
