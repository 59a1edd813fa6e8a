"""`image_kind`: which of the six classes of Medical MNIST a picture belongs to, or none of them.

The pictures of that set give their classes away by background and frame; both are gone from the
input (`pixels.inputs.picture`). Slices and radiographs of other sources are fitted on with it, and
so are other parts of the body, as a seventh output: none.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import keras
import numpy as np
import tensorflow as tf
from attrs import frozen
from numpy.random import Generator
from numpy.typing import NDArray

from qa_daemon.pixels.inputs.picture import PICTURE_SIZE, picture_tensor, shown_picture
from qa_daemon.pixels.tensor import Frame, framed, standardised
from qa_daemon.predict.catalog import Catalog, ModelCard
from qa_daemon.training.figures.calibration import calibrated_single
from qa_daemon.training.figures.standard import answers, standard_figures
from qa_daemon.training.figures.strangers import drawn
from qa_daemon.training.pictures.labelled import (
    KERMANY_TEST,
    MEDNIST,
    MEDNIST_TEST,
    Picture,
    chests,
    medical_mnist,
    radiographs,
)
from qa_daemon.training.pictures.rejection import rejected
from qa_daemon.training.pictures.shortcuts import shortcuts
from qa_daemon.training.pretrained import V1_025, pooled_head, tuned
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
from qa_daemon.training.slices.augment import (
    add_table,
    cut,
    recoloured,
    sampled,
    turned_array,
    unevenness,
)
from qa_daemon.training.slices.datasets import HELD_OUT as SLICES_HELD_OUT
from qa_daemon.training.slices.datasets import LabelledSlice, slices

KINDS: Final = ("AbdomenCT", "BreastMRI", "CXR", "ChestCT", "Hand", "HeadCT")
#: What an axial CT slice of these regions is; the rim between chest and abdomen is either.
KINDS_OF_REGIONS: Final = {
    ("HEAD",): ("HeadCT",),
    ("CHEST",): ("ChestCT",),
    ("ABDOMEN",): ("AbdomenCT",),
    ("ABDOMEN", "PELVIS"): ("AbdomenCT",),
    ("CHEST", "ABDOMEN"): ("ChestCT", "AbdomenCT"),
    ("NECK",): (),
    ("LOWERLIMB",): (),
}
#: Radiographs on which a hand or a chest is in view only in part: neither fitted nor measured.
PARTS_BETWEEN: Final = frozenset({"Wrist", "Finger", "Others", "Clavicles", "Chest", "Hand"})
#: NIH pictures are left out: a tenth of them stand in Medical MNIST, too.
SOURCES_LEFT_OUT: Final = frozenset({"nih_chestxray8"})
#: Single pictures of these sources are kept whole for figures, as are those slices that every
#: model keeps.
HELD_OUT: Final = HeldOut(
    share=SLICES_HELD_OUT.share,
    draw=SLICES_HELD_OUT.draw,
    sources=SLICES_HELD_OUT.sources
    | {MEDNIST_TEST, KERMANY_TEST, "radiopaedia", "medpix", "figure1", "covid_cxnet"},
)
#: On these nothing is chosen, neither temperature nor threshold: published figures are about them.
TESTS: Final = frozenset({MEDNIST_TEST, KERMANY_TEST})
#: A cached picture shows this many frames, in this many pixels: fields can move and grow.
CANVAS_FRAMES: Final = 1.4
CANVAS_SIZE: Final = 112
#: Shares of a batch: Medical MNIST, other pictures of the six classes, pictures of none, drawn.
SHARES: Final = (0.42, 0.36, 0.18, 0.04)
SMOOTHING: Final = 0.02
NONE: Final = len(KINDS)

WORDS: Final = Words(
    purpose=(
        "Says which of the six classes of Medical MNIST a picture belongs to, or that it belongs",
        "to none: a coarse check that a picture is of the kind that its tags say.",
    ),
    limits=(
        "The classes of Medical MNIST are collections, not regions: AbdomenCT holds slices from",
        "shoulder to hip, ChestCT holds livers. On such slices the answer follows the look of the",
        "collection; on slices of other sources it follows the anatomy. Pelvic CT counts as",
        "AbdomenCT there, and was neither fitted nor measured from elsewhere. Breast MR comes from",
        "three collections only. A sign for quality assurance, not a diagnosis.",
    ),
    meanings={
        "AbdomenCT": "axial CT of the abdomen",
        "BreastMRI": "MR of the breasts",
        "CXR": "radiograph of the chest",
        "ChestCT": "axial CT of the chest",
        "Hand": "radiograph of a hand",
        "HeadCT": "axial CT of the head",
    },
)


def _examples(data: Path) -> Sequence[Picture]:
    found = list(medical_mnist(data))
    for item in slices(data):
        kinds = _kinds_of_slice(item)
        if kinds is not None:
            found.append(_as_picture(item, kinds))
    for picture in (*radiographs(data), *chests(data)):
        kinds = _kinds_of_radiograph(picture)
        if kinds is not None and picture.source not in SOURCES_LEFT_OUT:
            found.append(_relabelled(picture, kinds))
    return found


def _kinds_of_slice(item: LabelledSlice) -> tuple[str, ...] | None:
    if item.source.startswith("MedNIST"):
        return None  # the same pictures as in Medical MNIST, enlarged
    if item.modality == "MR":
        return ("BreastMRI",) if item.source.startswith("Breast") else ()
    if item.modality == "CT" and item.plane == "axial":
        return KINDS_OF_REGIONS.get(item.regions)
    return None


def _kinds_of_radiograph(picture: Picture) -> tuple[str, ...] | None:
    if picture.parts == ("Chest",):
        return ("CXR",)
    if "Hand" in picture.parts:
        return ("Hand",)
    return None if PARTS_BETWEEN & set(picture.parts) else ()


def _as_picture(item: LabelledSlice, kinds: tuple[str, ...]) -> Picture:
    return Picture(
        id=item.id,
        read=item.grey,
        labels=kinds,
        patient=item.patient,
        source=item.source,
        licence=item.licence,
        modality=item.modality,
        patient_known=item.patient_known,
        series=item.series,
    )


def _relabelled(picture: Picture, kinds: tuple[str, ...]) -> Picture:
    return Picture(
        id=picture.id,
        read=picture.read,
        labels=kinds,
        patient=picture.patient,
        source=picture.source,
        licence=picture.licence,
        modality=picture.modality,
        parts=picture.parts,
        view=picture.view,
    )


@frozen(eq=False)
class _Canvas:
    """A picture around its frame, uint8 (CANVAS_SIZE, CANVAS_SIZE), and what it is."""

    pixels: NDArray[np.uint8]
    kinds: tuple[int, ...]
    is_mednist: bool


def _canvas(picture: Picture) -> _Canvas:
    shown = shown_picture(picture.read(), picture.modality)
    wide = Frame(
        shown.frame.centre_row, shown.frame.centre_column, shown.frame.side * CANVAS_FRAMES
    )
    pixels = np.clip(np.round(framed(shown.contrast, wide, CANVAS_SIZE) * 255), 0, 255)
    kinds = tuple(KINDS.index(label) for label in picture.labels)
    return _Canvas(pixels.astype(np.uint8), kinds, picture.source == MEDNIST)


def _network(start: Start) -> keras.Model:
    return tuned(start, PICTURE_SIZE, V1_025, pooled_head(len(KINDS) + 1))


def _draws(pictures: Sequence[Picture], plan: Plan) -> Draw:
    canvases = [_canvas(picture) for picture in pictures]
    groups = (
        [at for at, each in enumerate(canvases) if each.is_mednist],
        [at for at, each in enumerate(canvases) if each.kinds and not each.is_mednist],
        [at for at, each in enumerate(canvases) if not each.kinds],
    )
    chances = [_chances([pictures[at] for at in group]) for group in groups]

    def one(random: Generator) -> tuple[Grey, NDArray[np.float32]]:
        which = int(random.choice(len(SHARES), p=SHARES))
        if which == len(groups) or not groups[which]:
            return drawn(random, plan.size), _target((), random)
        at = groups[which][int(random.choice(len(groups[which]), p=chances[which]))]
        square = _varied_canvas(canvases[at], random, plan.size)
        return square, _target(canvases[at].kinds, random)

    def batch_of(index: int) -> Batch:
        random = np.random.default_rng([plan.seed, index])
        made = [one(random) for _ in range(plan.batch)]
        turned = [turned_array(square, int(random.integers(8))) for square, _ in made]
        return Batch(
            np.stack(turned)[..., None],
            np.stack([target for _, target in made]),
            np.ones(plan.batch, np.float32),
        )

    return batch_of


def _target(kinds: tuple[int, ...], random: Generator) -> NDArray[np.float32]:
    target = np.full(NONE + 1, SMOOTHING / (NONE + 1), np.float32)
    target[int(random.choice(kinds)) if kinds else NONE] += 1.0 - SMOOTHING
    return target


def _chances(pictures: Sequence[Picture]) -> NDArray[np.float64]:
    """Return how often each is drawn: kinds alike, of a kind a source by the root of its size."""
    weights = _shared(np.ones(len(pictures)), [picture.patient for picture in pictures], 0.5)
    weights = _shared(weights, [picture.source for picture in pictures], 0.5)
    weights = _shared(weights, [picture.labels[:1] for picture in pictures], 1.0)
    return np.asarray(weights / weights.sum(), np.float64)


def _shared(
    weights: NDArray[np.float64], keys: Sequence[object], power: float
) -> NDArray[np.float64]:
    totals: dict[object, float] = {}
    for key, weight in zip(keys, weights, strict=True):
        totals[key] = totals.get(key, 0.0) + float(weight)
    return np.asarray(weights / np.array([totals[key] for key in keys]) ** power, np.float64)


def _varied_canvas(canvas: _Canvas, random: Generator, size: int) -> Grey:
    """Return a random variant. Medical MNIST keeps its contrast: it tells two classes apart."""
    other = not canvas.is_mednist
    shown = canvas.pixels.astype(np.float32) / np.float32(255)
    if other and random.random() < 0.15:
        add_table(shown, random)
    square = sampled(shown, _field(random), random, size)
    if other and random.random() < 0.35:
        square = _coarse(square, int(random.integers(24, 60)))
    if random.random() < 0.12:
        cut(square, random)
    if random.random() < (0.15 if other else 0.03):
        square = recoloured(square, random)
    if random.random() < 0.15:
        square = square * unevenness(random, size)
    power = np.exp(random.normal(0.0, 0.3 if other else 0.1))
    square = np.clip(square, 0.0, None) ** np.float32(power)
    if random.random() < 0.08:
        square = np.float32(1.0) - square
    if random.random() < 0.4:
        noise = random.standard_normal(square.shape, np.float32)
        square = square + noise * np.float32(random.uniform(0.0, 0.08 if other else 0.03))
    return standardised(square)


def _field(random: Generator) -> Frame:
    """Return a field in a canvas: about its frame, in one of four a part of it."""
    frame = CANVAS_SIZE / CANVAS_FRAMES
    zoom = random.uniform(0.85, 1.2) if random.random() < 0.75 else random.uniform(1.1, 1.7)
    row, column = CANVAS_SIZE / 2 + random.uniform(-0.08, 0.08, 2) * frame
    return Frame(float(row), float(column), float(frame / zoom))


def _coarse(square: Grey, size: int) -> Grey:
    """Return the square as if it had come from a thumbnail of that many pixels."""
    side = float(len(square))
    small = framed(square, Frame(side / 2, side / 2, side), size)
    return framed(small, Frame(size / 2, size / 2, float(size)), len(square))


def _loss(logits: Any, targets: Any, weights: Any) -> Any:
    return tf.reduce_mean(weights * tf.nn.softmax_cross_entropy_with_logits(targets, logits))


def _shown(picture: Picture) -> Grey:
    return picture_tensor(picture.read(), picture.modality, size=PICTURE_SIZE)


def _calibrated(card: ModelCard, found: Scored[Picture], _beside: Catalog) -> Calibrated:
    """Choose temperature and thresholds; the published tests have no say in it."""
    return calibrated_single(
        card, _of(found, lambda each: bool(each.labels) and each.source not in TESTS)
    )


def _figures(card: ModelCard, found: Scored[Picture], _beside: Catalog) -> Figures:
    own = _of(found, lambda each: bool(each.labels))
    others = _of(found, lambda each: not each.labels)
    figures = standard_figures(answers(card, own, Kind.SINGLE), HELD_OUT.sources)
    first = own.published()
    tests = first.at([at for at, each in enumerate(first.examples) if each.source == MEDNIST_TEST])
    return figures | {
        "none of the six classes": rejected(card, others),
        "without anatomy": shortcuts(first.pictures, first.examples, lambda each: each.labels[0]),
        "without anatomy, Medical MNIST": shortcuts(
            tests.pictures, tests.examples, lambda each: each.labels[0]
        ),
    }


def _of(found: Scored[Picture], wanted: Callable[[Picture], bool]) -> Scored[Picture]:
    return found.at([at for at, each in enumerate(found.examples) if wanted(each)])


RECIPE: Final = Recipe[Picture](
    target="image_kind",
    labels=KINDS,
    kind=Kind.SINGLE,
    modalities=("CT", "MR", "CR", "DX", "RG", "OT"),
    size=PICTURE_SIZE,
    preparation="picture",
    copies="averaged",
    reject=1,
    steps=2000,
    batch=64,
    learning_rate=1.5e-3,
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
