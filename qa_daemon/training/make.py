"""From a data folder to a model package: select, fit, calibrate, measure, write.

In: a recipe and an `Order`. Out: `OUT/models/<target>/<version>/`; fits and their checkpoints lie
in `OUT/fits/`, so that the same command resumes after a stop.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import keras
import numpy as np
from attrs import evolve, field, frozen

from qa_daemon.errors import ConfigurationError, InputError
from qa_daemon.predict.catalog import Catalog, ModelCard, Wanted, load_catalog
from qa_daemon.predict.interpreter import Interpreter
from qa_daemon.training.fit import Run, Told, fit
from qa_daemon.training.package import Made, blank_card, flat_buffer, write
from qa_daemon.training.recipe import E, Licences, Recipe, Scored
from qa_daemon.training.site.pictures import is_site_folder, own_examples
from qa_daemon.training.split import folds, split, usable, weighted

MODELS: Final = "models"
FITS: Final = "fits"
#: Seed of the random variants on which thresholds must hold.
VARIANTS_SEED: Final = 77
#: Folds of `--final`: each fit sees two thirds, and three fits take the time of one evaluation.
FINAL_FOLDS: Final = 3

#: Says what is done next, and gets told the steps of it.
Progress = Callable[[str], Told]


def _silent(_what: str) -> Told:
    return lambda *_: None


@frozen(kw_only=True)
class Order:
    """What is wanted.

    Attributes
    ----------
    data
        A data folder, or a site's own pictures with their table of labels.
    extra
        Folders of a site's own pictures, besides `data`.
    is_alone
        As in `fit.Run`.
    beside
        A folder of models that may be asked where OUT holds none of a target.
    steps
        None: as many as the recipe says.
    is_final
        Fit on everything; thresholds and figures come from out-of-fold scores.
    """

    data: Path
    out: Path
    extra: tuple[Path, ...] = ()
    licences: Licences = Licences.ALL
    version: str = "1.0.0"
    steps: int | None = None
    seed: int = 1
    is_final: bool = False
    is_alone: bool = False
    beside: Path | None = None
    progress: Progress = field(default=_silent, repr=False)


def make(recipe: Recipe[E], order: Order) -> Path:
    """Make a model as ordered; return the folder of the package.

    Raises
    ------
    ConfigurationError
        If a model that it needs does not stand beside it.
    """
    beside = models_beside(order)
    for target in recipe.needs:
        if beside.of(target) is None:
            raise ConfigurationError(f"no usable {target} stands beside it; train that first")
    examples = gathered(recipe, order)
    made = (_final if order.is_final else _kept)(recipe, order, examples)
    return write(made, order.out / MODELS)


def gathered(recipe: Recipe[E], order: Order) -> tuple[E, ...]:
    """Return all that may be fitted on or measured; a site's own pictures are divided as others.

    Raises
    ------
    InputError
        If a folder is not there, or is refused.
    """
    for folder in (order.data, *order.extra):
        if not folder.is_dir():
            raise InputError(f"{folder}: no such folder")
    if is_site_folder(order.data):
        examples = own_examples(recipe, order.data)
    else:
        examples = usable(recipe, order.data, order.licences)
    more = (own_examples(recipe, folder, patients_min=1) for folder in order.extra)
    return (*examples, *(example for part in more for example in part))


def _kept(recipe: Recipe[E], order: Order, examples: tuple[E, ...]) -> Made:
    parts = split(examples, recipe.held_out)
    name = f"{recipe.name}-{order.licences.value}"
    card = fitted_card(recipe, order, parts.training, name)
    found = scored(recipe, card, parts.held_out)
    return _made(recipe, order, card, found, examples)


def _final(recipe: Recipe[E], order: Order, examples: tuple[E, ...]) -> Made:
    name = f"{recipe.name}-{order.licences.value}-final"
    parts = []
    for number, fold in enumerate(folds(examples, FINAL_FOLDS), 1):
        card = fitted_card(recipe, order, fold.training, f"{name}-fold{number}")
        parts.append(scored(recipe, card, fold.held_out))
    card = fitted_card(recipe, order, examples, name)
    made = _made(recipe, order, card, joined(parts), examples)
    return evolve(made, folds=FINAL_FOLDS)


def _made(
    recipe: Recipe[E], order: Order, card: ModelCard, found: Scored[E], examples: tuple[E, ...]
) -> Made:
    beside = models_beside(order)
    calibrated = recipe.calibrated(card, found, beside)
    return Made(
        recipe=recipe,
        calibrated=calibrated,
        figures=recipe.figures(calibrated.card, found, beside),
        examples=examples,
        held_out=found.published().examples,
        rule=recipe.held_out,
        licences=order.licences,
    )


def fitted_card(recipe: Recipe[E], order: Order, examples: Sequence[E], name: str) -> ModelCard:
    """Fit (or go on fitting) the network of that name; return its card before calibration."""
    run = Run(
        data=order.data,
        out=order.out / FITS / name,
        steps=order.steps or recipe.steps,
        seed=order.seed,
        is_alone=order.is_alone,
        told=order.progress(name),
    )
    model = fit(recipe, weighted(examples), run)
    content = flat_buffer(model)
    keras.backend.clear_session()
    return blank_card(recipe, content, order.version, order.licences)


def scored(recipe: Recipe[E], card: ModelCard, examples: Sequence[E]) -> Scored[E]:
    """Run a model over examples as published and over random variants of them.

    Raises
    ------
    InputError
        If there are none.
    """
    if not examples:
        raise InputError(f"{recipe.target}: no picture is held out; label more patients")
    pictures, owners, numbers = [], [], []
    for index, example in enumerate(examples):
        pictures.append(recipe.shown(example))
        owners.append(example)
        numbers.append(0)
        if recipe.varied is not None:
            random = np.random.default_rng([VARIANTS_SEED, index])
            pictures += [recipe.varied(example, random) for _ in range(recipe.variants)]
            owners += [example] * recipe.variants
            numbers += range(1, recipe.variants + 1)
    stacked = np.stack(pictures)
    return Scored(tuple(owners), stacked, Interpreter(card).scores(stacked), np.asarray(numbers))


def joined(parts: Sequence[Scored[E]]) -> Scored[E]:
    """Return the scores of several folds as one."""
    return Scored(
        tuple(example for part in parts for example in part.examples),
        np.concatenate([part.pictures for part in parts]),
        np.concatenate([part.logits for part in parts]),
        np.concatenate([part.variants for part in parts]),
    )


def models_beside(order: Order) -> Catalog:
    """Return the models that may be asked: those of OUT first, then those shipped."""
    wanted = Wanted(licences=order.licences.value)
    own = load_catalog(order.out / MODELS, wanted)
    shipped = load_catalog(order.beside, wanted) if order.beside else Catalog()
    return Catalog({**shipped.cards, **own.cards}, own.problems)
