"""The networks of radiographs: a trunk, fine-tuned once for the parts; other targets build on it.

In: where weights lie. Out: Keras models that take (n, size, size, 1) standardised pictures.
"""

from collections.abc import Callable
from typing import Final

import keras

from qa_daemon.errors import InputError
from qa_daemon.training import pretrained
from qa_daemon.training.radiographs.pictures import PARTS
from qa_daemon.training.recipe import Start

#: Side of the square on which the trunk is fine-tuned.
SIZE: Final = 160
#: The early layers see edges, as they did in ImageNet; to fit them on would take three times as
#: long a step. They end here.
EARLY: Final = "conv_pw_3_relu"
#: What the other targets take over as it is ends here; the two blocks after it are fitted on.
SHARED: Final = "conv_pw_11_relu"
#: The last feature map, 1/32 of the input.
FEATURES: Final = "conv_pw_13_relu"
#: The target whose fit makes the trunk.
TRUNK: Final = "body_part"
#: Most parts are out of view in most pictures.
RARE: Final = -2.0

Head = Callable[[keras.KerasTensor], keras.KerasTensor]


def parts_network(start: Start, size: int = SIZE) -> keras.Model:
    """Return the network of `body_part`, begun from ImageNet, its early layers kept as they are."""

    def head(features: keras.KerasTensor) -> keras.KerasTensor:
        pooled = keras.layers.GlobalAveragePooling2D()(features)
        dropped = keras.layers.Dropout(0.2)(pooled)
        rare = keras.initializers.Constant(RARE)
        return keras.layers.Dense(len(PARTS), bias_initializer=rare, name="logits")(dropped)

    return _kept(pretrained.tuned(start, size, pretrained.V1_075, head), EARLY)


def trunk(start: Start, size: int, kept: str = SHARED) -> keras.Model:
    """Return the fine-tuned trunk up to its last feature map; up to `kept` it is not fitted on.

    Where no other fit may be used it begins from ImageNet, and more of it is fitted on.

    Raises
    ------
    InputError
        If `body_part` has not been fitted beside, under the same licences.
    """
    if start.fit_of is None:
        whole = parts_network(start, size)
        return keras.Model(whole.inputs, whole.get_layer(FEATURES).output)
    weights = start.fit_of(TRUNK)
    if not weights.is_file():
        raise InputError(f"{TRUNK} is not fitted yet in this --out; train it first")
    whole = parts_network(start, size)
    whole.load_weights(weights)
    return _kept(keras.Model(whole.inputs, whole.get_layer(FEATURES).output), kept)


def mapped(features: keras.KerasTensor, channels: int = 32, hidden: int = 64) -> keras.KerasTensor:
    """Return what a head needs that asks where things lie: a narrow map, flat, and one layer."""
    narrow = keras.layers.Conv2D(channels, 1, use_bias=False)(features)
    narrow = keras.layers.ReLU()(keras.layers.BatchNormalization(momentum=0.95)(narrow))
    flat = keras.layers.Dropout(0.3)(keras.layers.Flatten()(narrow))
    return keras.layers.Dense(hidden, activation="relu")(flat)


def _kept(model: keras.Model, last: str) -> keras.Model:
    """Freeze a model up to a layer."""
    for layer in model.layers:
        layer.trainable = False
        if layer.name == last:
            return model
    raise AssertionError(last)
