"""`plane`: along which plane of the body a CT or MR slice lies, told from the picture alone.

In: slices of all planes, those cut from stacks included. Oblique slices are few (heart, wrist): the
label is there, but a picture that fits none of the three planes well is abstained from.
"""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

import keras
import numpy as np
import tensorflow as tf
from attrs import evolve
from numpy.random import Generator

from qa_daemon.geometry.planes import BodyPlane
from qa_daemon.predict.catalog import Catalog, ModelCard
from qa_daemon.training.figures.calibration import calibrated_single
from qa_daemon.training.figures.standard import answers, standard_figures
from qa_daemon.training.figures.strangers import drawn
from qa_daemon.training.networks import network
from qa_daemon.training.recipe import (
    Batch,
    Calibrated,
    Draw,
    Figures,
    Grey,
    Kind,
    OwnPicture,
    Plan,
    Recipe,
    Scored,
    Start,
    Words,
)
from qa_daemon.training.recipes.other_orientations import CHANNELS, KEPT, MILD, SIZE
from qa_daemon.training.slices.augment import (
    USUAL,
    Prepared,
    draw,
    drawing_weights,
    prepared,
    shown,
    turned_array,
)
from qa_daemon.training.slices.datasets import (
    REGIONS,
    LabelledSlice,
    own_slice,
    slices,
    square_pixels,
)
from qa_daemon.training.slices.reformats import reformatted

LABELS: Final = tuple(plane.value for plane in BodyPlane)
#: What the volumes call a plane that follows none of the body's.
OBLIQUE_WORDS: Final = frozenset({"short"})
#: The output after those of the labels: nothing that is known.
STRANGE: Final = len(LABELS)
STRANGE_SHARE: Final = 0.08
LABEL_SMOOTHING: Final = 0.03

WORDS: Final = Words(
    purpose=(
        "Says along which plane of the body a CT or MR slice lies, from the picture alone: a tag",
        "may say otherwise. Every turn and mirror of a picture gives the same answer.",
    ),
    limits=(
        "Oblique slices were 33 short axes of hearts: the label is rarely right elsewhere. Slices",
        "between two planes, shoulders, wrists, ankles and feet were not in the data or nearly so.",
    ),
    meanings={
        "sagittal": "front and back, head and foot in the picture",
        "coronal": "left and right, head and foot in the picture",
        "axial": "left and right, front and back in the picture",
        "oblique": "more than 30 degrees from each of these",
    },
)


def _examples(data: Path) -> Sequence[LabelledSlice]:
    published = tuple(slices(data))
    every = (*published, *reformatted(published))
    return [evolve(item, labels=_labels(item)) for item in every if _labels(item)]


def _labels(item: LabelledSlice) -> tuple[str, ...]:
    plane = "oblique" if item.plane in OBLIQUE_WORDS else item.plane
    return (plane,) if plane in LABELS else ()


def _network(start: Start) -> keras.Model:  # noqa: ARG001  it starts from nothing
    return network(SIZE, len(LABELS) + 1, "plane", CHANNELS)


def _own(picture: OwnPicture) -> LabelledSlice:
    return own_slice(
        picture,
        square_pixels(picture.view()),
        labels=picture.labels,
        regions=(),
        regions_open=frozenset(REGIONS),
        plane=picture.labels[0],
        mirror_verified=False,
    )


def _draws(items: Sequence[LabelledSlice], plan: Plan) -> Draw:
    subjects = [prepared(item) for item in items]
    chances = drawing_weights(items)
    # Planes are as often drawn as each other, but for the few of no plane.
    labels = np.asarray([LABELS.index(item.labels[0]) for item in items])
    shares = np.asarray([0.31, 0.31, 0.31, 0.07])
    totals = np.maximum(np.bincount(labels, chances, len(LABELS)), 1e-12)
    chances *= (shares / totals)[labels]
    chances /= chances.sum()

    def batch_of(index: int) -> Batch:
        random = np.random.default_rng([plan.seed, index])
        pictures, targets = [], []
        for number in random.choice(len(items), plan.batch, p=chances):
            is_strange = random.random() < STRANGE_SHARE
            pictures.append(_picture(None if is_strange else subjects[number], random, plan.size))
            targets.append(STRANGE if is_strange else labels[number])
        return Batch(
            np.stack(pictures)[..., None],
            np.eye(len(LABELS) + 1, dtype=np.float32)[targets],
            np.ones(plan.batch, np.float32),
        )

    return batch_of


def _picture(subject: Prepared | None, random: Generator, size: int) -> np.ndarray[Any, Any]:
    picture = drawn(random, size) if subject is None else draw(subject, random, size, MILD)
    return turned_array(picture, int(random.integers(8)))


def _loss(logits: Any, targets: Any, weights: Any) -> Any:
    smooth = targets * (1 - LABEL_SMOOTHING) + LABEL_SMOOTHING / (len(LABELS) + 1)
    return tf.reduce_mean(weights * tf.nn.softmax_cross_entropy_with_logits(smooth, logits))


def _varied(item: LabelledSlice, random: Generator) -> Grey:
    return draw(prepared(item), random, SIZE, USUAL)


def _calibrated(card: ModelCard, found: Scored[LabelledSlice], _beside: Catalog) -> Calibrated:
    return calibrated_single(card, found)


def _figures(card: ModelCard, found: Scored[LabelledSlice], _beside: Catalog) -> Figures:
    return standard_figures(answers(card, found, Kind.SINGLE), KEPT.sources)


RECIPE: Final = Recipe[LabelledSlice](
    target="plane",
    labels=LABELS,
    kind=Kind.SINGLE,
    modalities=("CT", "MR"),
    planes=LABELS,
    size=SIZE,
    preparation="slice",
    copies="averaged",
    reject=1,
    steps=4000,
    batch=48,
    learning_rate=1.5e-3,
    held_out=KEPT,
    variants=3,
    words=WORDS,
    examples=_examples,
    own=_own,
    network=_network,
    draws=_draws,
    loss=_loss,
    shown=partial(shown, size=SIZE),
    varied=_varied,
    calibrated=_calibrated,
    figures=_figures,
)
