"""Backbones with ImageNet weights: MobileNets whose 8-bit weights lie in the data folder.

In: `DATA/pretrained/<name>.npz`: per layer `NN/q` (int8 kernel), `NN/scale` (per output channel),
`NN/zero` where it is not 0 and `NN/bias`, in order of execution, and `meta_json`. Batch norm is
folded into them. Out: a Keras graph over one grey channel, scaled inside, ready to be fine-tuned.
Weights: Coral Edge TPU project, Apache-2.0.
"""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import keras
import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from qa_daemon.errors import InputError
from qa_daemon.training.recipe import Start

FOLDER: Final = "pretrained"
V2: Final = "mobilenetv2_1.0_224_int8"
V1_075: Final = "mobilenetv1_0.75_192_int8"
V1_050: Final = "mobilenetv1_0.5_160_int8"
V1_025: Final = "mobilenetv1_0.25_128_int8"
#: Width of each, as keras.applications calls it, and whether it is a MobileNetV2.
WIDTHS: Final = {V2: 1.0, V1_075: 0.75, V1_050: 0.5, V1_025: 0.25}
#: The networks saw RGB as value / 127.5 - 1; a standardised picture has most of its values within
#: two deviations, which this brings into the same range.
GAIN: Final = 0.5
#: Moving averages of batch norm with Keras' own .99 and .999 lag behind a fit of 1,000 steps: the
#: network is then good in training and useless in service (measured: .26 against .985).
NORM_MOMENTUM: Final = 0.95
#: Variance below this is a channel that is off; dividing by it would blow noise up.
VARIANCE_MIN: Final = 1e-4


@frozen(eq=False)
class _Layer:
    kernel: NDArray[np.float32]
    bias: NDArray[np.float32]


def backbone(given: keras.KerasTensor, data: Path, name: str, gain: float = GAIN) -> keras.Model:
    """Return the network up to its last feature map, over `given` of shape (n, size, size, 1).

    The grey channel is scaled by `gain` and repeated inside the graph, so that the finished model
    takes a standardised picture. Even sizes from 32 on match the padding of the original.

    Raises
    ------
    InputError
        If the weights are not in the data folder, or are not those of this network.
    """
    scaled = keras.layers.Rescaling(gain)(given)
    colours = keras.layers.Concatenate()([scaled, scaled, scaled])
    make = keras.applications.MobileNetV2 if name == V2 else keras.applications.MobileNet
    model = make(input_tensor=colours, alpha=WIDTHS[name], include_top=False, weights=None)
    _fill(model, data / FOLDER / f"{name}.npz")
    for layer in _norms(model):
        layer.momentum = NORM_MOMENTUM
    return model


def recalibrate_bn(model: keras.Model, pictures: NDArray[np.float32]) -> None:
    """Give each batch norm of a fresh backbone the statistics of its input, keeping the function.

    The layers come as y = g x + b with mean 0 and variance 1, which no batch of pictures has: in
    training mode the network would compute something else. With mean m and variance v of the
    input, gamma = g sqrt(v + eps) and beta = b + g m give the same y. For layers as `backbone`
    made them only, before anything is fitted.
    """
    layers = _norms(model)
    probe = keras.Model(model.inputs, [layer.input for layer in layers])
    found = [np.asarray(each) for each in probe([pictures], training=False)]
    for layer, given in zip(layers, found, strict=True):
        gamma, beta, mean, variance = layer.get_weights()
        slope = gamma / np.sqrt(variance + layer.epsilon)
        offset = beta - slope * mean
        flat = given.reshape(-1, given.shape[-1]).astype(np.float64)
        centre, spread = flat.mean(axis=0), np.maximum(flat.var(axis=0), VARIANCE_MIN)
        moved = (slope * np.sqrt(spread + layer.epsilon), offset + slope * centre, centre, spread)
        layer.set_weights([each.astype(np.float32) for each in moved])


def _norms(model: keras.Model) -> list[Any]:
    return [each for each in model.layers if isinstance(each, keras.layers.BatchNormalization)]


def _fill(model: keras.Model, path: Path) -> None:
    """Copy the weights in; layers are matched by their order of execution."""
    stored = _stored(path)
    waiting: NDArray[np.float32] | None = None
    for layer in model.layers:
        if isinstance(layer, keras.layers.Conv2D | keras.layers.DepthwiseConv2D):
            found = next(stored, None)
            if found is None or tuple(layer.kernel.shape) != found.kernel.shape:
                raise InputError(f"{path.name}: not the weights of {model.name}; fetch it again")
            layer.set_weights([found.kernel])
            waiting = found.bias
        elif isinstance(layer, keras.layers.BatchNormalization):
            assert waiting is not None
            one = np.ones_like(waiting)
            layer.set_weights([one * np.sqrt(1.0 + layer.epsilon), waiting, 0 * one, one])


def _stored(path: Path) -> Iterator[_Layer]:
    """Yield the layers of a file as float32, in order of execution."""
    try:
        archive = np.load(path, allow_pickle=False)
    except OSError as error:
        message = f"{FOLDER}/{path.name}: not found in the data folder; the network starts from it"
        raise InputError(message) from error
    with archive:
        for row in json.loads(archive["meta_json"].tobytes().decode())["layers"]:
            key, is_depthwise = row["key"], row["kind"] == "depthwise"
            along = (1, 1, -1, 1) if is_depthwise else (1, 1, 1, -1)
            scale = archive[f"{key}/scale"]
            zero = archive[f"{key}/zero"] if f"{key}/zero" in archive.files else 0 * scale
            steps = archive[f"{key}/q"].astype(np.float32) - zero.astype(np.float32).reshape(along)
            yield _Layer(steps * scale.reshape(along), archive[f"{key}/bias"])


#: What a recipe puts behind the features: dropout, and as many logits as it has outputs.
Head = Callable[[keras.KerasTensor], keras.KerasTensor]


def pooled_head(outputs: int, dropout: float = 0.2) -> Head:
    """Return the plain head: mean over the map, dropout, logits."""

    def head(features: keras.KerasTensor) -> keras.KerasTensor:
        pooled = keras.layers.GlobalAveragePooling2D()(features)
        return keras.layers.Dense(outputs, name="logits")(keras.layers.Dropout(dropout)(pooled))

    return head


def tuned(start: Start, size: int, name: str, head: Head, gain: float = GAIN) -> keras.Model:
    """Return a network to fine-tune, (n, size, size, 1) to logits, from a backbone and a head.

    Batch norm has the statistics of the sample of training pictures that `start` gives.
    """
    given = keras.Input((size, size, 1), name="picture")
    trunk = backbone(given, start.data, name, gain)
    recalibrate_bn(trunk, start.sample())
    return keras.Model(given, head(trunk.output), name=name.replace(".", "_"))
