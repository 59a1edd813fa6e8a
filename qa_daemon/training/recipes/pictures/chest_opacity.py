"""`chest_opacity`: normal or with opacity; it orders the queue and is no finding and no diagnosis.

Children of one hospital, adults of another, and collections of opacities only: hospitals differ
more than lungs do. Within each source both labels are drawn alike, and a collection that holds one
label only is drawn rarely.
"""

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import keras
import numpy as np
import tensorflow as tf
from numpy.random import Generator
from numpy.typing import NDArray

from qa_daemon.pixels.inputs.chest import CHEST_SIZE, chest_tensor
from qa_daemon.pixels.tensor import Frame
from qa_daemon.predict.catalog import Catalog, ModelCard
from qa_daemon.training.figures.calibration import calibrated_single
from qa_daemon.training.figures.curves import roc
from qa_daemon.training.figures.standard import answers, standard_figures
from qa_daemon.training.pictures.labelled import KERMANY_TEST, Picture, chests
from qa_daemon.training.pretrained import V1_050, pooled_head, tuned
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
from qa_daemon.training.slices.augment import recoloured, sampled, unevenness

LABELS: Final = ("normal", "opacity")
#: What `chest/labels.csv` calls an opacity; "other" is neither.
OPACITIES: Final = frozenset({"pneumonia", "covid", "other opacity"})
#: The official test, and a source of adults with both labels; nothing is chosen on them.
HELD_OUT: Final = HeldOut(sources=frozenset({KERMANY_TEST, "figure1"}))
#: How often a source is drawn of which nearly all pictures have one label, against others.
ONE_LABEL_WEIGHT: Final = 0.2
ONE_LABEL_SHARE: Final = 0.05
SMOOTHING: Final = 0.1
#: Share of answers that may be decided and wrong. No rule hears them: they only order a queue.
WRONG_SHARE_MAX: Final = 0.1
#: Pictures are cached a little larger than they are shown.
CACHE_SIZE: Final = 192

WORDS: Final = Words(
    purpose=(
        "Says whether a frontal chest radiograph looks as if lungs held an opacity, so that such",
        "series can be looked at first. Off by default. It is not a diagnosis and no finding: no",
        "rule and no suggestion hears of it.",
    ),
    limits=(
        "Labels of adults were mined from reports or gathered with the pictures; hospitals differ",
        "more than lungs do, and on hospitals that it has not seen it is wrong often: see the",
        "figures by source. Lateral views, lines and tubes, effusions were not told apart. A",
        "normal answer is no reason to look later than usual.",
    ),
    meanings={
        "normal": "no opacity that the sources name",
        "opacity": "pneumonia of any cause, or another opacity, in the words of the source",
    },
)


def _examples(data: Path) -> Sequence[Picture]:
    found = []
    for picture in chests(data):
        if "LAT" in picture.view.upper() or picture.view == "L":
            continue
        if picture.finding == "normal":
            found.append(_labelled(picture, "normal"))
        elif picture.finding in OPACITIES:
            found.append(_labelled(picture, "opacity"))
    return found


def _labelled(picture: Picture, label: str) -> Picture:
    return Picture(
        id=picture.id,
        read=picture.read,
        labels=(label,),
        patient=picture.patient,
        source=picture.source,
        licence=picture.licence,
        modality=picture.modality,
        view=picture.view,
        age_group=picture.age_group,
    )


def _network(start: Start) -> keras.Model:
    return tuned(start, CHEST_SIZE, V1_050, pooled_head(len(LABELS), 0.3))


def _draws(pictures: Sequence[Picture], plan: Plan) -> Draw:
    cached = [
        chest_tensor(picture.read(), size=CACHE_SIZE).astype(np.float16) for picture in pictures
    ]
    targets = np.array([LABELS.index(picture.labels[0]) for picture in pictures])
    chances = _chances(pictures)

    def batch_of(index: int) -> Batch:
        random = np.random.default_rng([plan.seed, index])
        chosen = random.choice(len(pictures), plan.batch, p=chances)
        squares = [_varied(cached[at].astype(np.float32), random, plan.size) for at in chosen]
        sure = np.full((plan.batch, len(LABELS)), SMOOTHING / 2, np.float32)
        sure[np.arange(plan.batch), targets[chosen]] = 1.0 - SMOOTHING / 2
        return Batch(np.stack(squares)[..., None], sure, np.ones(plan.batch, np.float32))

    return batch_of


def _chances(pictures: Sequence[Picture]) -> NDArray[np.float64]:
    """Return how often each is drawn: labels alike in a source, sources by the root of size."""
    counts: dict[tuple[str, str], int] = defaultdict(int)
    totals: dict[str, int] = defaultdict(int)
    for picture in pictures:
        counts[picture.source, picture.labels[0]] += 1
        totals[picture.source] += 1
    chances = []
    for picture in pictures:
        total, own = totals[picture.source], counts[picture.source, picture.labels[0]]
        rare = min(counts[picture.source, label] for label in LABELS)
        is_mixed = rare >= ONE_LABEL_SHARE * total
        chances.append(total**0.5 / own if is_mixed else ONE_LABEL_WEIGHT * total**-0.5)
    found = np.array(chances)
    return np.asarray(found / found.sum(), np.float64)


def _varied(shown: Grey, random: Generator, size: int) -> Grey:
    """Return a random variant: another field, contrast, sharpness, side; masked marks."""
    low, high = float(shown.min()), float(shown.max())
    shown = (shown - low) / max(high - low, 1e-3)
    zoom = random.uniform(0.92, 1.25)
    slack = max(0.02, (1 - 1 / zoom) / 2) * CACHE_SIZE
    row, column = CACHE_SIZE / 2 + random.uniform(-1, 1, 2) * slack
    square = sampled(shown, Frame(float(row), float(column), CACHE_SIZE / zoom), random, size)
    if random.random() < 0.5:
        square = square[:, ::-1]
    if random.random() < 0.3:
        square = recoloured(np.ascontiguousarray(square), random)
    if random.random() < 0.3:
        square = square * unevenness(random, size)
    square = np.clip(square, 0.0, 1.0) ** np.float32(np.exp(random.normal(0.0, 0.3)))
    if random.random() < 0.4:
        _mask(square, random)
    if random.random() < 0.4:
        noise = random.standard_normal(square.shape, np.float32)
        square = square + noise * np.float32(random.uniform(0.0, 0.05))
    return np.asarray((square - square.mean()) / (square.std() + 1e-3), np.float32)


def _mask(square: Grey, random: Generator) -> None:
    """Blank or brighten a small place near the rim, where letters and wires are."""
    size = len(square)
    for _ in range(int(random.integers(1, 4))):
        height, width = random.integers(size // 16, size // 5, 2)
        row, column = random.integers(0, size - height), random.integers(0, size - width)
        if random.random() < 0.7:  # most of them at the top corners
            row = int(random.integers(0, size // 8))
        square[row : row + height, column : column + width] = np.float32(random.random())


def _loss(logits: Any, targets: Any, weights: Any) -> Any:
    return tf.reduce_mean(weights * tf.nn.softmax_cross_entropy_with_logits(targets, logits))


def _shown(picture: Picture) -> Grey:
    return chest_tensor(picture.read())


def _of(found: Scored[Picture], sources: frozenset[str], *, wanted: bool) -> Scored[Picture]:
    return found.at(
        [at for at, each in enumerate(found.examples) if (each.source in sources) is wanted]
    )


def _calibrated(card: ModelCard, found: Scored[Picture], _beside: Catalog) -> Calibrated:
    """Choose temperature and thresholds; the tests have no say in it."""
    return calibrated_single(card, _of(found, HELD_OUT.sources, wanted=False), WRONG_SHARE_MAX)


def _figures(card: ModelCard, found: Scored[Picture], _beside: Catalog) -> Figures:
    said = answers(card, found, Kind.SINGLE)
    figures = standard_figures(said, HELD_OUT.sources)
    groups: dict[str, list[int]] = defaultdict(list)
    for at, example in enumerate(found.published().examples):
        groups[f"source: {example.source}"].append(at)
        if example.age_group == "adult":
            groups[f"adults of {example.source}"].append(at)
    areas = {}
    for name, chosen in sorted(groups.items()):
        truth, share = said.truth[chosen, 1], said.shares[chosen, 1]
        if truth.any() and not truth.all():
            areas[name] = {
                "normal": int((~truth).sum()),
                "opacity": int(truth.sum()),
                "AUC": round(roc(truth, share).area, 4),
                "95 %": _interval(truth, share),
            }
    return figures | {"opacity against normal": areas}


def _interval(truth: NDArray[np.bool_], share: NDArray[np.float64]) -> list[float]:
    """Return a 95 % interval of the area, by drawing pictures of each label anew 500 times."""
    random = np.random.default_rng(5)
    own, other = np.flatnonzero(truth), np.flatnonzero(~truth)
    areas = []
    for _ in range(500):
        at = np.concatenate([random.choice(own, len(own)), random.choice(other, len(other))])
        areas.append(roc(truth[at], share[at]).area)
    return [round(float(each), 4) for each in np.quantile(areas, [0.025, 0.975])]


RECIPE: Final = Recipe[Picture](
    target="chest_opacity",
    labels=LABELS,
    kind=Kind.SINGLE,
    modalities=("CR", "DX", "RG"),
    size=CHEST_SIZE,
    preparation="chest",
    copies="mirrored",
    steps=900,
    batch=32,
    learning_rate=6e-4,
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
