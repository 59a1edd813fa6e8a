"""The networks: one small residual trunk, and two heads on it.

The orientation net scores how upright one picture is; the softmax over its eight turned copies is
the class distribution (an equivariant scorer). The region net gives one logit per
region. Both are trained from scratch.
"""

from typing import Final

import keras
import tensorflow as tf

#: Channels per stage, at 1/2, 1/4, 1/8 and 1/16 of the input: 31 M multiply-adds at 80 x 80.
CHANNELS: Final = (24, 48, 96, 112)


def network(
    size: int, outputs: int, name: str, channels: tuple[int, ...] = CHANNELS
) -> keras.Model:
    """Return the untrained network: (n, size, size, 1) to (n, outputs) logits."""
    given = keras.Input((size, size, 1), name="slice")
    x = _convolved(given, channels[0], kernel=5, stride=2)
    for width in channels[1:]:
        x = _convolved(x, width, kernel=3, stride=2)
        inner = _convolved(x, width, kernel=3, stride=1)
        x = keras.layers.Add()([x, inner])
    x = keras.layers.Conv2D(32, 1, use_bias=False)(x)
    x = keras.layers.ReLU()(keras.layers.BatchNormalization()(x))
    x = keras.layers.Dropout(0.25)(keras.layers.Flatten()(x))
    x = keras.layers.Dense(48, activation="relu")(x)
    return keras.Model(given, keras.layers.Dense(outputs, name="logits")(x), name=name)


def turned(pictures: tf.Tensor, label: int) -> tf.Tensor:
    """Return T_label of a batch (n, h, w, c): mirror first, then quarter turns anti-clockwise."""
    mirrored = tf.reverse(pictures, [2]) if label >= 4 else pictures
    return tf.image.rot90(mirrored, label % 4) if label % 4 else mirrored


def _convolved(x: keras.KerasTensor, channels: int, kernel: int, stride: int) -> keras.KerasTensor:
    x = keras.layers.Conv2D(channels, kernel, stride, padding="same", use_bias=False)(x)
    return keras.layers.ReLU()(keras.layers.BatchNormalization(momentum=0.98)(x))
