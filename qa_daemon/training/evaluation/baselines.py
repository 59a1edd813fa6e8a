"""What a model must beat: logistic regression on small pixels, nearest neighbours, a small CNN.

In: the material that is fitted on, and pictures. Out: probabilities, shape (n, labels).
"""

from collections.abc import Sequence
from typing import Any, Final

import keras
import numpy as np
from attrs import evolve
from numpy.typing import NDArray

from qa_daemon.predict.calibrate import sigmoid, softmax
from qa_daemon.training.evaluation.material import Material
from qa_daemon.training.recipe import Batch, Draw, Example, Grey, Kind, Plan, Recipe, Start

Numbers = NDArray[np.float64]

#: Pictures are reduced to about this side for the first two.
SMALL: Final = 16
NEIGHBOURS: Final = 5
#: Weight of the squared coefficients: features have deviation 1, so 576 of them need some.
RIDGE: Final = 0.01
DESCENTS: Final = 200
#: Steps and batch of the CNN; it learns what it can in these.
CNN_STEPS: Final = 400
CNN_BATCH: Final = 32
#: The CNN looks at no more than this side, as larger ones cost more and give it nothing.
CNN_SIDE: Final = 64


def features(pictures: Grey, side: int = SMALL) -> Numbers:
    """Return pictures reduced by block means, shape (n, about side x side)."""
    count, size, _ = pictures.shape
    block = max(1, size // side)
    cut = size - size % block
    blocks = pictures[:, :cut, :cut].reshape(count, cut // block, block, cut // block, block)
    return np.asarray(blocks.mean(axis=(2, 4)).reshape(count, -1), np.float64)


def logistic(given: Numbers, truth: NDArray[np.bool_], asked: Numbers, kind: Kind) -> Numbers:
    """Fit a class-balanced logistic regression, and ask it; shape (n, labels).

    Accelerated gradient descent with the step that the curvature allows: nothing to be tuned.
    """
    centre, spread = given.mean(axis=0), given.std(axis=0) + 1e-6
    own, others = _with_one((given - centre) / spread), _with_one((asked - centre) / spread)
    targets, weights = _targets(truth, kind), _balance(truth)
    answer = sigmoid if kind is Kind.MULTI else softmax
    step = 1.0 / (0.5 * _greatest(own * np.sqrt(weights)[:, None]) / len(own) + RIDGE)
    found = ahead = np.zeros((own.shape[1], truth.shape[1]))
    for number in range(DESCENTS):
        wrong = answer(own @ ahead, 1.0) - targets
        slope = own.T @ (wrong * weights[:, None]) / len(own) + RIDGE * ahead
        before, found = found, ahead - step * slope
        ahead = found + number / (number + 3) * (found - before)
    return answer(others @ found, 1.0)


def nearest(given: Numbers, truth: NDArray[np.bool_], asked: Numbers, kind: Kind) -> Numbers:
    """Return the mean answer of the nearest neighbours by correlation; shape (n, labels)."""
    likeness = _unit(asked) @ _unit(given).T
    count = min(NEIGHBOURS, len(given))
    near = np.argpartition(-likeness, count - 1, axis=1)[:, :count]
    return np.asarray(_targets(truth, kind)[near].mean(axis=1), np.float64)


def small_cnn(recipe: Recipe[Any], seen: Material[Any]) -> Recipe[Any]:
    """Return the recipe of a small CNN from scratch for the same target, without augmentation."""
    size, outputs = recipe.size, len(recipe.labels)

    def network(_start: Start) -> Any:
        given = keras.Input((size, size, 1))
        x = given
        if size > CNN_SIDE:
            x = keras.layers.AveragePooling2D(size // CNN_SIDE)(x)
        for width in (16, 32, 64, 64):
            x = keras.layers.Conv2D(width, 3, strides=2, padding="same", use_bias=False)(x)
            x = keras.layers.ReLU()(keras.layers.BatchNormalization(momentum=0.95)(x))
        x = keras.layers.Dropout(0.2)(keras.layers.Flatten()(x))
        return keras.Model(given, keras.layers.Dense(outputs)(x))

    def loss(logits: Any, targets: Any, weights: Any) -> Any:
        if recipe.kind is Kind.MULTI:
            each = keras.ops.binary_crossentropy(targets, logits, from_logits=True)
            return keras.ops.mean(weights * keras.ops.sum(each, axis=1))
        each = keras.ops.categorical_crossentropy(targets, logits, from_logits=True)
        return keras.ops.mean(weights * each)

    def draws(examples: Sequence[Example], plan: Plan) -> Draw:
        return _plain_draws(seen.of(examples), recipe.kind, plan)

    return evolve(
        recipe,
        network=network,
        loss=loss,
        draws=draws,
        copies="single",
        reject=0,
        watch_share=0.0,
        batch=CNN_BATCH,
        learning_rate=2e-3,
        variants=0,
        varied=None,
    )


def _plain_draws(seen: Material[Any], kind: Kind, plan: Plan) -> Draw:
    targets = np.asarray(_targets(seen.truth, kind), np.float32)
    chances = _balance(seen.truth)
    chances /= chances.sum()

    def batch_of(index: int) -> Batch:
        random = np.random.default_rng([plan.seed, index])
        chosen = random.choice(len(targets), plan.batch, p=chances)
        ones = np.ones(plan.batch, np.float32)
        return Batch(seen.pictures[chosen][..., None], targets[chosen], ones)

    return batch_of


def _targets(truth: NDArray[np.bool_], kind: Kind) -> Numbers:
    """Return what an answer should be: of several right labels of which one is true, a share."""
    told = truth.astype(np.float64)
    if kind is Kind.MULTI:
        return told
    return np.asarray(told / np.maximum(told.sum(axis=1, keepdims=True), 1.0), np.float64)


def _balance(truth: NDArray[np.bool_]) -> Numbers:
    """Return weights by which rare labels count as much as frequent ones, mean 1."""
    first = np.where(truth.any(axis=1), truth.argmax(axis=1), truth.shape[1])
    counts = np.bincount(first, minlength=truth.shape[1] + 1)
    weights = 1.0 / counts[first]
    return np.asarray(weights / weights.mean(), np.float64)


def _greatest(rows: Numbers) -> float:
    """Return the greatest eigenvalue of rows' products with themselves, by power iteration."""
    vector = np.ones(rows.shape[1])
    size = 1.0
    for _ in range(30):
        vector = rows.T @ (rows @ vector)
        size = float(np.linalg.norm(vector))
        vector /= max(size, 1e-12)
    return size


def _with_one(rows: Numbers) -> Numbers:
    return np.hstack([rows, np.ones((len(rows), 1))])


def _unit(rows: Numbers) -> Numbers:
    centred = rows - rows.mean(axis=1, keepdims=True)
    return np.asarray(centred / (np.linalg.norm(centred, axis=1, keepdims=True) + 1e-9), np.float64)
