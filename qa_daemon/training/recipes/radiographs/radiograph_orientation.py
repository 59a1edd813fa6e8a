"""`radiograph_orientation`: how a radiograph hangs, as a quarter turn and a mirror.

An equivariant scorer as for axial slices: the network says how upright a picture is, and the
softmax over its eight turned copies is the answer. The mirror is told on frontal chests and
abdomens only, where heart, stomach and liver show the sides.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import keras
import numpy as np
import tensorflow as tf
from attrs import evolve

from qa_daemon.pixels.choose import RADIOGRAPHS
from qa_daemon.predict.catalog import Catalog, ModelCard, Witness
from qa_daemon.training.radiographs import drawing, hanging, measure
from qa_daemon.training.radiographs.drawing import Album, rarity, strange
from qa_daemon.training.radiographs.pictures import Radiograph, chests, radiographs
from qa_daemon.training.radiographs.trunk import mapped, trunk
from qa_daemon.training.radiographs.variety import Variety
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

#: Eight passes a picture: a smaller square than the other targets have.
SIZE: Final = 128
#: Copies beside the upright and the mirrored one; the shift keeps the softmax unbiased.
OTHERS_DRAWN: Final = 2
OTHERS_SHIFT: Final = float(np.log(6 / OTHERS_DRAWN))
#: Share of drawn pictures, which must get a flat answer.
DRAWN_SHARE: Final = 0.08
SMOOTHING: Final = 0.02
#: Targets over (upright, mirrored, the others together).
SIDE_KNOWN: Final = (1 - SMOOTHING, SMOOTHING / 2, SMOOTHING / 2)
SIDE_OPEN: Final = (0.5 - SMOOTHING / 4, 0.5 - SMOOTHING / 4, SMOOTHING / 2)
NO_ANSWER: Final = (0.125, 0.125, 0.75)
#: Small turns only, and no mirror: the network learns what upright is.
HUNG: Final = Variety(turn_degrees=14.0, quarter=0.0, mirrored=0.0)

#: A picture on which no part reaches this is no radiograph that the models know.
KNOWN: Final = 0.3

WORDS: Final = Words(
    purpose=(
        "Says how a radiograph hangs: which quarter turn brings the head or the proximal end up",
        "(hands and feet as PS3.17 Annex A has them), and whether it is mirrored. Turn and mirror",
        "are decided apart; the mirror only where `body_part` sees a chest or an abdomen from the",
        "front. One score per turned copy: the answer cannot depend on how it was stored.",
    ),
    limits=(
        "Limbs hang as the technician likes, and nothing in a knee or a skull tells its side: the",
        "mirror stays undecided there. Situs inversus looks like a mirror. Dental pictures, feet",
        "and single fingers are few.",
    ),
    meanings={
        str(label): f"head or proximal end at the {end}; "
        + ("mirrored" if label >= 4 else "not mirrored")
        for label, end in enumerate(("top", "left", "bottom", "right") * 2)
    },
)


def _examples(data: Path) -> Sequence[Radiograph]:
    return [
        evolve(item, labels=("0",) if hanging.shows_side(item) else ("0", "4"))
        for item in (*radiographs(data), *chests(data))
        if item.is_upright and item.parts
    ]


def _network(start: Start) -> keras.Model:
    model = trunk(start, SIZE)
    score = keras.layers.Dense(1, use_bias=False, name="score")(mapped(model.output))
    return keras.Model(model.inputs, score, name="radiograph_orientation")


def _draws(items: Sequence[Radiograph], plan: Plan) -> Draw:
    named = [evolve(item, labels=item.parts) for item in items]
    album = Album(named, rarity(named))

    def batch_of(index: int) -> Batch:
        random = np.random.default_rng([plan.seed, index])
        drawn = round(DRAWN_SHARE * plan.batch)
        copies, targets = [], []
        for place in [*album.draw(random, plan.batch - drawn), *[None] * drawn]:
            if place is None:
                picture, target = strange(random, plan.size), NO_ANSWER
            else:
                picture = album.variant(place, random, plan.size, HUNG)
                target = SIDE_KNOWN if hanging.shows_side(album.item(place)) else SIDE_OPEN
            rest = random.permutation([1, 2, 3, 5, 6, 7])[:OTHERS_DRAWN]
            copies += [hanging.turned(picture, label) for label in (0, 4, *map(int, rest))]
            targets.append(target)
        return Batch(
            np.stack(copies)[..., None],
            np.asarray(targets, np.float32),
            np.ones(plan.batch, np.float32),
        )

    return batch_of


def _loss(logits: Any, targets: Any, weights: Any) -> Any:
    scores = tf.reshape(logits, (-1, 2 + OTHERS_DRAWN))
    shift = tf.constant([0.0, 0.0] + [OTHERS_SHIFT] * OTHERS_DRAWN)
    logs = tf.nn.log_softmax(scores + shift)
    rest = tf.reduce_mean(logs[:, 2:], axis=1)
    each = targets[:, 0] * logs[:, 0] + targets[:, 1] * logs[:, 1] + targets[:, 2] * rest
    return -tf.reduce_mean(weights * each)


def _shown(item: Radiograph) -> Grey:
    return drawing.shown(item, SIZE)


def _calibrated(card: ModelCard, found: Scored[Radiograph], _beside: Catalog) -> Calibrated:
    return hanging.calibrated(card, found)


def _figures(card: ModelCard, found: Scored[Radiograph], _beside: Catalog) -> Figures:
    return hanging.figures(card, found, measure.SOURCES_HELD_OUT)


RECIPE: Final = Recipe[Radiograph](
    target="radiograph_orientation",
    labels=tuple(str(label) for label in range(8)),
    kind=Kind.ORIENTATION,
    modalities=tuple(sorted(RADIOGRAPHS)),
    size=SIZE,
    preparation="radiograph",
    copies="scored",
    witnesses=(
        Witness(target="body_part", sided=hanging.SIDED_PARTS, known=KNOWN),
        Witness(target="view", sided=("AP", "PA")),
    ),
    steps=1000,
    batch=10,
    learning_rate=1e-3,
    held_out=HeldOut(sources=measure.SOURCES_HELD_OUT),
    words=WORDS,
    examples=_examples,
    network=_network,
    draws=_draws,
    loss=_loss,
    shown=_shown,
    calibrated=_calibrated,
    figures=_figures,
)
