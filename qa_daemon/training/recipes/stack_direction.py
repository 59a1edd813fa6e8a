"""`stack_direction`: how high in the body an axial slice lies, and so which end of a stack is up.

A regressor of heights with their spread. Two slices of one stack must lie as far apart as their
positions say; where no positions are known, a slice must lie within its region. No position of a
whole body is needed, only differences (as in body part regression, Yan et al., ISBI 2018).
"""

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

import keras
import numpy as np
import tensorflow as tf
from attrs import evolve, frozen
from numpy.random import Generator

from qa_daemon.predict.catalog import Catalog, ModelCard
from qa_daemon.predict.heads.outputs import Outputs, Subject
from qa_daemon.predict.heads.stack import LENGTH_MM_MIN, MM_PER_UNIT, SLICES_MIN, stack_prediction
from qa_daemon.records.prediction import Prediction
from qa_daemon.training.figures.calibration import best_temperature
from qa_daemon.training.figures.intervals import Said, threshold, wilson
from qa_daemon.training.figures.strangers import drawn
from qa_daemon.training.networks import network
from qa_daemon.training.recipe import (
    Batch,
    Calibrated,
    Draw,
    Figures,
    Kind,
    Plan,
    Recipe,
    Scored,
    Start,
    Words,
)
from qa_daemon.training.recipes.other_orientations import CHANNELS, SIZE
from qa_daemon.training.slices.augment import (
    Prepared,
    draw,
    drawing_weights,
    prepared,
    shown,
    turned_array,
)
from qa_daemon.training.slices.datasets import HELD_OUT, SOURCES_HELD_OUT, LabelledSlice, slices
from qa_daemon.training.slices.measure import SERIES_SLICES_MAX

LABELS: Final = ("agrees", "reversed")
#: Where regions lie above the ischium, in units of `MM_PER_UNIT`: from small to tall adults.
REGION_HEIGHTS: Final[Mapping[str, tuple[float, float]]] = {
    "LOWERLIMB": (-7.0, 0.2),
    "PELVIS": (-0.3, 2.2),
    "ABDOMEN": (1.6, 4.8),
    "CHEST": (3.8, 7.0),
    "NECK": (6.4, 8.2),
    "HEAD": (7.3, 10.0),
}
ANYWHERE: Final = (-8.0, 11.0)
#: A slice is not placed better than this; it keeps the logarithm of the spread from falling away.
SPREAD_MIN: Final = 0.2
#: Logarithm of the spread that a picture of nothing known must get: four decimetres.
STRANGE_SPREAD: Final = float(np.log(4.0))
#: Share of pairs of one stack, whose distance is known.
PLACED_SHARE: Final = 0.6
#: Share of slices that are replaced by drawn shapes, and by slices of other planes.
STRANGE_SHARE: Final = 0.12
#: No stack decides on less than this; the target is the witness of a wrong patient frame.
STACK_MIN: Final = 0.98
#: Windows of every held-out stack that figures are given for, mm; 0 = the whole stack.
WINDOWS_MM: Final = (0.0, 300.0, 200.0, 150.0)

WORDS: Final = Words(
    purpose=(
        "Says whether what the slices of an axial CT or MR stack show rises to the head as their",
        "positions do: `agrees`, or `reversed`. Its outputs are how high a slice lies in the body,",
        "in decimetres above the ischium, and the logarithm of how far that may be off; the stack",
        "is judged by `predict.heads.stack`. The second witness of a wrong patient frame.",
    ),
    limits=(
        "Needs 15 cm and three slices. Most of the long stacks are heads with necks of one source",
        "of radiotherapy CT; trunks are few. Adults only.",
    ),
    meanings={
        "agrees": "the head end lies where Image Position says",
        "reversed": "the head end lies at the other end",
    },
)


def _examples(data: Path) -> Sequence[LabelledSlice]:
    """Return axial slices whose region or place is known, and strange ones of other planes."""
    return [
        evolve(item, labels=("agrees",) if item.plane == "axial" else ())
        for item in slices(data)
        if item.plane != "axial" or item.regions or np.isfinite(item.place_mm)
    ]


def _network(start: Start) -> keras.Model:  # noqa: ARG001  it starts from nothing
    return network(SIZE, 2, "stack_direction", CHANNELS)


def _draws(items: Sequence[LabelledSlice], plan: Plan) -> Draw:
    axial = [item for item in items if item.labels]
    subjects = [prepared(item) for item in axial]
    others = [prepared(item) for item in items if not item.labels]
    chances = drawing_weights(axial)
    stacks: dict[str, list[int]] = defaultdict(list)
    for number, item in enumerate(axial):
        if np.isfinite(item.place_mm):
            stacks[item.series].append(number)
    is_placed = [len(stacks.get(item.series, ())) > 1 for item in axial]
    placed = np.flatnonzero(is_placed)
    placed_chances = chances[placed] / chances[placed].sum()

    def pair_of(random: Generator) -> tuple[int, int]:
        if len(placed) and random.random() < PLACED_SHARE:
            first = int(random.choice(placed, p=placed_chances))
            return first, int(random.choice(stacks[axial[first].series]))
        one, other = random.choice(len(axial), 2, p=chances)
        return int(one), int(other)

    def batch_of(index: int) -> Batch:
        random = np.random.default_rng([plan.seed, index])
        pictures, targets = [], []
        for _ in range(plan.batch // 2):
            seen: list[Prepared | None] = [subjects[number] for number in pair_of(random)]
            for place in np.flatnonzero(random.random(2) < STRANGE_SHARE):
                is_drawn = not others or random.random() < 0.5
                seen[place] = None if is_drawn else others[int(random.integers(len(others)))]
            pictures += [_picture(subject, random, plan.size) for subject in seen]
            first_item, second_item = (subject.item if subject else None for subject in seen)
            targets.append(_target(first_item, second_item))
        return Batch(
            np.stack(pictures)[..., None],
            np.asarray(targets, np.float32),
            np.ones(len(targets), np.float32),
        )

    return batch_of


def _picture(subject: Prepared | None, random: Generator, size: int) -> np.ndarray[Any, Any]:
    picture = drawn(random, size) if subject is None else draw(subject, random, size)
    return turned_array(picture, int(random.integers(8)))


def _target(first: LabelledSlice | None, second: LabelledSlice | None) -> tuple[float, ...]:
    """Return how much higher the first lies, whether that is known, and what is known of each."""
    apart = math.nan
    if (
        first is not None
        and second is not None
        and first.labels
        and second.labels
        and first.series == second.series
    ):
        apart = (first.place_mm - second.place_mm) / MM_PER_UNIT
    is_known = math.isfinite(apart)
    return (apart if is_known else 0.0, float(is_known), *_alone(first), *_alone(second))


def _alone(item: LabelledSlice | None) -> tuple[float, float, float]:
    """Return the range in which a slice lies, and whether it is strange."""
    if item is None or not item.labels:
        return (*ANYWHERE, 1.0)
    ranges = [REGION_HEIGHTS[region] for region in item.regions] or [ANYWHERE]
    return min(low for low, _ in ranges), max(high for _, high in ranges), 0.0


def _loss(logits: Any, targets: Any, weights: Any) -> Any:
    """Return the loss of pairs: heights apart as positions are, each within its region."""
    said = tf.reshape(logits, (-1, 2, 2))
    heights, spreads = said[:, :, 0], tf.exp(2.0 * said[:, :, 1]) + SPREAD_MIN**2
    both = tf.reduce_sum(spreads, axis=1)
    apart = (heights[:, 0] - heights[:, 1] - targets[:, 0]) ** 2 / both + tf.math.log(both)
    low, high, strange = targets[:, 2::3], targets[:, 3::3], targets[:, 4::3]
    beyond = tf.nn.relu(low - heights) + tf.nn.relu(heights - high)
    # Within its region nothing is known of a slice, so only pairs teach how far it may be off.
    unsure = strange * (said[:, :, 1] - STRANGE_SPREAD) ** 2
    alone = tf.reduce_mean((1.0 - strange) * beyond**2 + unsure, axis=1)
    return tf.reduce_mean(weights * (targets[:, 1] * apart + alone))


@frozen
class _Stack:
    """Slices of one patient at known places, by index, sampled as the service does."""

    item: LabelledSlice
    indices: tuple[int, ...]
    length_mm: float


def _stacks(items: Sequence[LabelledSlice], window_mm: float) -> list[_Stack]:
    """Return held-out stacks, cut into windows of a length that follow each other by half of it."""
    members: dict[str, list[int]] = defaultdict(list)
    for index, item in enumerate(items):
        if item.labels and np.isfinite(item.place_mm):
            members[item.series].append(index)
    found = []
    for indices in members.values():
        indices.sort(key=lambda index: items[index].place_mm)
        places = np.asarray([items[index].place_mm for index in indices])
        width = window_mm or float(np.ptp(places))
        for first in np.arange(places[0], places[-1] - width + 1e-3, max(width / 2, 1.0)):
            inside = np.flatnonzero((places >= first - 1e-3) & (places <= first + width + 1e-3))
            length = float(np.ptp(places[inside])) if len(inside) else 0.0
            if len(inside) >= SLICES_MIN and length >= 0.9 * width:
                at = np.linspace(0, len(inside) - 1, min(SERIES_SLICES_MAX, len(inside)))
                chosen = tuple(indices[inside[round(place)]] for place in at)
                found.append(_Stack(items[chosen[0]], chosen, length))
    return found


def _said(card: ModelCard, found: Scored[LabelledSlice], stack: _Stack) -> Prediction:
    subjects = tuple(Subject("", index + 1) for index in stack.indices)
    places = np.asarray([found.examples[index].place_mm for index in stack.indices], np.float64)
    return stack_prediction(Outputs(card, subjects, found.logits[list(stack.indices)], places))


def _agrees(card: ModelCard, found: Scored[LabelledSlice], stack: _Stack) -> float:
    return _said(card, found, stack).probabilities.get("agrees", 0.5)


def _calibrated(card: ModelCard, found: Scored[LabelledSlice], _beside: Catalog) -> Calibrated:
    """Return the card with the temperature and the threshold of held-out stacks."""
    published = found.published()
    stacks = [
        stack
        for window in WINDOWS_MM
        for stack in _stacks(published.examples, window)
        if stack.length_mm >= 0.9 * LENGTH_MM_MIN
    ]

    def surprise(temperature: float) -> float:
        warm = evolve(card, temperature=temperature)
        shares = [max(1e-9, _agrees(warm, published, stack)) for stack in stacks]
        return float(-np.log(shares).mean())

    warm = evolve(card, temperature=best_temperature(surprise), thresholds={"stack": STACK_MIN})
    said = []
    for stack in stacks:
        agrees = _agrees(warm, published, stack)
        said.append(Said(max(agrees, 1 - agrees), agrees < 0.5, stack.item.patient))
    value = threshold(said, STACK_MIN)
    how = (
        f"held-out stacks and their parts of 15 cm and more: at most 0.3 % decided and wrong, each "
        f"patient counting once, of {len(said)}; floor {STACK_MIN}"
    )
    return Calibrated(evolve(warm, thresholds={"stack": value}), {"stack": how})


def _figures(card: ModelCard, found: Scored[LabelledSlice], _beside: Catalog) -> Figures:
    """Return how many stacks are decided, and wrongly; reversed copies mirror these answers."""
    published = found.published()
    figures: Figures = {}
    for window in WINDOWS_MM:
        name = f"windows of {window:.0f} mm" if window else "whole stacks"
        groups: dict[str, list[Prediction]] = defaultdict(list)
        for stack in _stacks(published.examples, window):
            said = _said(card, published, stack)
            long = "150 mm and more" if stack.length_mm >= LENGTH_MM_MIN else "shorter"
            kind = "sources" if stack.item.source in SOURCES_HELD_OUT else "patients"
            groups[long].append(said)
            groups[f"{long}, {kind} held out"].append(said)
            groups[f"{long}: {stack.item.source}"].append(said)
        figures[name] = {group: _shares(answers) for group, answers in sorted(groups.items())}
    return figures


def _shares(answers: Sequence[Prediction]) -> Figures:
    decided = [said for said in answers if not said.abstained]
    return {
        "n": len(answers),
        "right": wilson(sum(said.label == "agrees" for said in answers), len(answers)),
        "decided": wilson(len(decided), len(answers)),
        "decided and wrong": sum(said.label != "agrees" for said in decided),
    }


RECIPE: Final = Recipe[LabelledSlice](
    target="stack_direction",
    labels=LABELS,
    kind=Kind.OWN,
    modalities=("CT", "MR"),
    size=SIZE,
    preparation="slice",
    copies="averaged",
    steps=1500,
    batch=48,
    learning_rate=1.5e-3,
    held_out=HELD_OUT,
    words=WORDS,
    examples=_examples,
    network=_network,
    draws=_draws,
    loss=_loss,
    shown=partial(shown, size=SIZE),
    calibrated=_calibrated,
    figures=_figures,
)
