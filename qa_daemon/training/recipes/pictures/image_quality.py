"""`image_quality`: faults for which a radiograph might be repeated; no label = nothing is wrong.

Fitted on faultless pictures with faults made (`pictures.faults`), as real repeats were not to be
had. The picture is shown with its levels as displayed (`pixels.inputs.displayed`).
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import keras
import numpy as np
import tensorflow as tf
from numpy.random import Generator
from numpy.typing import NDArray

from qa_daemon.pixels.inputs.displayed import DISPLAYED_SIZE, displayed_tensor
from qa_daemon.predict.catalog import Catalog, ModelCard
from qa_daemon.predict.heads.outputs import independent
from qa_daemon.predict.interpreter import Interpreter
from qa_daemon.training.figures.calibration import Chosen, with_thresholds
from qa_daemon.training.figures.curves import roc
from qa_daemon.training.figures.intervals import wilson
from qa_daemon.training.pictures.faults import FAULTS, softened, usual
from qa_daemon.training.pictures.labelled import KERMANY_TEST, Picture, chests, radiographs
from qa_daemon.training.pretrained import V1_025, backbone, recalibrate_bn
from qa_daemon.training.recipe import (
    Batch,
    Calibrated,
    Draw,
    Figures,
    Grey,
    HeldOut,
    Kind,
    Plan,
    Recipe,
    Scored,
    Start,
    Words,
)

LABELS: Final = ("too_dark", "clipped", "blurred", "cut_off", "moving", "inverted")
#: Augmented copies are blurred, turned and darkened already.
SOURCES_LEFT_OUT: Final = frozenset({"mura_aug", "hbfmid"})
#: Shorter pictures than this are blurred beside others, through no fault of theirs.
EDGE_MIN: Final = 200
HELD_OUT: Final = HeldOut(
    sources=frozenset(
        {
            KERMANY_TEST,
            "radiopaedia",
            "medpix",
            "figure1",
            "covid_cxnet",
            "fracatlas",
            "frac_multi_wrist",
            "isbi_ceph",
            "ddh_jordan",
        }
    )
)
#: Chances of no fault, one and two; of two that hide each other one is left out.
COUNT_CHANCES: Final = (0.36, 0.5, 0.14)
HIDES: Final = {"moving": "blurred", "too_dark": "clipped"}
#: Smoothing of the targets, as a share.
SMOOTHING: Final = 0.02
#: Energies below this are rounding of eight bits; the logarithm would make much of them.
ENERGY_MIN: Final = 3e-5
#: Share of faultless pictures on which one label may be wrongly said: a hundredth over all six.
FALSE_SHARE_MAX: Final = 0.0017
LABEL_MIN: Final = 0.5
#: Pictures of a source on which figures are made; more add time and little else.
PER_SOURCE_MAX: Final = 60
FIGURES_SEED: Final = 9

WORDS: Final = Words(
    purpose=(
        "Says what is wrong with a radiograph as an exposure, so that somebody may look whether it",
        "should be repeated. No label = nothing was found.",
    ),
    limits=(
        "All faults that it was fitted on and measured with are synthetic; real repeats were not",
        "to be had. Blur and motion are seen from about one part in 200 of the long edge on. What",
        "was cut off is judged by the field alone: nobody told what had been ordered. Pictures",
        "with a long edge below 200 pixels look blurred. Not a diagnosis.",
    ),
    meanings={
        "too_dark": "levels far below what others of the kind have",
        "clipped": "levels of tissue lost in white or black",
        "blurred": "edges wider than in any sharp picture of that size",
        "cut_off": "a quarter or more of what should be in view is not",
        "moving": "edges doubled or smeared along one way",
        "inverted": "shown as a negative",
    },
)


def _examples(data: Path) -> Sequence[Picture]:
    return [
        _labelled(picture)
        for picture in (*radiographs(data), *chests(data))
        if picture.source not in SOURCES_LEFT_OUT and max(picture.read().shape) >= EDGE_MIN
    ]


def _labelled(picture: Picture) -> Picture:
    return Picture(
        id=picture.id,
        read=picture.read,
        labels=("inverted",) if picture.is_inverted else (),
        patient=picture.patient,
        source=picture.source,
        licence=picture.licence,
        modality=picture.modality,
    )


def _displayed(picture: Picture) -> Grey:
    """Return the picture in 0..1, reduced as the service does before it looks."""
    shown = picture.read().astype(np.float32) / np.float32(255)
    long = max(shown.shape)
    return softened(shown, DISPLAYED_SIZE / long) if long > DISPLAYED_SIZE else shown


def _network(start: Start) -> keras.Model:
    """Return three looks at the picture: what is shown, how sharp it is, how levels are used."""
    given = keras.Input((DISPLAYED_SIZE, DISPLAYED_SIZE, 1), name="picture")
    half = keras.layers.AveragePooling2D(2, name="half")(given)
    trunk = backbone(keras.layers.Rescaling(2.0, -1.0)(half), start.data, V1_025, 1.0)
    seen = keras.Model(given, trunk.output)
    recalibrate_bn(seen, start.sample())
    features = seen(given)
    places = keras.layers.Conv2D(48, 1, activation="relu")(features)
    places = keras.layers.Dropout(0.2)(keras.layers.Flatten()(places))
    parts = [
        keras.layers.Dense(64, activation="relu")(places),
        keras.layers.GlobalAveragePooling2D()(features),
        _sharpness(given, half),
        _levels(given, half),
    ]
    joined = keras.layers.Dropout(0.15)(keras.layers.Concatenate()(parts))
    hidden = keras.layers.Dense(64, activation="relu")(joined)
    return keras.Model(given, keras.layers.Dense(len(LABELS), name="logits")(hidden))


def _sharpness(given: keras.KerasTensor, half: keras.KerasTensor) -> keras.KerasTensor:
    """Return energies of learned bands in blocks, beside the energy of coarse contrast."""
    fine = keras.layers.Subtract()([given, keras.layers.AveragePooling2D(5, 1, "same")(given)])
    coarse = keras.layers.Subtract()([half, keras.layers.AveragePooling2D(9, 1, "same")(half)])
    bands = [
        keras.layers.Conv2D(12, 7, 2, "same", use_bias=False)(fine),
        keras.layers.Conv2D(8, 5, 1, "same", use_bias=False)(coarse),
        coarse,
    ]
    energies = []
    for band in bands:
        power = keras.layers.AveragePooling2D(16)(keras.ops.square(band))
        energies.append(keras.ops.log(power + ENERGY_MIN))
    x = keras.layers.BatchNormalization(momentum=0.95)(keras.layers.Concatenate()(energies))
    x = keras.layers.Conv2D(64, 1, activation="relu")(x)
    x = keras.layers.Conv2D(48, 1, activation="relu")(x)
    return keras.layers.Concatenate()(
        [keras.layers.GlobalAveragePooling2D()(x), keras.layers.GlobalMaxPooling2D()(x)]
    )


def _levels(given: keras.KerasTensor, half: keras.KerasTensor) -> keras.KerasTensor:
    """Return a soft histogram of 17 levels, and how much is exactly black or white."""
    levels = np.linspace(0.0, 1.0, 17, dtype=np.float32)
    near = keras.ops.relu(1.0 - keras.ops.abs(half - levels) * 16.0)
    ends = keras.ops.relu(1.0 - keras.ops.abs(given - levels[[0, -1]]) * 100.0)
    shares = [keras.layers.GlobalAveragePooling2D()(each) for each in (near, ends)]
    return keras.layers.Rescaling(4.0)(keras.layers.Concatenate()(shares))


def _draws(pictures: Sequence[Picture], plan: Plan) -> Draw:
    shown = [np.round(_displayed(picture) * 255).astype(np.uint8) for picture in pictures]
    counts: dict[str, int] = defaultdict(int)
    for picture in pictures:
        counts[picture.source] += 1
    chances = np.array([counts[picture.source] ** -0.5 for picture in pictures])
    chances /= chances.sum()

    def batch_of(index: int) -> Batch:
        random = np.random.default_rng([plan.seed, index])
        made = []
        for at in random.choice(len(pictures), plan.batch, p=chances):
            clean = shown[at].astype(np.float32) / np.float32(255)
            made.append(_faulty(clean, pictures[at].labels, random))
        return Batch(
            np.stack([square for square, _ in made])[..., None],
            np.stack([target for _, target in made]),
            np.ones(plan.batch, np.float32),
        )

    return batch_of


def _faulty(
    shown: Grey, labels: tuple[str, ...], random: Generator
) -> tuple[Grey, NDArray[np.float32]]:
    """Return a picture with no fault, one or two, and which of them it has."""
    count = int(random.choice(len(COUNT_CHANCES), p=COUNT_CHANCES))
    chosen = {LABELS[at] for at in random.choice(len(LABELS), count, replace=False)}
    chosen -= {hidden for name, hidden in HIDES.items() if name in chosen}
    shown = usual(shown, random)
    for name, fault in FAULTS.items():
        if name in chosen:
            shown = np.clip(fault(shown, random), 0.0, 1.0).astype(np.float32)
    if random.random() < 0.3:
        shown = (np.round(shown * 255) / 255).astype(np.float32)
    # A negative of a picture that was published as one is none.
    said = chosen ^ set(labels)
    return displayed_tensor(shown), np.asarray([name in said for name in LABELS], np.float32)


def _loss(logits: Any, targets: Any, weights: Any) -> Any:
    smooth = targets * (1.0 - SMOOTHING) + SMOOTHING / 2
    each = tf.nn.sigmoid_cross_entropy_with_logits(smooth, logits)
    return tf.reduce_mean(weights * tf.reduce_sum(each, axis=1))


def _shown(picture: Picture) -> Grey:
    return displayed_tensor(picture.read().astype(np.float32) / np.float32(255))


def _calibrated(card: ModelCard, found: Scored[Picture], _beside: Catalog) -> Calibrated:
    """Choose per label from where on it is wrongly said of few enough pictures without fault."""
    kept = _few_of_each(found)
    shares = independent(card, found.logits[kept]).labels
    values = {}
    for at, label in enumerate(LABELS):
        clean = np.array([label not in found.examples[each].labels for each in kept])
        value = float(np.quantile(shares[clean, at], 1.0 - FALSE_SHARE_MAX))
        value = float(np.clip(np.ceil(value * 1000) / 1000, LABEL_MIN, 0.999))
        wrong = int((shares[clean, at] >= value).sum())
        values[f"label:{label}"] = Chosen(
            value,
            f"said of at most {FALSE_SHARE_MAX:.2%} of held-out pictures without the fault, at "
            f"most {PER_SOURCE_MAX} of a source, floor {LABEL_MIN}; borne: {wrong} of "
            f"{clean.sum()}, 95 % interval {wilson(wrong, int(clean.sum()))[1:]}",
        )
    return with_thresholds(card, values)


def _few_of_each(found: Scored[Picture]) -> list[int]:
    """Return indices of at most `PER_SOURCE_MAX` pictures of each source."""
    counts: dict[str, int] = defaultdict(int)
    kept = []
    for at, example in enumerate(found.examples):
        counts[example.source] += 1
        if counts[example.source] <= PER_SOURCE_MAX:
            kept.append(at)
    return kept


def _figures(card: ModelCard, found: Scored[Picture], _beside: Catalog) -> Figures:
    """Return per fault how well it is told from the same pictures without, and false labels."""
    kept = _few_of_each(found)
    examples = [found.examples[at] for at in kept]
    clean = independent(card, found.logits[kept]).labels
    least = np.asarray([card.label_threshold(label) for label in LABELS])
    models = Interpreter(card)
    figures: Figures = {"false labels": _false(examples, clean >= least)}
    for at, label in enumerate(LABELS):
        squares = [_with_fault(label, example, number) for number, example in enumerate(examples)]
        shares = independent(card, models.scores(np.stack(squares))).labels[:, at]
        figures[label] = _told(examples, label, (clean[:, at], shares), float(least[at]))
    return figures


def _with_fault(label: str, picture: Picture, number: int) -> Grey:
    random = np.random.default_rng([FIGURES_SEED, number])
    return displayed_tensor(np.clip(FAULTS[label](_displayed(picture), random), 0.0, 1.0))


def _told(
    examples: Sequence[Picture],
    label: str,
    shares: tuple[NDArray[np.float64], NDArray[np.float64]],
    least: float,
) -> Mapping[str, object]:
    usable = np.array([label not in example.labels for example in examples])
    groups: dict[str, list[int]] = defaultdict(list)
    for at in np.flatnonzero(usable).tolist():
        unseen = examples[at].source in HELD_OUT.sources
        for name in ("all", "sources held out" if unseen else "patients held out"):
            groups[name].append(at)
        groups[f"source: {examples[at].source}"].append(at)
    return {
        name: {
            "n": len(at),
            "AUC": round(
                roc(
                    np.repeat([False, True], len(at)),
                    np.concatenate([shares[0][at], shares[1][at]]),
                ).area,
                4,
            ),
            "found": wilson(int((shares[1][at] >= least).sum()), len(at)),
        }
        for name, at in sorted(groups.items())
    }


def _false(examples: Sequence[Picture], said: NDArray[np.bool_]) -> Mapping[str, object]:
    """Return on which share of pictures as published any wrong label is said, by source."""
    truth = np.array([[label in example.labels for label in LABELS] for example in examples])
    wrong = (said & ~truth).any(axis=1)
    groups: dict[str, list[int]] = defaultdict(list)
    for at, example in enumerate(examples):
        groups["all"].append(at)
        groups[f"source: {example.source}"].append(at)
    return {
        name: {
            "n": len(at),
            "said": wilson(int(wrong[at].sum()), len(at)),
            "labels": {
                label: int((said & ~truth)[at, number].sum()) for number, label in enumerate(LABELS)
            },
        }
        for name, at in sorted(groups.items())
    }


RECIPE: Final = Recipe[Picture](
    target="image_quality",
    labels=LABELS,
    kind=Kind.OWN,  # faults are drawn; a published picture has none
    modalities=("CR", "DX", "RG"),
    size=DISPLAYED_SIZE,
    preparation="displayed",
    copies="single",
    steps=800,
    batch=24,
    learning_rate=1e-3,
    held_out=HELD_OUT,
    words=WORDS,
    examples=_examples,
    network=_network,
    draws=_draws,
    loss=_loss,
    shown=_shown,
    calibrated=_calibrated,
    figures=_figures,
)
