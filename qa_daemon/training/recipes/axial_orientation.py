"""`axial_orientation`: how an axial slice lies on the screen, as a quarter turn and a mirror.

An equivariant scorer: one network says how upright a picture is, the softmax over the scores of
its eight turned copies is the answer. Training needs upright slices only.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import keras
import numpy as np
import tensorflow as tf
from attrs import evolve
from numpy.random import Generator
from numpy.typing import NDArray

from qa_daemon.errors import InputError
from qa_daemon.pixels.tensor import MODEL_SIZE
from qa_daemon.predict.catalog import Catalog, ModelCard
from qa_daemon.predict.interpreter import UNDONE_BY
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
    Prepared,
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

#: Copies beside the upright and the mirrored one, drawn from the six others at each step: half the
#: work of all eight, and the logarithm of 6 / 2 added to their scores keeps the softmax unbiased.
OTHERS_DRAWN: Final = 2
OTHERS_SHIFT: Final = float(np.log(6 / OTHERS_DRAWN))
#: Share of pictures that must get a flat answer: other planes, and drawn things.
OTHER_PLANES_SHARE: Final = 0.10
DRAWN_SHARE: Final = 0.04
#: Targets over (upright, mirrored, the others together); the last number asks for the marginal:
#: either of the first two is right, and nothing is said about which.
SIDE_KNOWN: Final = (1.0, 0.0, 0.0, 0.0)
SIDE_UNSEEN: Final = (0.5, 0.5, 0.0, 0.0)
SIDE_OPEN: Final = (0.5, 0.5, 0.0, 1.0)
NO_ANSWER: Final = (0.125, 0.125, 0.75, 0.0)
#: Whom it asks whether organs are in view.
WITNESS: Final = "body_region"

WORDS: Final = Words(
    purpose=(
        "Says how an axial CT or MR slice lies on the screen: which way the spine points (four",
        "quarter turns) and whether left and right are exchanged. Turn and mirror are decided",
        "apart; the mirror only where `body_region` sees chest or abdomen. One score per turned",
        "copy, so the answer cannot depend on how the slice was stored.",
    ),
    limits=(
        "Not for other planes, projections, PET or single knees' sides. Heads, necks, pelves and",
        "limbs have no mark of left and right: the mirror stays undecided there. Situs inversus",
        "looks like a mirror. Most sources state no",
        "ages; nothing was measured on children, pregnancy or animals.",
    ),
    meanings={
        str(label): f"spine at the {spine}; " + ("mirrored" if label >= 4 else "not mirrored")
        for label, spine in enumerate(("bottom", "right", "top", "left") * 2)
    },
)
HOW: Final = {
    "turn": "floor; a series needs it after the vote of its slices",
    "turn_slice": "validation patients, random fields and windows: at most 0.3 % of answers "
    "decided and wrong, each patient counting once; floor 0.95",
    "mirror": "floor; a series needs it after the vote of the slices that show organs",
    "mirror_slice": "as turn_slice, on slices whose side is known; floor 0.975",
    "organs": "chest or abdomen more likely than not on a slice that speaks about the mirror",
    "known": "set by hand; nine in ten drawn shapes and all white noise stay below it",
}


def _examples(data: Path) -> Sequence[LabelledSlice]:
    """Return all slices, those of other planes too, which must get a flat answer."""
    return [evolve(item, labels=_labels(item)) for item in slices(data)]


def _labels(item: LabelledSlice) -> tuple[str, ...]:
    if item.plane != "axial":
        return ()
    return ("0",) if item.is_sided or item.is_sided_between else ("0", "4")


def _own(picture: OwnPicture) -> LabelledSlice:
    """Return the picture upright; its label says how it lies, two labels that the side is open."""
    lies = min((int(label) for label in picture.labels), default=0)
    is_sided = len(picture.labels) == 1
    if not is_sided and set(picture.labels) != {str(lies), str(lies + 4)}:
        raise InputError("one label is needed, or two of one turn where the side cannot be seen")
    return own_slice(
        picture,
        np.ascontiguousarray(turned_array(square_pixels(picture.view()), UNDONE_BY[lies])),
        labels=("0",) if is_sided else ("0", "4"),
        regions=(),
        regions_open=frozenset(REGIONS),
        plane="axial",
        mirror_verified=is_sided,
    )


def _network(start: Start) -> keras.Model:  # noqa: ARG001  it starts from nothing
    return network(MODEL_SIZE, 1, "axial_orientation")


def _draws(items: Sequence[LabelledSlice], plan: Plan) -> Draw:
    upright = [prepared(item) for item in items if item.plane == "axial"]
    others = [prepared(item) for item in items if item.plane in ("sagittal", "coronal")]
    chances = drawing_weights([subject.item for subject in upright])

    def batch_of(index: int) -> Batch:
        random = np.random.default_rng([plan.seed, index])
        chosen = random.choice(len(upright), plan.batch, p=chances)
        copies, targets = [], []
        for number in chosen:
            picture, target = _subject(upright[number], others, random, plan.size)
            rest = random.permutation([1, 2, 3, 5, 6, 7])[:OTHERS_DRAWN]
            copies += [turned_array(picture, label) for label in (0, 4, *rest)]
            targets.append(target)
        return Batch(
            np.stack(copies)[..., None],
            np.asarray(targets, np.float32),
            np.ones(plan.batch, np.float32),
        )

    return batch_of


def _subject(
    subject: Prepared, others: Sequence[Prepared], random: Generator, size: int
) -> tuple[NDArray[np.float32], tuple[float, ...]]:
    lot = random.random()
    if lot < DRAWN_SHARE:
        return drawn(random, size), NO_ANSWER
    if lot < DRAWN_SHARE + OTHER_PLANES_SHARE and others:
        return draw(others[int(random.integers(len(others)))], random, size), NO_ANSWER
    picture = draw(subject, random, size)
    if subject.item.is_sided or subject.item.is_sided_between:
        return picture, SIDE_KNOWN
    return picture, SIDE_UNSEEN if subject.item.is_sideless else SIDE_OPEN


def loss(logits: Any, targets: Any, weights: Any) -> Any:
    """Return the loss of the scores of an upright, a mirrored and `OTHERS_DRAWN` other copies."""
    scores = tf.reshape(logits, (-1, 2 + OTHERS_DRAWN))
    shift = tf.constant([0.0, 0.0] + [OTHERS_SHIFT] * OTHERS_DRAWN)
    logs = tf.nn.log_softmax(scores + shift)
    rest = tf.reduce_mean(logs[:, 2:], axis=1)
    known = -(targets[:, 0] * logs[:, 0] + targets[:, 1] * logs[:, 1] + targets[:, 2] * rest)
    either = -tf.reduce_logsumexp(logs[:, :2], axis=1)
    return tf.reduce_mean(weights * tf.where(targets[:, 3] > 0, either, known))


def _varied(item: LabelledSlice, random: Generator) -> Grey:
    return draw(prepared(item), random, MODEL_SIZE, USUAL)


def _regions(beside: Catalog) -> ModelCard:
    regions = beside.of(WITNESS)
    assert regions is not None, "the recipe needs it"
    return regions


def _calibrated(card: ModelCard, found: Scored[LabelledSlice], beside: Catalog) -> Calibrated:
    seen = measure.scored(measure.axial(found), _regions(beside))
    return Calibrated(measure.calibrated_orientation(card, seen), HOW)


def _figures(card: ModelCard, found: Scored[LabelledSlice], beside: Catalog) -> Figures:
    regions = _regions(beside)
    figures = measure.orientation_figures(card, measure.scored(measure.axial(found), regions))
    others = [item for item in found.published().examples if item.plane in ("sagittal", "coronal")]
    return {**figures, "no axial slices": measure.outsider_figures(card, regions, others)}


RECIPE: Final = Recipe[LabelledSlice](
    target="axial_orientation",
    labels=tuple(str(label) for label in range(8)),
    kind=Kind.ORIENTATION,
    modalities=("CT", "MR"),
    size=MODEL_SIZE,
    preparation="slice",
    copies="scored",
    steps=9000,
    batch=32,
    learning_rate=1.2e-3,
    needs=(WITNESS,),
    held_out=HELD_OUT,
    variants=6,
    words=WORDS,
    examples=_examples,
    own=_own,
    network=_network,
    draws=_draws,
    loss=loss,
    shown=shown,
    varied=_varied,
    calibrated=_calibrated,
    figures=_figures,
)
