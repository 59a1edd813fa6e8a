"""The whole evaluation: the package at hand, folds, sources, baselines, shortcuts; then the report.

In: a recipe, an order, a package. Out: `OUT/evaluation.json` and `OUT/report.html`.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from attrs import evolve, frozen

from qa_daemon.errors import ConfigurationError
from qa_daemon.predict.catalog import ModelCard, load_card
from qa_daemon.predict.interpreter import Interpreter
from qa_daemon.training.evaluation import results, shortcuts
from qa_daemon.training.evaluation.asking import (
    BASELINES,
    CNN,
    MODEL,
    QUICK_STEPS,
    Asking,
    Outcome,
    affordable_steps,
    cnn_steps,
    outcome,
    slug,
)
from qa_daemon.training.evaluation.material import Material, Part, material, parts
from qa_daemon.training.evaluation.report import Report, plain_page, written
from qa_daemon.training.evaluation.results import Told
from qa_daemon.training.make import Order, fitted_card, gathered, joined, models_beside, scored
from qa_daemon.training.package import blank_card
from qa_daemon.training.recipe import E, Figures, Kind, Recipe
from qa_daemon.training.split import split

#: A quick evaluation holds out no more sources than these.
QUICK_SOURCES: Final = 2


@frozen(kw_only=True)
class Question:
    """What is to be evaluated.

    Attributes
    ----------
    package
        Folder of the package that is measured as it is; None: there is none.
    is_quick
        Only show that everything works.
    """

    order: Order
    package: Path | None = None
    is_quick: bool = False


def evaluate(recipe: Recipe[E], question: Question) -> Path:
    """Evaluate a recipe and its package; return the report."""
    order, card = question.order, _card(recipe, question.package)
    examples = gathered(recipe, order)
    chosen = _chosen(parts(recipe, examples), is_quick=question.is_quick)
    steps = _steps(recipe, question, examples, len(chosen))
    how = _how(recipe, examples, steps, len(chosen), is_quick=question.is_quick)
    if recipe.kind is Kind.OWN:
        return _by_recipe(recipe, evolve(order, steps=steps, is_alone=True), chosen, how)
    seen = material(recipe, examples)
    asking = Asking(
        recipe=recipe,
        order=order,
        seen=seen,
        steps=steps,
        cnn_steps=cnn_steps(is_quick=question.is_quick),
    )
    outcomes = [outcome(asking, part) for part in chosen]
    told = _told(recipe, seen, outcomes)
    own = _package(recipe, card, seen, examples)
    report = Report(
        target=recipe.target,
        labels=recipe.labels,
        kind=recipe.kind,
        figures={
            "target": recipe.target,
            "licences": order.licences.value,
            "how": how,
            **({"package": own[1]} if own else {}),
            "folds by patient": {
                name: results.figures(each["fold"], recipe.labels, recipe.kind)
                for name, each in told.items()
            },
            "sources held out": _by_source(recipe, seen, outcomes),
            "shortcuts": _shortcuts(asking, card),
        },
        folds={name: each["fold"] for name, each in told.items()},
        package=own[0] if own else None,
    )
    _write(report.figures, order.out)
    return written(report, order.out / "report.html")


def _card(recipe: Recipe[E], package: Path | None) -> ModelCard | None:
    """Return the card of the package that is measured as it is.

    Raises
    ------
    ConfigurationError
        If it cannot be loaded, or was made by another recipe.
    """
    if package is None:
        return None
    card = load_card(package)
    if (card.target, card.labels, card.size) != (recipe.target, recipe.labels, recipe.size):
        raise ConfigurationError(
            f"{card.name}: was not made by this recipe of {recipe.target}; name another --model"
        )
    return card


def _by_recipe(recipe: Recipe[E], order: Order, chosen: Sequence[Part[E]], how: Figures) -> Path:
    """Write the report of a target that only its recipe can measure; fits are kept."""
    found = {}
    for part in chosen:
        card = fitted_card(recipe, order, part.division.training, slug(part))
        found[part.kind, part.name] = scored(recipe, card, part.division.held_out)
    beside, blank = models_beside(order), blank_card(recipe, b"", order.version)
    whole = joined([each for (kind, _), each in found.items() if kind == "fold"])
    card = recipe.calibrated(blank, whole, beside).card
    figures: Figures = {
        "target": recipe.target,
        "licences": order.licences.value,
        "how": {**how, "temperature": "and thresholds: chosen on all folds together"},
        "folds by patient": recipe.figures(card, whole, beside),
        "sources held out": {
            name: recipe.figures(card, each, beside)
            for (kind, name), each in found.items()
            if kind == "source"
        },
    }
    _write(figures, order.out)
    path = order.out / "report.html"
    path.write_text(plain_page(recipe.target, figures), encoding="utf-8")
    return path


def _write(figures: Figures, folder: Path) -> None:
    text = json.dumps(figures, indent=1) + "\n"
    (folder / "evaluation.json").write_text(text, encoding="utf-8")


def _chosen(found: Sequence[Part[E]], *, is_quick: bool) -> list[Part[E]]:
    if not is_quick:
        return list(found)
    by_kind = [[part for part in found if part.kind == kind] for kind in ("fold", "source")]
    return [*by_kind[0], *by_kind[1][:QUICK_SOURCES]]


def _steps(recipe: Recipe[E], question: Question, examples: tuple[E, ...], fits: int) -> int:
    if question.order.steps:
        return question.order.steps
    if question.is_quick:
        return QUICK_STEPS
    return affordable_steps(recipe, question.order, examples, fits)


def _told(
    recipe: Recipe[E], seen: Material[E], outcomes: Sequence[Outcome]
) -> Mapping[str, Mapping[str, Told]]:
    """Return by model the answers of all folds, each fold at the temperature of the others."""
    folds = [each for each in outcomes if each.kind == "fold"]
    truths = [_truth(seen, each) for each in folds]
    by_model: dict[str, Mapping[str, Told]] = {}
    for name in (MODEL, *BASELINES):
        answers = []
        for place, each in enumerate(folds):
            others = [at for at in range(len(folds)) if at != place]
            shares = _shares(recipe, name, each, [folds[at] for at in others], seen)
            answers.append(Told(shares, truths[place], _groups(seen, each)))
        by_model[name] = {"fold": results.joined(answers)}
    return by_model


def _shares(
    recipe: Recipe[E], name: str, asked: Outcome, others: Sequence[Outcome], seen: Material[E]
) -> results.Numbers:
    """Return probabilities; those of networks at the temperature that other parts choose."""
    if name not in (MODEL, CNN):
        return np.asarray(asked.baselines[name], np.float64)
    truths = [_truth(seen, each) for each in others]
    warmth = results.temperature([_logits(name, each) for each in others], truths, recipe.kind)
    return results.shares_at(_logits(name, asked), warmth, len(recipe.labels), recipe.kind)


def _logits(name: str, said: Outcome) -> Any:
    return said.logits if name == MODEL else said.baselines[name]


def _by_source(recipe: Recipe[E], seen: Material[E], outcomes: Sequence[Outcome]) -> Figures:
    folds = [each for each in outcomes if each.kind == "fold"]
    found: Figures = {}
    for each in outcomes:
        if each.kind != "source":
            continue
        found[each.name] = {
            name: results.of_source(
                Told(
                    _shares(recipe, name, each, folds, seen),
                    _truth(seen, each),
                    _groups(seen, each),
                )
            )
            for name in (MODEL, *BASELINES)
        }
    return found


def _package(
    recipe: Recipe[E], card: ModelCard | None, seen: Material[E], examples: tuple[E, ...]
) -> tuple[Told, Figures] | None:
    """Return what the package says of those that no shipped fit has seen."""
    if card is None:
        return None
    unseen = seen.of(split(examples, recipe.held_out).held_out)
    if not unseen.examples:
        return None
    told = Told(
        _asked(card, unseen, recipe.kind),
        unseen.truth,
        tuple(example.group for example in unseen.examples),
    )
    figures = results.figures(told, recipe.labels, recipe.kind)
    return told, {"model": card.name, **figures}


def _asked(card: ModelCard, unseen: Material[Any], kind: Kind) -> results.Numbers:
    logits = Interpreter(card).scores(unseen.pictures)
    return results.shares_at(logits, card.temperature, len(card.labels), kind)


def _shortcuts(asking: Asking[E], card: ModelCard | None) -> Figures:
    recipe, seen = asking.recipe, asking.seen
    measured = seen.at([at for at, e in enumerate(seen.examples) if e.origin.is_measured])
    found: Figures = {
        "border alone": shortcuts.border(measured, recipe.kind),
        "source among pictures of one label": shortcuts.source(measured, recipe.labels),
    }
    if recipe.masked is not None and card is not None:
        unseen = measured.of(split(measured.examples, recipe.held_out).held_out)
        if not unseen.examples:
            return found
        hidden = np.stack([recipe.masked(example) for example in unseen.examples])
        asked = Interpreter(card)
        found["markers masked"] = shortcuts.masked(
            asked.scores(unseen.pictures), asked.scores(hidden), unseen.truth
        )
    return found


def _how(
    recipe: Recipe[E], examples: Sequence[E], steps: int, fits: int, *, is_quick: bool
) -> Figures:
    return {
        "quick": is_quick,
        "pictures": len(examples),
        "patients": len({example.group for example in examples}),
        "sources": len({example.source for example in examples}),
        "fits": fits,
        "a fit": f"the network and batches of the recipe, {steps} of its {recipe.steps} "
        "steps, so that all fits end in time; not built on the fit of another target, which may "
        "have seen what is held out; converted to 8-bit weights before it was asked",
        "small CNN": f"{cnn_steps(is_quick=is_quick)} steps, no augmentation",
        "temperature": "of each fold chosen on the others",
    }


def _truth(seen: Material[E], said: Outcome) -> Any:
    places = {example.id: at for at, example in enumerate(seen.examples)}
    return seen.truth[[places[name] for name in said.ids]]


def _groups(seen: Material[E], said: Outcome) -> tuple[str, ...]:
    groups = {example.id: example.group for example in seen.examples}
    return tuple(groups[name] for name in said.ids)
