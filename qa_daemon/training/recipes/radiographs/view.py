"""`view`: from where the rays came on a radiograph: AP, PA, lateral, axial."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import keras
import numpy as np
import tensorflow as tf
from attrs import evolve

from qa_daemon.pixels.choose import RADIOGRAPHS
from qa_daemon.predict.catalog import Catalog, ModelCard
from qa_daemon.training.figures.calibration import calibrated_single
from qa_daemon.training.radiographs import drawing, measure
from qa_daemon.training.radiographs.drawing import Album, rarity, strange
from qa_daemon.training.radiographs.pictures import (
    Radiograph,
    chests,
    own_radiograph,
    radiographs,
    slices,
)
from qa_daemon.training.radiographs.trunk import SIZE, mapped, trunk
from qa_daemon.training.recipe import (
    Batch,
    Calibrated,
    Draw,
    Figures,
    Grey,
    HeldOut,
    Kind,
    OwnPicture,
    Plan,
    Recipe,
    Scored,
    Start,
    Words,
)

LABELS: Final = ("AP", "PA", "LATERAL", "OBLIQUE", "AXIAL")
#: Outputs: the labels, and one for what has no view.
OUTPUTS: Final = len(LABELS) + 1
#: Shares of a batch that have no view: dental panoramics and slices, and drawn pictures.
OTHERS_SHARE: Final = 0.06
DRAWN_SHARE: Final = 0.06
SMOOTHING: Final = 0.04
#: Parts whose frontal view lies on its palm: half of the data calls it AP, half PA.
PALMS: Final = frozenset({"HAND", "WRIST", "FINGER"})
WORDS: Final = Words(
    purpose=(
        "Says from where the rays came on a radiograph. AP and PA are told apart on chests; of",
        "other parts it knows which is usual. Asked for the picture and its mirror image.",
    ),
    limits=(
        "OBLIQUE has no training picture and is never said. Frontal hands and wrists count as",
        "either AP or PA in training, since sources disagree about the word. AP chests are mostly",
        "bedside pictures and children; an AP taken like a PA will be called PA. AXIAL has 17",
        "pictures, nearly all knees.",
    ),
    meanings={
        "AP": "rays from the front; chests: bedside, children",
        "PA": "rays from the back; hands: on the palm",
        "LATERAL": "rays from a side",
        "OBLIQUE": "between those; not trained",
        "AXIAL": "along the limb: patella, shoulder, heel",
    },
)


def _examples(data: Path) -> Sequence[Radiograph]:
    known = [
        evolve(item, labels=_labels(item))
        for item in (*radiographs(data), *chests(data))
        if item.view
    ]
    strange_ones = [
        evolve(item, labels=())
        for item in (*radiographs(data), *slices(data))
        if item.parts == ("DENTAL",) or not item.parts
    ]
    return [*known, *strange_ones]


def _labels(item: Radiograph) -> tuple[str, ...]:
    """Return the views that are right; either of AP and PA where only frontal is known."""
    is_palm = item.view == "AP" and bool(PALMS.intersection(item.parts))
    return ("AP", "PA") if is_palm or item.view == "FRONTAL" else (item.view,)


def _network(start: Start) -> keras.Model:
    model = trunk(start, SIZE)
    logits = keras.layers.Dense(OUTPUTS, name="logits")(mapped(model.output))
    return keras.Model(model.inputs, logits, name="view")


def _own(picture: OwnPicture) -> Radiograph:
    return own_radiograph(picture, view=picture.labels[0])


def _draws(items: Sequence[Radiograph], plan: Plan) -> Draw:
    shown = [item for item in items if item.labels]
    others = [item for item in items if not item.labels]
    album, strangers = Album(shown, rarity(shown)), Album(others, rarity(others))

    def batch_of(index: int) -> Batch:
        random = np.random.default_rng([plan.seed, index])
        drawn = round(DRAWN_SHARE * plan.batch)
        foreign = round(OTHERS_SHARE * plan.batch) if others else 0
        places = album.draw(random, plan.batch - drawn - foreign)
        pictures = [album.variant(place, random, plan.size) for place in places]
        if foreign:
            pictures += [
                strangers.variant(place, random, plan.size)
                for place in strangers.draw(random, foreign)
            ]
        pictures += [strange(random, plan.size) for _ in range(drawn)]
        targets = np.zeros((plan.batch, OUTPUTS), np.float32)
        for row, place in enumerate(places):
            for label in album.item(place).labels:
                targets[row, LABELS.index(label)] = 1.0
        targets[len(places) :, -1] = 1.0
        return Batch(np.stack(pictures)[..., None], targets, np.ones(plan.batch, np.float32))

    return batch_of


def _loss(logits: Any, targets: Any, weights: Any) -> Any:
    """Return the surprise at the right labels together, whichever of them is true."""
    logs = tf.nn.log_softmax(logits)
    right = -tf.reduce_logsumexp(tf.where(targets > 0, logs, -1e9), axis=1)
    flat = -tf.reduce_mean(logs, axis=1)
    return tf.reduce_mean(weights * ((1.0 - SMOOTHING) * right + SMOOTHING * flat))


def _shown(item: Radiograph) -> Grey:
    return drawing.shown(item, SIZE)


def _calibrated(card: ModelCard, found: Scored[Radiograph], _beside: Catalog) -> Calibrated:
    return calibrated_single(card, measure.labelled(found))


def _figures(card: ModelCard, found: Scored[Radiograph], _beside: Catalog) -> Figures:
    return measure.single_figures(card, found, measure.SOURCES_HELD_OUT)


RECIPE: Final = Recipe[Radiograph](
    target="view",
    labels=LABELS,
    kind=Kind.SINGLE,
    modalities=tuple(sorted(RADIOGRAPHS)),
    size=SIZE,
    preparation="radiograph",
    copies="mirrored",
    reject=1,
    steps=700,
    batch=32,
    learning_rate=1e-3,
    held_out=HeldOut(sources=measure.SOURCES_HELD_OUT),
    words=WORDS,
    examples=_examples,
    own=_own,
    network=_network,
    draws=_draws,
    loss=_loss,
    shown=_shown,
    calibrated=_calibrated,
    figures=_figures,
)
