"""`body_part`: which parts of the body a radiograph shows; several may be in view."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from qa_daemon.pixels.choose import RADIOGRAPHS
from qa_daemon.predict.catalog import Catalog, ModelCard
from qa_daemon.training.radiographs import drawing, measure
from qa_daemon.training.radiographs.drawing import Album, rarity, strange
from qa_daemon.training.radiographs.pictures import (
    PARTS,
    SLICE_CLASSES,
    Radiograph,
    chests,
    mnist,
    own_radiograph,
    radiographs,
    slices,
)
from qa_daemon.training.radiographs.trunk import SIZE, parts_network
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
    Words,
)

#: Shares of a batch that must get no part: real pictures of other kinds, and drawn ones.
OTHERS_SHARE: Final = 0.09
DRAWN_SHARE: Final = 0.09
#: Share of the loss that sigmoids have; the rest is a softmax over the parts in view.
SIGMOID_SHARE: Final = 0.5
SMOOTHING: Final = 0.05
#: How much it counts that a part is not named which touches a named one.
TOUCHING_WEIGHT: Final = 0.3

WORDS: Final = Words(
    purpose=(
        "Says which parts of the body a radiograph shows; several may be in view. It is asked for",
        "each picture and for its mirror image, and the two answers are averaged.",
    ),
    limits=(
        "Parts were judged by one reader without a radiologist; nearly half of the pictures come",
        "from one hospital, and most limbs of other ones are fractures or implants. Upper arms and",
        "clavicles, sinuses and skulls from the front are rare. Sinus and abdomen come from one",
        "hospital. Animals, mammograms and dental films were not fitted on. A sign for quality",
        "assurance, not a diagnosis.",
    ),
    meanings={
        part: {
            "DENTAL": "panoramic dental picture (no term of PS3.16 Annex L)",
            "SINUS": "paranasal sinuses (no term of PS3.16 Annex L)",
        }.get(part, f"term {part} of PS3.16 Annex L")
        for part in PARTS
    },
)


def _examples(data: Path) -> Sequence[Radiograph]:
    strange = (
        picture
        for name in SLICE_CLASSES
        for split in ("train", "test")
        for picture in mnist(data, name, split)
    )
    return [
        *radiographs(data),
        *chests(data),
        *mnist(data, "Hand"),
        *strange,
        *slices(data),
    ]


def _own(picture: OwnPicture) -> Radiograph:
    return own_radiograph(picture, parts=picture.labels)


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
        pictures += [
            strangers.variant(place, random, plan.size)
            for place in (strangers.draw(random, foreign) if foreign else ())
        ]
        pictures += [strange(random, plan.size) for _ in range(drawn)]
        targets = [target(album.item(place)) for place in places]
        return Batch(
            np.stack(pictures)[..., None],
            np.stack([*targets, *[NOTHING] * (drawn + foreign)]),
            np.ones(plan.batch, np.float32),
        )

    return batch_of


NOTHING: Final = np.zeros(len(PARTS), np.float32)


def target(item: Radiograph) -> NDArray[np.float32]:
    """Return 1 for each part in view, shape (parts,)."""
    return np.asarray([float(part in item.labels) for part in PARTS], np.float32)


def _touching() -> NDArray[np.float32]:
    """Return how much a part that is not named counts where another is, shape (parts, parts)."""
    return np.where(measure.touching(PARTS), np.float32(TOUCHING_WEIGHT), np.float32(1.0))


def _loss(logits: Any, targets: Any, weights: Any) -> Any:
    """Return a softmax over the parts in view, and a sigmoid for each part.

    The softmax ranks; the sigmoids learn that there may be nothing to rank.
    """
    counts = tf.reduce_sum(targets, axis=1, keepdims=True)
    shares = targets / tf.maximum(counts, 1.0) * (1.0 - SMOOTHING) + SMOOTHING / len(PARTS)
    ranked = tf.nn.softmax_cross_entropy_with_logits(shares, logits)
    ranked *= tf.cast(counts[:, 0] > 0, tf.float32)
    named = tf.where(targets[:, :, None] > 0, _touching()[None], 1.0)
    sure = tf.where(targets > 0, 1.0, tf.reduce_min(named, axis=1))
    each = tf.nn.sigmoid_cross_entropy_with_logits(targets * 0.97 + 0.01, logits) * sure
    return tf.reduce_mean(weights * (ranked + SIGMOID_SHARE * tf.reduce_sum(each, axis=1)))


def _shown(item: Radiograph) -> Grey:
    return drawing.shown(item, SIZE)


def _calibrated(card: ModelCard, found: Scored[Radiograph], _beside: Catalog) -> Calibrated:
    return measure.calibrated_parts(card, found, measure.SOURCES_HELD_OUT)


def _figures(card: ModelCard, found: Scored[Radiograph], _beside: Catalog) -> Figures:
    return measure.part_figures(card, found, measure.SOURCES_HELD_OUT)


RECIPE: Final = Recipe[Radiograph](
    target="body_part",
    labels=PARTS,
    kind=Kind.MULTI,
    modalities=tuple(sorted(RADIOGRAPHS)),
    size=SIZE,
    preparation="radiograph",
    copies="mirrored",
    steps=1400,
    batch=32,
    learning_rate=8e-4,
    held_out=HeldOut(sources=measure.SOURCES_HELD_OUT | measure.STRANGE_HELD_OUT),
    words=WORDS,
    examples=_examples,
    own=_own,
    network=parts_network,
    draws=_draws,
    loss=_loss,
    shown=_shown,
    calibrated=_calibrated,
    figures=_figures,
)
