"""`laterality`: which side a limb on a radiograph is of, from its shape alone; or both.

A mirrored left is a right: the network scores a picture and its mirror image and says L by the
difference, so that it cannot prefer a side. Trunks, heads and limbs from the side get no answer.
"""

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
    mnist,
    own_radiograph,
    radiographs,
)
from qa_daemon.training.radiographs.trunk import SIZE, mapped, trunk
from qa_daemon.training.radiographs.variety import Variety
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

LABELS: Final = ("L", "R", "B")
#: Parts that have no side, or none that a shape tells.
SIDELESS: Final = frozenset(
    "CHEST ABDOMEN PELVIS CSPINE TSPINE LSPINE SKULL SINUS DENTAL".split()  # noqa: SIM905  a list of terms
)
#: Shares of a batch without an answer: trunks, heads and limbs from the side, and drawn pictures.
SIDELESS_SHARE: Final = 0.2
DRAWN_SHARE: Final = 0.06
SMOOTHING: Final = 0.05
#: A mirrored picture would be of the other side.
UNMIRRORED: Final = Variety(mirrored=0.0)

WORDS: Final = Words(
    purpose=(
        "Says which side a limb is of, from its shape: thumb and little finger, fibula, big toe,",
        "collar bone. It takes a hand for one on its palm and every other limb for one from the",
        "front, as nearly all are. No lead marker is needed or wanted.",
    ),
    limits=(
        "Fitted on some 200 limbs of one hospital whose marker was read, and on left hands of",
        "children. A hand on its back, or a limb from behind, looks like the other side. Limbs",
        "from the side, trunks and heads have no answer.",
    ),
    meanings={"L": "left limb", "R": "right limb", "B": "both limbs in one picture"},
)


def _examples(data: Path) -> Sequence[Radiograph]:
    return [
        evolve(item, labels=_labels(item))
        for item in (*radiographs(data), *chests(data), *mnist(data, "Hand"))
        if item.side or _has_no_answer(item)
    ]


def _has_no_answer(item: Radiograph) -> bool:
    return item.view == "LATERAL" or (bool(item.parts) and SIDELESS.issuperset(item.parts))


def _labels(item: Radiograph) -> tuple[str, ...]:
    return () if _has_no_answer(item) and item.side != "B" else (item.side,)


def _network(start: Start) -> keras.Model:
    base = trunk(start, SIZE)
    features = keras.Input(base.output.shape[1:])
    head = keras.Model(features, keras.layers.Dense(3)(mapped(features, hidden=48)), name="head")
    given = keras.Input((SIZE, SIZE, 1), name="picture")
    one = head(base(given))
    other = head(base(keras.ops.flip(given, axis=2)))
    side = one[:, :1] - other[:, :1]
    rest = (one[:, 1:] + other[:, 1:]) * 0.5
    logits = keras.layers.Concatenate(name="logits")([side, -side, rest])
    return keras.Model(given, logits, name="laterality")


def _own(picture: OwnPicture) -> Radiograph:
    return own_radiograph(picture, side=picture.labels[0])


def _draws(items: Sequence[Radiograph], plan: Plan) -> Draw:
    sided = [item for item in items if item.labels]
    rest = [item for item in items if not item.labels]
    named = [evolve(item, labels=item.parts) for item in sided]
    album, others = Album(sided, rarity(named)), Album(rest, rarity(rest))

    def batch_of(index: int) -> Batch:
        random = np.random.default_rng([plan.seed, index])
        drawn = round(DRAWN_SHARE * plan.batch)
        sideless = round(SIDELESS_SHARE * plan.batch) if rest else 0
        places = album.draw(random, plan.batch - drawn - sideless)
        pictures = [album.variant(place, random, plan.size, UNMIRRORED) for place in places]
        foreign = others.draw(random, sideless) if sideless else []
        pictures += [others.variant(place, random, plan.size) for place in foreign]
        pictures += [strange(random, plan.size) for _ in range(drawn)]
        targets = np.zeros((plan.batch, len(LABELS) + 1), np.float32)
        for row, place in enumerate(places):
            targets[row, LABELS.index(album.item(place).labels[0])] = 1.0
        targets[len(places) :, -1] = 1.0
        return Batch(np.stack(pictures)[..., None], targets, np.ones(plan.batch, np.float32))

    return batch_of


def _loss(logits: Any, targets: Any, weights: Any) -> Any:
    smooth = targets * (1.0 - SMOOTHING) + SMOOTHING / (len(LABELS) + 1)
    each = tf.nn.softmax_cross_entropy_with_logits(smooth, logits)
    return tf.reduce_mean(weights * each)


def _shown(item: Radiograph) -> Grey:
    return drawing.shown(item, SIZE)


def _calibrated(card: ModelCard, found: Scored[Radiograph], _beside: Catalog) -> Calibrated:
    return calibrated_single(card, measure.labelled(found))


def _figures(card: ModelCard, found: Scored[Radiograph], _beside: Catalog) -> Figures:
    return measure.single_figures(card, found, measure.SOURCES_HELD_OUT)


RECIPE: Final = Recipe[Radiograph](
    target="laterality",
    labels=LABELS,
    kind=Kind.SINGLE,
    modalities=tuple(sorted(RADIOGRAPHS)),
    size=SIZE,
    preparation="radiograph",
    copies="single",
    reject=1,
    steps=500,
    batch=24,
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
