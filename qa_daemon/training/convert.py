"""From Keras weights to a LiteRT flat buffer, and the inputs by which a package proves itself.

In: a fitted network. Out: bytes and arrays. Weights are stored as 16-bit floats: half the size, and
the logits move by less than the golden tolerance.
"""

import tempfile
from pathlib import Path
from typing import Any, Final

import keras
import numpy as np
import tensorflow as tf
from attrs import frozen
from numpy.typing import NDArray

from qa_daemon.training.fit import drawn

#: Golden inputs: drawn pictures only, so that no package holds an image of a third party.
GOLDEN_COUNT: Final = 6
GOLDEN_SEED: Final = 20


@frozen(eq=False)
class Golden:
    """Drawn inputs, shape (n, size, size), and the logits that the model gives, (n, labels)."""

    inputs: NDArray[np.float16]
    outputs: NDArray[np.float32]


def flat_buffer(model: keras.Model) -> bytes:
    """Return the network as LiteRT with weights in 16 bits."""
    converter: Any = tf.lite.TFLiteConverter.from_keras_model(model)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.target_spec.supported_types = [tf.float16]
    content: bytes = converter.convert()
    return content


def averaged(models: list[keras.Model], name: str) -> keras.Model:
    """Return one network whose logits are the mean of several: an ensemble in one file."""
    if len(models) == 1:
        return models[0]
    given = keras.Input(models[0].input_shape[1:], name="slice")
    return keras.Model(given, keras.layers.Average()([model(given) for model in models]), name=name)


def golden_inputs(size: int) -> NDArray[np.float16]:
    """Return drawn pictures, the same on every machine."""
    random = np.random.default_rng(GOLDEN_SEED)
    return np.stack([drawn(random, size) for _ in range(GOLDEN_COUNT)]).astype(np.float16)


def write_golden(golden: Golden, path: Path) -> None:
    """Write golden inputs and outputs, replacing the file at once."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".npz", delete=False) as part:
        np.savez_compressed(part, inputs=golden.inputs, outputs=golden.outputs)
    Path(part.name).replace(path)
