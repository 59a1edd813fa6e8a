"""Fit a network: `python -m qa_daemon.training.fit TARGET --data DIR --out DIR`.

In: a data folder. Out: `OUT/weights.weights.h5` and checkpoints from which a stopped run resumes.
Seeds are fixed per step, so that a resumed run draws what an unbroken one would have drawn.
"""

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

import keras
import numpy as np
import tensorflow as tf
from attrs import frozen
from numpy.random import Generator
from numpy.typing import NDArray

from qa_daemon.errors import ConfigurationError
from qa_daemon.pixels.tensor import MODEL_SIZE, standardised
from qa_daemon.training.augment import Prepared, draw, prepared
from qa_daemon.training.datasets import REGIONS, LabelledSlice, slices, split
from qa_daemon.training.networks import network

TARGETS: Final = ("axial_orientation", "body_region")
#: Steps of a full run: about half an hour on two cores for orientation, a third for regions.
STEPS: Final = {"axial_orientation": 9000, "body_region": 6000}
BATCH: Final = {"axial_orientation": 32, "body_region": 64}
LEARNING_RATE: Final = {"axial_orientation": 1.2e-3, "body_region": 1.5e-3}
CHECKPOINT_STEPS: Final = 200
#: Copies beside the upright and the mirrored one, drawn from the six others at each step: half the
#: work of all eight, and the logarithm of 6 / 2 added to their scores keeps the softmax unbiased.
OTHERS_DRAWN: Final = 2
OTHERS_SHIFT: Final = float(np.log(6 / OTHERS_DRAWN))
#: Share of pictures that must get a flat answer: other planes, and drawn things.
OTHER_PLANES_SHARE: Final = 0.10
DRAWN_SHARE: Final = 0.04
#: How much more often slices are drawn on which the side is known.
SIDED_WEIGHT: Final = 2.2


@frozen(kw_only=True)
class Plan:
    """What to fit and for how long."""

    target: str
    steps: int
    batch: int
    learning_rate: float
    seed: int = 1
    size: int = MODEL_SIZE


@frozen(eq=False)
class Batch:
    """Pictures (n, size, size, 1), targets and their weights."""

    pictures: NDArray[np.float32]
    targets: NDArray[np.float32]
    weights: NDArray[np.float32]


def plan_of(target: str, steps: int | None = None, seed: int = 1) -> Plan:
    """Return the plan by which the shipped model of a target is made."""
    if target not in TARGETS:
        raise ConfigurationError(f"{target}: not a target; use one of {', '.join(TARGETS)}")
    return Plan(
        target=target,
        steps=steps or STEPS[target],
        batch=BATCH[target],
        learning_rate=LEARNING_RATE[target],
        seed=seed,
    )


def train(target: str, data: Path, out: Path, *, steps: int | None = None, seed: int = 1) -> Path:
    """Fit one network on the training part of `data`; return the file of its weights."""
    plan = plan_of(target, steps, seed)
    items = split(tuple(slices(data))).training
    out.mkdir(parents=True, exist_ok=True)
    keras.utils.set_random_seed(plan.seed)
    model = network(plan.size, 1 if target == "axial_orientation" else len(REGIONS), target)
    if target == "axial_orientation":
        _fit(model, plan, _orientation_batches(items, plan), _orientation_loss, out)
    else:
        _fit(model, plan, _region_batches(items, plan), _region_loss, out)
    weights = out / "weights.weights.h5"
    model.save_weights(weights)
    return weights


Draw = Callable[[int], Batch]
Loss = Callable[[Any, Any, Any], Any]


def _fit(model: keras.Model, plan: Plan, batch_of: Draw, loss_of: Loss, out: Path) -> None:
    schedule = keras.optimizers.schedules.CosineDecay(
        plan.learning_rate / 10,
        plan.steps,
        alpha=0.002,
        warmup_target=plan.learning_rate,
        warmup_steps=max(1, plan.steps // 30),
    )
    optimizer = keras.optimizers.AdamW(
        schedule, weight_decay=2e-3, use_ema=True, ema_momentum=0.995, clipnorm=2.0
    )
    optimizer.build(model.trainable_variables)
    done = tf.Variable(0, dtype=tf.int64)
    saved = tf.train.CheckpointManager(
        tf.train.Checkpoint(model=model, optimizer=optimizer, done=done), out / "checkpoints", 1
    )
    saved.restore_or_initialize()

    @tf.function(reduce_retracing=True)  # type: ignore[untyped-decorator]  # no types in TF
    def step(pictures: Any, targets: Any, weights: Any) -> Any:
        with tf.GradientTape() as tape:
            loss = loss_of(model(pictures, training=True), targets, weights)
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply(gradients, model.trainable_variables)
        return loss

    recent: list[float] = []
    for index, batch in _ahead(batch_of, int(done), plan.steps):
        recent.append(float(step(batch.pictures, batch.targets, batch.weights)))
        done.assign(index + 1)
        if (index + 1) % 50 == 0:
            sys.stderr.write(f"{plan.target} {index + 1}/{plan.steps} {np.mean(recent):.4f}\n")
            sys.stderr.flush()
            recent.clear()
        if (index + 1) % CHECKPOINT_STEPS == 0:
            saved.save()
    optimizer.finalize_variable_values(model.trainable_variables)


def _ahead(batch_of: Draw, first: int, end: int) -> Iterator[tuple[int, Batch]]:
    """Yield batches, drawing the next one while the network works."""
    with ThreadPoolExecutor(1) as pool:
        waiting = [pool.submit(batch_of, index) for index in range(first, min(first + 2, end))]
        for index in range(first, end):
            batch = waiting.pop(0).result()
            if index + 2 < end:
                waiting.append(pool.submit(batch_of, index + 2))
            yield index, batch


def drawing_weights(items: Sequence[LabelledSlice]) -> NDArray[np.float64]:
    """Return how often each slice is drawn, sum 1.

    A patient of many slices counts by the root of them, and so does a kind (modality, plane,
    region): else two stacks of heads would outvote a hundred single abdomens.
    """

    def share(keys: list[object], weights: NDArray[np.float64]) -> NDArray[np.float64]:
        totals: dict[object, float] = {}
        for key, weight in zip(keys, weights, strict=True):
            totals[key] = totals.get(key, 0.0) + weight
        return np.asarray(weights / np.sqrt([totals[key] for key in keys]), np.float64)

    weights = share([item.patient for item in items], np.ones(len(items)))
    weights = share([item.source for item in items], weights) ** 0.75
    weights = share([(item.modality, item.plane, item.regions) for item in items], weights)
    weights *= [SIDED_WEIGHT if item.is_sided or item.is_sided_between else 1.0 for item in items]
    return np.asarray(weights / weights.sum(), np.float64)


def _orientation_batches(items: Sequence[LabelledSlice], plan: Plan) -> Draw:
    upright = [prepared(item) for item in items if item.plane == "axial"]
    others = [prepared(item) for item in items if item.plane in ("sagittal", "coronal")]
    chances = drawing_weights([subject.item for subject in upright])

    def batch_of(index: int) -> Batch:
        random = np.random.default_rng([plan.seed, index])
        chosen = random.choice(len(upright), plan.batch, p=chances)
        copies, targets = [], []
        for number in chosen:
            picture, target = _subject(upright[number], others, random, plan.size)
            rest = random.permutation([1, 2, 3, 5, 6, 7])[:OTHERS_DRAWN]
            copies += [turned_array(picture, label) for label in (0, 4, *rest)]
            targets.append(target)
        return Batch(
            np.stack(copies)[..., None],
            np.asarray(targets, np.float32),
            np.ones(plan.batch, np.float32),
        )

    return batch_of


#: Targets over (upright, mirrored, the others together); the last number asks for the marginal:
#: either of the first two is right, and nothing is said about which.
SIDE_KNOWN: Final = (1.0, 0.0, 0.0, 0.0)
SIDE_UNSEEN: Final = (0.5, 0.5, 0.0, 0.0)
SIDE_OPEN: Final = (0.5, 0.5, 0.0, 1.0)
NO_ANSWER: Final = (0.125, 0.125, 0.75, 0.0)


def _subject(
    subject: Prepared, others: Sequence[Prepared], random: Generator, size: int
) -> tuple[NDArray[np.float32], tuple[float, ...]]:
    lot = random.random()
    if lot < DRAWN_SHARE:
        return drawn(random, size), NO_ANSWER
    if lot < DRAWN_SHARE + OTHER_PLANES_SHARE and others:
        return draw(others[int(random.integers(len(others)))], random, size), NO_ANSWER
    picture = draw(subject, random, size)
    if subject.item.is_sided or subject.item.is_sided_between:
        return picture, SIDE_KNOWN
    return picture, SIDE_UNSEEN if subject.item.is_sideless else SIDE_OPEN


def _orientation_loss(logits: Any, targets: Any, weights: Any) -> Any:
    scores = tf.reshape(logits, (-1, 2 + OTHERS_DRAWN))
    shift = tf.constant([0.0, 0.0] + [OTHERS_SHIFT] * OTHERS_DRAWN)
    logs = tf.nn.log_softmax(scores + shift)
    rest = tf.reduce_mean(logs[:, 2:], axis=1)
    known = -(targets[:, 0] * logs[:, 0] + targets[:, 1] * logs[:, 1] + targets[:, 2] * rest)
    either = -tf.reduce_logsumexp(logs[:, :2], axis=1)
    return tf.reduce_mean(weights * tf.where(targets[:, 3] > 0, either, known))


def _region_batches(items: Sequence[LabelledSlice], plan: Plan) -> Draw:
    labelled = [prepared(item) for item in items if item.regions]
    chances = drawing_weights([subject.item for subject in labelled])

    def batch_of(index: int) -> Batch:
        random = np.random.default_rng([plan.seed, index])
        pictures, targets = [], []
        for number in random.choice(len(labelled), plan.batch, p=chances):
            subject = labelled[number]
            if random.random() < DRAWN_SHARE:
                pictures.append(drawn(random, plan.size))
                targets.append([0.0] * len(REGIONS))
                continue
            picture = draw(subject, random, plan.size)
            pictures.append(turned_array(picture, int(random.integers(8))))
            targets.append([float(region in subject.item.regions) for region in REGIONS])
        return Batch(
            np.stack(pictures)[..., None],
            np.asarray(targets, np.float32),
            np.ones(plan.batch, np.float32),
        )

    return batch_of


def _region_loss(logits: Any, targets: Any, weights: Any) -> Any:
    smooth = targets * 0.96 + 0.01
    each = tf.nn.sigmoid_cross_entropy_with_logits(smooth, logits)
    return tf.reduce_mean(weights * tf.reduce_sum(each, axis=1))


def turned_array(picture: NDArray[np.float32], label: int) -> NDArray[np.float32]:
    """Return T_label of (h, w): mirror first, then quarter turns anti-clockwise."""
    return np.rot90(np.fliplr(picture) if label >= 4 else picture, label % 4)


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
    cells = size // coarse
    noise = random.standard_normal((cells, cells)).astype(np.float32)
    noise = np.kron(noise, np.ones((coarse, coarse), np.float32))
    return standardised(picture + noise * np.float32(random.choice([0.02, 0.1, 0.5])))


def main(arguments: Sequence[str] | None = None) -> None:
    """Fit from the command line."""
    parser = argparse.ArgumentParser(prog="python -m qa_daemon.training.fit")
    parser.add_argument("target", choices=TARGETS)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--steps", type=int)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args(arguments)
    train(given.target, given.data, given.out, steps=given.steps, seed=given.seed)


if __name__ == "__main__":
    main()
