"""Fit the model and the baselines of one part, and ask them; kept on disk, so that it is done once.

In: a part of the data. Out: logits of the model and probabilities of the baselines on what was
held out. Fits resume by themselves; a part that was finished is only read.
"""

import hashlib
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from time import monotonic
from typing import Any, Final, Generic

import numpy as np
from attrs import evolve, frozen
from numpy.typing import NDArray

from qa_daemon.predict.interpreter import Interpreter
from qa_daemon.training.evaluation.baselines import (
    CNN_STEPS,
    features,
    logistic,
    nearest,
    small_cnn,
)
from qa_daemon.training.evaluation.material import Material, Part
from qa_daemon.training.fit import Run, fit
from qa_daemon.training.make import Order, fitted_card
from qa_daemon.training.recipe import E, Recipe

MODEL: Final = "this model"
LOGISTIC: Final = "logistic regression"
NEAREST: Final = "nearest neighbours"
CNN: Final = "small CNN"
BASELINES: Final = (LOGISTIC, NEAREST, CNN)
#: Time of one fit, and of all of them together; the whole evaluation ends within 100 minutes.
FIT_S_MAX: Final = 600.0
ALL_FITS_S_MAX: Final = 4200.0
#: The speed of a fit is measured on this many steps, after as many to warm up.
TIMED_STEPS: Final = 8
#: A quick evaluation shows that everything works, and nothing about the model.
QUICK_STEPS: Final = 20


@frozen(eq=False)
class Outcome:
    """What was said of the pictures of one part.

    Attributes
    ----------
    logits
        Of the model, shape (n, outputs).
    baselines
        Probabilities by name, shape (n, labels).
    """

    kind: str
    name: str
    ids: tuple[str, ...]
    logits: NDArray[np.float32]
    baselines: Mapping[str, NDArray[np.float64]]


@frozen(kw_only=True, eq=False)
class Asking(Generic[E]):
    """What all parts of an evaluation share."""

    recipe: Recipe[E]
    order: Order
    seen: Material[E]
    steps: int
    cnn_steps: int


def outcome(asking: Asking[E], part: Part[E]) -> Outcome:
    """Return the outcome of a part, from disk where it was finished before."""
    held_out = asking.seen.of(part.division.held_out)
    path = asking.order.out / "parts" / f"{slug(part)}-{_name_of(asking, part)}.npz"
    if path.is_file():
        return _read(path, part, held_out)
    logits = _model(asking, part, held_out)
    found = Outcome(part.kind, part.name, _ids(held_out), logits, _baselines(asking, part))
    path.parent.mkdir(parents=True, exist_ok=True)
    half = path.with_suffix(".part.npz")
    kept: dict[str, Any] = {"model": found.logits, **found.baselines}
    np.savez(half, **kept)
    half.replace(path)
    return found


def affordable_steps(recipe: Recipe[E], order: Order, examples: tuple[E, ...], fits: int) -> int:
    """Return how many steps a fit may have so that all of them end in time.

    The speed is that of this machine, measured once and kept, so that a stopped evaluation goes
    on with the same number.
    """
    kept = order.out / "steps"
    if kept.is_file():
        return int(kept.read_text(encoding="utf-8"))
    times: list[float] = []
    trial = Run(
        data=order.data,
        out=order.out / "trial",
        steps=2 * TIMED_STEPS,
        is_alone=True,
        told=lambda *_: times.append(monotonic()),
    )
    fit(recipe, examples, trial)
    shutil.rmtree(trial.out)
    per_step = (times[-1] - times[-1 - TIMED_STEPS]) / TIMED_STEPS
    steps = int(min(FIT_S_MAX, ALL_FITS_S_MAX / fits) / max(per_step, 1e-4))
    steps = max(TIMED_STEPS, min(recipe.steps, steps))
    kept.write_text(str(steps), encoding="utf-8")
    return steps


def _model(asking: Asking[E], part: Part[E], held_out: Material[E]) -> NDArray[np.float32]:
    order = evolve(asking.order, steps=asking.steps, is_alone=True)
    card = fitted_card(asking.recipe, order, part.division.training, slug(part))
    return Interpreter(card).scores(held_out.pictures)


def _baselines(asking: Asking[E], part: Part[E]) -> Mapping[str, NDArray[np.float64]]:
    kind = asking.recipe.kind
    fitted = asking.seen.of(part.division.training)
    asked = asking.seen.of(part.division.held_out)
    own, others = features(fitted.pictures), features(asked.pictures)
    cnn = small_cnn(asking.recipe, fitted)
    order = evolve(asking.order, steps=asking.cnn_steps)
    card = fitted_card(cnn, order, fitted.examples, f"{slug(part)}-cnn")
    logits = Interpreter(evolve(card, copies="single")).scores(asked.pictures)
    return {
        LOGISTIC: logistic(own, fitted.truth, others, kind),
        NEAREST: nearest(own, fitted.truth, others, kind),
        CNN: np.asarray(logits, np.float64),
    }


def _read(path: Path, part: Part[E], held_out: Material[E]) -> Outcome:
    with np.load(path, allow_pickle=False) as kept:
        baselines = {name: kept[name] for name in BASELINES}
        return Outcome(part.kind, part.name, _ids(held_out), kept["model"], baselines)


def _ids(held_out: Material[E]) -> tuple[str, ...]:
    return tuple(example.id for example in held_out.examples)


def slug(part: Part[E]) -> str:
    """Return what the files of a part are called."""
    words = re.sub(r"[^a-z0-9]+", "-", part.name.lower()).strip("-")[:40]
    return f"{part.kind}-{words}"


def _name_of(asking: Asking[E], part: Part[E]) -> str:
    """Return a digest of what the outcome depends on, the code of the recipe aside."""
    told = hashlib.sha256()
    told.update(repr((asking.recipe.target, asking.steps, asking.cnn_steps)).encode())
    for side in (part.division.training, part.division.held_out):
        told.update(repr([(example.id, example.labels) for example in side]).encode())
    return told.hexdigest()[:12]


def cnn_steps(*, is_quick: bool) -> int:
    """Return how long the CNN of a part is fitted."""
    return QUICK_STEPS if is_quick else CNN_STEPS
