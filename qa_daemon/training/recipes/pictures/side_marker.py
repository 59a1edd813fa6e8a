"""`side_marker`: L or R of lead on a radiograph, and whether the writing is mirrored.

The network looks at places that may hold a marker (`pixels.inputs.marker`). It is fitted on letters
drawn into pieces of real pictures, on real markers that were read by eye (`pictures/markers.csv`),
and on places that hold none. Figures are those of whole pictures, by the head of the service.
"""

import csv
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

import keras
import numpy as np
import tensorflow as tf
from attrs import field, frozen
from numpy.random import Generator
from numpy.typing import NDArray

from qa_daemon.pixels.inputs.marker import (
    PLACE_SIZE,
    framed_inside,
    marker_places,
    sought_on,
)
from qa_daemon.predict.catalog import UNDECIDED, Catalog, ModelCard
from qa_daemon.predict.heads.marker import marker_predictions
from qa_daemon.predict.heads.outputs import Outputs, Place, Subject
from qa_daemon.records.prediction import Box, Prediction
from qa_daemon.training.figures.calibration import Chosen, with_thresholds
from qa_daemon.training.figures.intervals import wilson
from qa_daemon.training.pictures.labelled import Picture, chests, radiographs
from qa_daemon.training.pictures.letters import drawn_square
from qa_daemon.training.recipe import (
    Batch,
    Calibrated,
    Draw,
    Example,
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
from qa_daemon.training.split import place as drawn_place

LABELS: Final = ("L", "R", "L mirrored", "R mirrored")
NONE: Final = len(LABELS)
READINGS: Final = "markers.csv"
#: Pictures of these sources rarely hold a marker: unread, this share of them gives places of none.
UNREAD_SHARE: Final = 0.4
UNREAD_SOURCES: Final = frozenset(
    {
        "scoliosis",
        "cadma_scoliosis",
        "hbfmid",
        "dental_dc1000",
        "opg_landmark",
        "isbi_ceph",
        "nhanes_cspine",
        "knee_implants",
        "frac_multi_web",
        "ddh_jordan",
    }
)
#: A place shows a marker if it lies this near its middle, in heights, and was sought as high.
NEAR: Final = 0.3
AS_HIGH: Final = (0.72, 1.4)
#: Nearer than this it shows a part of a marker: nothing is learned from it, as from a place that is
#: a little too large or too small; one that is off by more than this factor shows none.
PART: Final = 1.2
FAR_OFF: Final = 1.9
#: Two fifths of the hospital that letters were fitted on, and all that was read of four others.
HELD_OUT: Final = HeldOut(
    share=0.4,
    sources=frozenset({"frac_multi_wrist", "kermany_train", "nih_chestxray8", "fracatlas"}),
)
#: Shares of a batch: letters drawn, real places without a marker, real markers.
SHARES: Final = (0.55, 0.37, 0.08)
#: Sides of the pieces of real pictures that letters are drawn into, in their pixels.
GROUND: Final = (14.0, 56.0)
#: How often a square is mirrored, and its label with it.
MIRRORED_CHANCE: Final = 0.4
#: Squares drawn before fitting; drawing takes three times as long as a step of it.
DRAWN_COUNT: Final = 14_000
SMOOTHING: Final = 0.02
#: A marker that is claimed wrongly turns a right picture: at most one in a hundred of those said.
WRONG_SHARE_MAX: Final = 0.01
LABEL_MIN: Final = 0.9
MIRRORED_MIN: Final = 0.98

WORDS: Final = Words(
    purpose=(
        "Finds the lead letter that says which side a radiograph shows, reads it, and says whether",
        "it is written backwards. R and D (direita, derecha) are right, L and E (esquerda) left.",
    ),
    limits=(
        "Real markers that it was fitted on come from one hospital (D and E on bright plates);",
        "other letters were drawn, and all pictures were thumbnails of 256 pixels. A letter that",
        "stands on bone, is turned by a quarter, is cut by the edge or has others of its size",
        "beside it is not read. D and E turned by half a turn look mirrored; so does an L turned",
        "by a quarter: it is never called mirrored, though one real L, of a chest, is. I and G are",
        "not read. Nobody marked boxes outside the one hospital: there the share of boxes that",
        "lie on the marker is not known. A letter added later may itself be wrong.",
    ),
    meanings={
        "L": "left: L or E",
        "R": "right: R or D",
        "L mirrored": "L or E written backwards",
        "R mirrored": "R or D written backwards",
    },
)


@frozen(kw_only=True, eq=False)
class Spot(Example):
    """A place in a picture.

    Attributes
    ----------
    square
        What the model sees, float16 (PLACE_SIZE, PLACE_SIZE).
    box
        Left, top, right, bottom in pixels of the picture.
    side
        What the marker of the whole picture says, "" where it has none or was not read.
    is_read
        Somebody looked for a marker in the picture.
    whole
        Returns the picture.
    """

    square: NDArray[np.float16] = field(repr=False)
    box: Box
    side: str = ""
    is_read: bool = False
    whole: Callable[[], NDArray[Any]] = field(repr=False)

    @property
    def picture(self) -> str:
        """The picture that the place lies in."""
        return self.id.partition("#")[0]


@frozen
class Reading:
    """What was read in a picture: a label and where it stands, "" and None if there is none.

    Of a marker that is among no places the box is not known.
    """

    label: str
    box: Box | None


#: A picture that may hold a marker that could not be read for certain: left out.
UNSURE: Final = Reading("?", None)


def readings() -> Mapping[str, Reading]:
    """Return what was read by eye, by file within the data folder."""
    text = (files("qa_daemon.training.pictures") / READINGS).read_text(encoding="utf-8")
    found: dict[str, Reading] = {}
    for row in csv.DictReader(text.splitlines()):
        if row["label"] == "?":
            found[row["file"]] = UNSURE
            continue
        sides = [float(row[name] or 0) for name in ("left", "top", "right", "bottom")]
        found[row["file"]] = Reading(row["label"], Box(*sides) if row["left"] else None)
    return found


def _examples(data: Path) -> Sequence[Spot]:
    read = readings()
    found: list[Spot] = []
    for picture in (*radiographs(data), *chests(data)):
        reading = read.get(picture.id)
        if reading is UNSURE:
            continue
        is_unread = (
            picture.source in UNREAD_SOURCES and drawn_place(picture.id, "unread") < UNREAD_SHARE
        )
        if reading is not None or is_unread:
            found += _spots(picture, reading)
    return found


def _spots(picture: Picture, reading: Reading | None) -> Iterator[Spot]:
    grey = picture.read().astype(np.float32)
    found = marker_places(grey)
    for number, square in enumerate(found.squares):
        box = Box(*map(float, found.boxes[number]))
        label = _label(box, float(found.heights[number]), reading)
        if label is not None:
            yield Spot(
                id=f"{picture.id}#{number}",
                read=partial(np.asarray, square),
                labels=(label,) if label else (),
                patient=picture.patient,
                source=picture.source,
                licence=picture.licence,
                modality=picture.modality,
                square=square.astype(np.float16),
                box=box,
                side=reading.label[:1] if reading is not None else "",
                is_read=reading is not None,
                whole=picture.read,
            )


def _label(box: Box, height: float, reading: Reading | None) -> str | None:
    """Return what a place shows, "" for no marker, None where nothing can be learned from it."""
    if reading is None or reading.box is None:
        return ""
    there = reading.box
    own = there.bottom - there.top
    off = max(
        abs(box.left + box.right - there.left - there.right) / 2,
        abs(box.top + box.bottom - there.top - there.bottom) / 2,
    )
    if off <= NEAR * own and AS_HIGH[0] <= height / own <= AS_HIGH[1]:
        return reading.label
    is_far_off = not 1 / FAR_OFF <= height / own <= FAR_OFF
    return "" if off > PART * own or is_far_off else None


def _network(start: Start) -> keras.Model:  # noqa: ARG001  it starts from nothing
    given = keras.Input((PLACE_SIZE, PLACE_SIZE, 1), name="place")
    x = given
    for channels, stride in ((16, 1), (32, 2), (32, 1), (64, 2), (64, 1), (64, 2)):
        x = keras.layers.Conv2D(channels, 3, stride, "same", use_bias=False)(x)
        x = keras.layers.ReLU()(keras.layers.BatchNormalization(momentum=0.97)(x))
    x = keras.layers.Dropout(0.2)(keras.layers.Flatten()(x))
    x = keras.layers.Dense(64, activation="relu")(x)
    return keras.Model(given, keras.layers.Dense(NONE + 1, name="logits")(x))


def _draws(spots: Sequence[Spot], plan: Plan) -> Draw:
    markers = [at for at, spot in enumerate(spots) if spot.labels]
    marked = {spots[at].picture for at in markers}
    # Where a marker was read that is among no places, one of them may yet show it.
    others = [
        at
        for at, spot in enumerate(spots)
        if not spot.labels and (not spot.side or spot.picture in marked)
    ]
    grounds = [
        np.round(sought_on(whole().astype(np.float32))[0] * 255).astype(np.uint8)
        for whole in {spot.picture: spot.whole for spot in spots}.values()
    ]
    counts = [round(plan.batch * share) for share in SHARES]
    first = np.random.default_rng([plan.seed, DRAWN_COUNT])
    bank = [drawn_square(_ground(grounds, first), first, plan.size) for _ in range(DRAWN_COUNT)]

    def batch_of(index: int) -> Batch:
        random = np.random.default_rng([plan.seed, index])
        drawn = random.integers(DRAWN_COUNT, size=counts[0])
        made = [_moved(bank[at], random) for at in drawn.tolist()]
        for chosen, count in ((others, counts[1]), (markers, counts[2])):
            real = random.choice(chosen, count) if chosen else ()
            made.extend(_varied(spots[at], random) for at in real)
        targets = np.full((len(made), NONE + 1), SMOOTHING / (NONE + 1), np.float32)
        for row, (_, label) in enumerate(made):
            targets[row, LABELS.index(label) if label else NONE] += 1.0 - SMOOTHING
        return Batch(
            np.stack([square for square, _ in made])[..., None],
            targets,
            np.ones(len(made), np.float32),
        )

    return batch_of


def _ground(grounds: Sequence[NDArray[np.uint8]], random: Generator) -> Grey:
    """Return a piece of a picture, more often a dark one, as markers stand beside the body."""
    whole = grounds[int(random.integers(len(grounds)))].astype(np.float32) / np.float32(255)
    pieces = []
    for _ in range(3):
        side = float(np.exp(random.uniform(*np.log(GROUND))))
        size = int(side) if random.random() < 0.6 else 40
        row, column = random.uniform(0, 1, 2) * whole.shape
        pieces.append(framed_inside(whole, float(row), float(column), side, size))
    if random.random() < 0.7:
        return min(pieces, key=lambda piece: float(piece.mean()))
    return pieces[0]


def _varied(spot: Spot, random: Generator) -> tuple[Grey, str]:
    """Return a real place a little moved; one that shows nothing may be turned, too."""
    square, label = spot.square.astype(np.float32), spot.labels[0] if spot.labels else ""
    if not label:
        square = np.rot90(square, int(random.integers(4)))
    return _moved((square, label), random)


def _moved(labelled: tuple[Grey, str], random: Generator) -> tuple[Grey, str]:
    """Return a square a little moved and perhaps mirrored: mirrored writing is another label."""
    square, label = labelled
    if random.random() < MIRRORED_CHANCE:
        square = square[:, ::-1]
        if label:
            label = label.removesuffix(" mirrored") if "mirrored" in label else f"{label} mirrored"
    moves = random.integers(-1, 2, 2)
    return np.roll(square, moves, (0, 1)) * np.float32(random.uniform(0.9, 1.1)), label


def _loss(logits: Any, targets: Any, weights: Any) -> Any:
    return tf.reduce_mean(weights * tf.nn.softmax_cross_entropy_with_logits(targets, logits))


def _shown(spot: Spot) -> Grey:
    return spot.square.astype(np.float32)


def _calibrated(card: ModelCard, found: Scored[Spot], _beside: Catalog) -> Calibrated:
    """Choose from where on a letter counts: the least at which few enough are wrong."""
    said = [each for each in _pictures(card, found) if each.is_read]
    wrong = sorted((each.sureness for each in said if each.is_wrong), reverse=True)
    value = LABEL_MIN
    for borne, sureness in enumerate(wrong):
        decided = sum(each.sureness >= sureness for each in said)
        if borne + 1 > WRONG_SHARE_MAX * decided:
            value = max(LABEL_MIN, min(0.999, float(np.ceil(sureness * 1000 + 1e-6) / 1000)))
            break
    kept = [each for each in said if each.sureness >= value]
    bad = sum(each.is_wrong for each in kept)
    how = (
        f"held-out pictures that were read: at most {WRONG_SHARE_MAX:.0%} of letters wrong, floor "
        f"{LABEL_MIN}; borne: {bad} of {len(kept)} said (of {len(said)} pictures), 95 % interval "
        f"{wilson(bad, len(kept))[1:]}"
    )
    mirrored = "set by hand: mirrored writing turns a picture, and no real one was to be had"
    left = "never: an L that is turned by a quarter looks mirrored, as two real ones do"
    chosen = {
        "label": Chosen(value, how),
        "mirrored": Chosen(MIRRORED_MIN, mirrored),
        "mirrored:L": Chosen(UNDECIDED, left),
    }
    return with_thresholds(card, chosen)


@frozen
class _Said:
    """What was said of a whole picture, and what stands there."""

    picture: str
    source: str
    side: str
    is_read: bool
    prediction: Prediction
    sureness: float
    truth_box: Box | None

    @property
    def is_wrong(self) -> bool:
        """Whether another side is said than stands there."""
        return self.prediction.label != self.side


def _pictures(card: ModelCard, found: Scored[Spot]) -> list[_Said]:
    """Return what the head of the service says of each picture."""
    groups: dict[str, list[int]] = defaultdict(list)
    for at, spot in enumerate(found.examples):
        groups[spot.picture].append(at)
    return [_said(card, found.at(at)) for at in groups.values()]


def _said(card: ModelCard, found: Scored[Spot]) -> _Said:
    first = found.examples[0]
    places = tuple(
        Place(logits, spot.box) for logits, spot in zip(found.logits, found.examples, strict=True)
    )
    outputs = Outputs(card, (Subject(first.picture, 1),), found.logits, places=(places,))
    prediction = marker_predictions(outputs)[0]
    marked = [spot.box for spot in found.examples if spot.labels]
    return _Said(
        picture=first.picture,
        source=first.source,
        side=first.side,
        is_read=first.is_read,
        prediction=prediction,
        sureness=_sureness(card, found, prediction),
        truth_box=marked[0] if marked else None,
    )


def _sureness(card: ModelCard, found: Scored[Spot], prediction: Prediction) -> float:
    """Return how sure the head is that this letter stands anywhere."""
    scaled = found.logits / card.temperature
    shares = np.exp(scaled - scaled.max(axis=1, keepdims=True))
    shares /= shares.sum(axis=1, keepdims=True)
    return float(shares[:, :NONE].sum(axis=1).max() * (prediction.probability or 0.0))


def _figures(card: ModelCard, found: Scored[Spot], _beside: Catalog) -> Figures:
    groups: dict[str, list[_Said]] = defaultdict(list)
    for each in _pictures(card, found):
        for name in ("all", f"source: {each.source}"):
            groups[name].append(each)
    return {name: _of_group(said) for name, said in sorted(groups.items())}


def _of_group(said: Sequence[_Said]) -> Figures:
    marked = [each for each in said if each.side]
    unmarked = [each for each in said if not each.side and each.is_read]
    decided = [each for each in marked if not each.prediction.abstained]
    right = [each for each in decided if not each.is_wrong]
    inside = [each for each in right if _holds(each)]
    return {
        "pictures with a marker that was read": len(marked),
        "said": wilson(len(decided), len(marked)),
        "right side of those said": wilson(len(right), len(decided)),
        "box on the marker of those right": wilson(len(inside), len(right)),
        "mirrored wrongly": sum(each.prediction.mirrored is True for each in decided),
        "pictures looked at without a marker": len(unmarked),
        "said there": sum(not each.prediction.abstained for each in unmarked),
        "pictures nobody looked at": sum(not each.is_read for each in said),
        "said of them": sum(not each.prediction.abstained for each in said if not each.is_read),
    }


def _holds(each: _Said) -> bool:
    """Whether the middle of the box that was said lies in the marker's."""
    box, there = each.prediction.box, each.truth_box
    if box is None or there is None:
        return False
    across, down = (box.left + box.right) / 2, (box.top + box.bottom) / 2
    return there.left <= across <= there.right and there.top <= down <= there.bottom


RECIPE: Final = Recipe[Spot](
    target="side_marker",
    labels=LABELS,
    kind=Kind.OWN,  # of a picture all its spots are asked
    modalities=("CR", "DX", "RG"),
    size=PLACE_SIZE,
    preparation="patches",
    copies="single",
    reject=1,
    steps=2500,
    batch=96,
    learning_rate=3e-3,
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
