"""`body_region`: which regions of the body a CT or MR slice shows; several may be in view."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import keras
import numpy as np
import tensorflow as tf
from numpy.random import Generator

from qa_daemon.pixels.tensor import MODEL_SIZE
from qa_daemon.predict.catalog import Catalog, ModelCard
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
from qa_daemon.training.slices import measure
from qa_daemon.training.slices.augment import (
    USUAL,
    draw,
    drawing_weights,
    prepared,
    shown,
    turned_array,
)
from qa_daemon.training.slices.datasets import (
    HELD_OUT,
    REGIONS,
    LabelledSlice,
    own_slice,
    slices,
    square_pixels,
)

#: Share of pictures that must get no region: drawn things.
DRAWN_SHARE: Final = 0.04

WORDS: Final = Words(
    purpose=("Says which regions of the body a CT or MR slice shows; several may be in view.",),
    limits=(
        "Regions were judged by one reader without a radiologist. MR of neck, abdomen and pelvis",
        "and CT of legs are rare in the data. One copy of a slice is asked: eight averaged were no",
        "better (best label right .962 of 340, one .971) and took eight times as long. A sign for",
        "quality assurance, not a diagnosis.",
    ),
    meanings={
        "HEAD": "skull base and above, face included",
        "NECK": "from the shoulders' upper edge to the mandible",
        "CHEST": "from the apices to where heart or lung still dominates",
        "ABDOMEN": "liver dominating, down to the iliac crest",
        "PELVIS": "from the iliac wings to the ischium",
        "LOWERLIMB": "below the ischium, knee included",
    },
)
HOW: Final = {
    "label": "more likely than not, after calibration",
    "known": "set by hand; nine in ten drawn shapes and all white noise stay below it",
}


def _examples(data: Path) -> Sequence[LabelledSlice]:
    return [item for item in slices(data) if item.regions]


def _own(picture: OwnPicture) -> LabelledSlice:
    view = picture.view()
    return own_slice(
        picture,
        square_pixels(view),
        labels=picture.labels,
        regions=picture.labels,
        regions_open=frozenset(),
        plane="axial",
        mirror_verified=False,
    )


def _network(start: Start) -> keras.Model:  # noqa: ARG001  it starts from nothing
    return network(MODEL_SIZE, len(REGIONS), "body_region")


def _draws(items: Sequence[LabelledSlice], plan: Plan) -> Draw:
    labelled = [prepared(item) for item in items]
    chances = drawing_weights(items)

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


def _loss(logits: Any, targets: Any, weights: Any) -> Any:
    smooth = targets * 0.96 + 0.01
    each = tf.nn.sigmoid_cross_entropy_with_logits(smooth, logits)
    return tf.reduce_mean(weights * tf.reduce_sum(each, axis=1))


def _varied(item: LabelledSlice, random: Generator) -> Grey:
    return draw(prepared(item), random, MODEL_SIZE, USUAL)


def _calibrated(card: ModelCard, found: Scored[LabelledSlice], _beside: Catalog) -> Calibrated:
    return Calibrated(measure.calibrated_regions(card, measure.scored(found, None)), HOW)


def _figures(card: ModelCard, found: Scored[LabelledSlice], _beside: Catalog) -> Figures:
    return measure.region_figures(card, measure.scored(found, None))


RECIPE: Final = Recipe[LabelledSlice](
    target="body_region",
    labels=REGIONS,
    kind=Kind.MULTI,
    modalities=("CT", "MR"),
    size=MODEL_SIZE,
    preparation="slice",
    copies="single",
    steps=6000,
    batch=64,
    learning_rate=1.5e-3,
    held_out=HELD_OUT,
    variants=6,
    words=WORDS,
    examples=_examples,
    own=_own,
    network=_network,
    draws=_draws,
    loss=_loss,
    shown=shown,
    varied=_varied,
    calibrated=_calibrated,
    figures=_figures,
)
