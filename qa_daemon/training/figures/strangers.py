"""Pictures that show no body: drawn shapes and noise. For abstention, and as golden inputs."""

from typing import Final

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from qa_daemon.pixels.tensor import standardised

OUTSIDERS: Final = 200


def drawn(random: Generator, size: int) -> NDArray[np.float32]:
    """Return a picture of no anatomy: ellipses, bars and noise, smooth or not."""
    across = np.linspace(-1, 1, size, dtype=np.float32)
    rows, columns = across[:, None], across[None, :]
    picture = np.zeros((size, size), np.float32)
    for _ in range(int(random.integers(0, 9))):
        y, x = random.uniform(-0.7, 0.7, 2)
        height, width = random.uniform(0.05, 0.8, 2)
        if random.random() < 0.7:
            inside = ((rows - y) / height) ** 2 + ((columns - x) / width) ** 2 < 1
        else:
            inside = (abs(rows - y) < height) & (abs(columns - x) < width)
        picture = np.where(inside, np.float32(random.random()), picture)
    coarse = int(random.choice([1, 2, 5, 10]))
    cells = -(-size // coarse)
    noise = random.standard_normal((cells, cells)).astype(np.float32)
    noise = np.kron(noise, np.ones((coarse, coarse), np.float32))[:size, :size]
    return standardised(picture + noise * np.float32(random.choice([0.02, 0.1, 0.5])))


def no_anatomy(size: int, count: int = OUTSIDERS) -> dict[str, list[NDArray[np.float32]]]:
    """Return pictures that show no body, by kind."""
    random = np.random.default_rng(78)
    noise = random.standard_normal((count, size, size)).astype(np.float32)
    return {
        "drawn shapes and noise": [drawn(random, size) for _ in range(count)],
        "white noise": [standardised(picture) for picture in noise],
    }
