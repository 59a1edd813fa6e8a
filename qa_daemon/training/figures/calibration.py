"""Temperature and thresholds of a card, chosen on examples that fitting never saw.

In: a card and scored examples. Out: the card calibrated, and in words how each threshold was
chosen: the rate asked for, what was borne, and its interval. Each patient counts once.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import numpy as np
from attrs import evolve, frozen
from numpy.typing import NDArray

from qa_daemon.predict.calibrate import sigmoid, softmax
from qa_daemon.predict.catalog import ModelCard
from qa_daemon.predict.heads.outputs import Shares, exclusive, independent
from qa_daemon.training.figures.intervals import Said, patient_weights, threshold, wilson
from qa_daemon.training.recipe import Calibrated, Example, Scored

TEMPERATURES: Final = np.exp(np.linspace(np.log(0.5), np.log(4.0), 43))
#: Pictures of one series are no independent witnesses; set by hand, as for slices.
CORRELATION: Final = 0.25
#: Share of all answers that may be decided and wrong: one alarm in a hundred, over all targets.
WRONG_SHARE_MAX: Final = 0.01
#: A label that is less likely than not is never accepted.
LABEL_MIN: Final = 0.5
#: Share of the pictures of known kinds that must count as known.
KNOWN_KEPT: Final = 0.98


@frozen
class Chosen:
    """A threshold, and the words of the card about it."""

    value: float
    how: str


def truth_of(card: ModelCard, examples: Sequence[Example]) -> NDArray[np.bool_]:
    """Return which labels are right, shape (n, labels)."""
    return np.asarray([[label in e.labels for label in card.labels] for e in examples], bool)


def best_temperature(surprise: Callable[[float], float]) -> float:
    """Return the temperature at which the truth surprises least."""
    return round(float(min(TEMPERATURES, key=surprise)), 3)


def chosen(said: Sequence[Said], least: float, wrong_share_max: float) -> Chosen:
    """Return the least threshold from `least` on that keeps the share of wrong answers."""
    value = threshold(said, least, wrong_share_max)
    kept = [each for each in said if each.probability >= value]
    wrong = sum(each.is_wrong for each in kept)
    interval = wilson(wrong, len(kept))[1:]
    return Chosen(
        value,
        f"held-out patients: at most {wrong_share_max:.1%} of answers decided and wrong, each "
        f"patient counting once, floor {least}; borne: {wrong} of {len(kept)} decided "
        f"(of {len(said)} asked), 95 % interval {interval}",
    )


def calibrated_single(
    card: ModelCard, found: Scored[Any], wrong_share_max: float = WRONG_SHARE_MAX
) -> Calibrated:
    """Calibrate a target of which one label is right (softmax)."""
    truth, weights = truth_of(card, found.examples), patient_weights(found.examples)
    right = np.pad(truth, ((0, 0), (0, found.logits.shape[1] - truth.shape[1])))

    def surprise(temperature: float) -> float:
        own = (softmax(found.logits, temperature) * right).sum(axis=1)
        return float(-(weights * np.log(np.clip(own, 1e-9, 1))).mean())

    warm = evolve(card, temperature=best_temperature(surprise), correlation=CORRELATION)
    every = exclusive(warm, found.logits)
    shares = every.labels
    best = shares.argmax(axis=1)
    said = [
        Said(float(own[at]), is_wrong=not good[at], patient=example.patient)
        for own, at, good, example in zip(shares, best, truth, found.examples, strict=True)
    ]
    label = chosen(said, LABEL_MIN, wrong_share_max)
    return with_thresholds(warm, {"label": label, **known(every, card.reject)})


def calibrated_multi(
    card: ModelCard, found: Scored[Any], wrong_share_max: float = WRONG_SHARE_MAX
) -> Calibrated:
    """Calibrate a target whose labels are right or not, each for itself (sigmoid)."""
    truth, weights = truth_of(card, found.examples), patient_weights(found.examples)[:, None]
    logits = found.logits[:, : truth.shape[1]]

    def surprise(temperature: float) -> float:
        own = np.clip(sigmoid(logits, temperature), 1e-6, 1 - 1e-6)
        return float(-(weights * np.log(np.where(truth, own, 1 - own))).mean())

    warm = evolve(card, temperature=best_temperature(surprise), correlation=CORRELATION)
    every = independent(warm, found.logits)
    shares = every.labels
    # The worst accepted label of a picture makes its answer wrong.
    said = []
    for own, good, example in zip(shares, truth, found.examples, strict=True):
        wrong = float(np.where(good, 0.0, own).max())
        sure = wrong if wrong >= LABEL_MIN else float(own.max())
        said.append(Said(sure, is_wrong=wrong >= LABEL_MIN, patient=example.patient))
    label = chosen(said, LABEL_MIN, wrong_share_max)
    return with_thresholds(warm, {"label": label, **known(every, card.reject)})


def known(every: Shares, reject: int) -> dict[str, Chosen]:
    """Return from where on a picture shows something known, of a model with outputs for the rest.

    It is known pictures that choose it: what is strange has no end, and none of it is a sample.
    """
    if not reject:
        return {}
    value = float(np.floor(np.quantile(every.known, 1.0 - KNOWN_KEPT) * 1000) / 1000)
    how = f"held-out patients: {KNOWN_KEPT:.0%} of pictures of known kinds reach it"
    return {"known": Chosen(value, how)}


def with_thresholds(card: ModelCard, values: Mapping[str, Chosen]) -> Calibrated:
    """Return the card with these thresholds, and the words about them."""
    thresholds = {name: each.value for name, each in values.items()}
    return Calibrated(
        evolve(card, thresholds=thresholds), {name: each.how for name, each in values.items()}
    )
