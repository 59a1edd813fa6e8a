"""The fit loop, the same for every recipe: AdamW under a cosine, averaged weights, checkpoints.

In: a recipe and examples. Out: `OUT/weights.weights.h5`, and checkpoints from which a stopped run
resumes. Seeds are fixed per step, so that a resumed run draws what an unbroken one would have.
"""

import hashlib
import math
import shutil
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, Final

import keras
import numpy as np
import tensorflow as tf
from attrs import evolve, field, frozen

from qa_daemon.training.recipe import Batch, Draw, E, Example, Recipe, Start
from qa_daemon.training.split import watched

CHECKPOINT_STEPS: Final = 200
#: A looked-at set: this many batches, every so many steps, and so many looks without a gain.
WATCH_BATCHES: Final = 8
WATCH_STEPS: Final = 200
WATCH_PATIENCE: Final = 6
#: A cosine that is stopped early has not cooled down: no stop before this share of the steps.
WATCH_FROM: Final = 0.5
#: Weights are those of a moving average over about 200 steps: half the noise of the last batch.
AVERAGE_MOMENTUM: Final = 0.995
WEIGHT_DECAY: Final = 2e-3
GRADIENT_NORM_MAX: Final = 2.0
WEIGHTS: Final = "weights.weights.h5"
#: Holds the name of the fit whose files lie beside it.
FIT: Final = "fit"
#: Names the draw of the watched batches, apart from every seed of a fit.
WATCH_SEED: Final = 1_000_003

#: Told after every step: steps done, steps in all, loss.
Told = Callable[[int, int, float], None]


@frozen(kw_only=True)
class Run:
    """Where and for how long a recipe is fitted.

    Attributes
    ----------
    is_alone
        Nothing may be built on the fits of other targets: they may have seen what is held out.
    """

    data: Path
    out: Path
    steps: int
    seed: int = 1
    is_alone: bool = False
    told: Told = field(default=lambda *_: None, repr=False)


def fit(recipe: Recipe[E], examples: Sequence[E], run: Run) -> keras.Model:
    """Fit one network on examples; return it with its averaged weights, which are also written.

    The same fit that was finished before is only read again, one that was stopped goes on; what
    another fit left in the folder is removed.
    """
    _keep_only(run.out, _name_of(recipe, examples, run))
    keras.utils.set_random_seed(run.seed)
    plan = evolve(recipe.plan, seed=run.seed)
    parts = watched(examples, recipe.watch_share)
    fitted = parts.training or tuple(examples)
    draw = recipe.draws(fitted, plan)
    model = recipe.network(
        Start(
            data=run.data,
            sample=lambda: _sample(draw),
            fit_of=None if run.is_alone else partial(_fit_of, recipe.target, run.out),
        )
    )
    if (run.out / WEIGHTS).is_file():
        model.load_weights(run.out / WEIGHTS)
        return model
    watch: list[Batch] = []
    if parts.held_out:
        seen = recipe.draws(parts.held_out, evolve(plan, seed=WATCH_SEED))
        watch = [seen(index) for index in range(WATCH_BATCHES)]
    _Loop(recipe, model, run, watch).through(draw)
    part = run.out / f"part.{WEIGHTS}"
    model.save_weights(part)
    part.replace(run.out / WEIGHTS)
    shutil.rmtree(run.out / "checkpoints", ignore_errors=True)
    return model


def _fit_of(own: str, out: Path, target: str) -> Path:
    """Return where the fit of another target lies that is called as this one."""
    return out.parent / out.name.replace(own, target, 1) / WEIGHTS


def _name_of(recipe: Recipe[Any], examples: Sequence[Example], run: Run) -> str:
    """Return a digest of all that a fit depends on, the code of the recipe aside."""
    told = hashlib.sha256()
    settings = (recipe.target, recipe.size, recipe.batch, recipe.learning_rate, recipe.watch_share)
    told.update(repr((settings, run.steps, run.seed)).encode())
    for example in examples:
        told.update(repr((example.id, example.patient, example.labels)).encode())
    return told.hexdigest()


def _keep_only(folder: Path, name: str) -> None:
    """Make the folder that of the fit of this name."""
    label = folder / FIT
    if folder.is_dir() and (not label.is_file() or label.read_text(encoding="utf-8") != name):
        shutil.rmtree(folder)
    folder.mkdir(parents=True, exist_ok=True)
    label.write_text(name, encoding="utf-8")


def _sample(draw: Draw) -> Any:
    return np.concatenate([draw(index).pictures for index in range(2)])


class _Loop:
    """One fit under way: what a checkpoint holds, and the step as a compiled function."""

    def __init__(
        self, recipe: Recipe[Any], model: keras.Model, run: Run, watch: Sequence[Batch]
    ) -> None:
        self._model, self._run, self._watch, self._loss = model, run, watch, recipe.loss
        self._optimizer = _optimizer(recipe.learning_rate, run.steps)
        self._optimizer.build(model.trainable_variables)
        self._averages = [tf.Variable(each.value) for each in model.trainable_variables]
        self._done = tf.Variable(0, dtype=tf.int64)
        self._best = tf.Variable(math.inf)
        self._best_step = tf.Variable(0, dtype=tf.int64)
        self._step = tf.function(self._one, reduce_retracing=True)
        self._seeds = [each for each in model.variables if each.name == "seed_generator_state"]

    def through(self, draw: Draw) -> None:
        """Run all steps that are left; the model ends with its averaged weights."""
        run = self._run
        saved = tf.train.CheckpointManager(
            tf.train.Checkpoint(
                model=self._model,
                optimizer=self._optimizer,
                averages=self._averages,
                done=self._done,
                best=self._best,
                best_step=self._best_step,
            ),
            run.out / "checkpoints",
            1,
        )
        saved.restore_or_initialize()
        for index, batch in _ahead(draw, int(self._done), run.steps):
            for place, state in enumerate(self._seeds):
                state.assign([run.seed + place, index])  # dropout, too, is fixed per step
            loss = float(self._step(batch.pictures, batch.targets, batch.weights))
            self._done.assign(index + 1)
            run.told(index + 1, run.steps, loss)
            if (index + 1) % WATCH_STEPS == 0 and self._watch:
                self._look()
            if (index + 1) % CHECKPOINT_STEPS == 0:
                saved.save()
            if self._has_stalled():
                break
        self._use_averages()
        if self._watch:
            self._look()
            self._model.load_weights(self._best_path())

    def _one(self, pictures: Any, targets: Any, weights: Any) -> Any:
        with tf.GradientTape() as tape:
            loss = self._loss(self._model(pictures, training=True), targets, weights)
        variables = self._model.trainable_variables
        self._optimizer.apply(tape.gradient(loss, variables), variables)
        # Short at first, so that the average holds nothing of the random start.
        done = tf.cast(self._done, tf.float32)
        momentum = tf.minimum(AVERAGE_MOMENTUM, done / (10.0 + done))
        for average, variable in zip(self._averages, variables, strict=True):
            average.assign(momentum * average + (1.0 - momentum) * variable.value)
        return loss

    def _use_averages(self) -> None:
        for average, variable in zip(self._averages, self._model.trainable_variables, strict=True):
            variable.assign(average)

    def _look(self) -> None:
        """Keep the averaged weights if no earlier ones were better on the watched batches."""
        own = [each.numpy() for each in self._model.trainable_variables]
        self._use_averages()
        losses = [
            float(
                self._loss(self._model(each.pictures, training=False), each.targets, each.weights)
            )
            for each in self._watch
        ]
        loss = float(np.mean(losses))
        if loss < float(self._best) or not self._best_path().is_file():
            self._best.assign(loss)
            self._best_step.assign(self._done)
            self._model.save_weights(self._best_path())
        for value, variable in zip(own, self._model.trainable_variables, strict=True):
            variable.assign(value)

    def _best_path(self) -> Path:
        return self._run.out / f"best.{WEIGHTS}"

    def _has_stalled(self) -> bool:
        done = int(self._done)
        is_late = done >= WATCH_FROM * self._run.steps
        looks = (done - int(self._best_step)) // WATCH_STEPS
        return bool(self._watch) and is_late and looks >= WATCH_PATIENCE


def _optimizer(learning_rate: float, steps: int) -> keras.Optimizer:
    schedule = keras.optimizers.schedules.CosineDecay(
        learning_rate / 10,
        steps,
        alpha=0.002,
        warmup_target=learning_rate,
        warmup_steps=max(1, steps // 30),
    )
    return keras.optimizers.AdamW(schedule, weight_decay=WEIGHT_DECAY, clipnorm=GRADIENT_NORM_MAX)


def _ahead(draw: Draw, first: int, end: int) -> Iterator[tuple[int, Batch]]:
    """Yield batches, drawing the next one while the network works."""
    with ThreadPoolExecutor(1) as pool:
        waiting = [pool.submit(draw, index) for index in range(first, min(first + 2, end))]
        for index in range(first, end):
            batch = waiting.pop(0).result()
            if index + 2 < end:
                waiting.append(pool.submit(draw, index + 2))
            yield index, batch
