"""What cards of radiograph models report: by hospital, right or next to it, and what is rejected.

In: a card and scored pictures that fitting never saw. Out: the card calibrated, and figures.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from attrs import evolve, frozen
from numpy.typing import NDArray

from qa_daemon.pixels.radiograph import radiograph_tensor
from qa_daemon.predict.calibrate import sigmoid
from qa_daemon.predict.catalog import ModelCard
from qa_daemon.predict.heads.outputs import exclusive
from qa_daemon.predict.interpreter import Interpreter
from qa_daemon.training.figures.calibration import (
    CORRELATION,
    Chosen,
    best_temperature,
    chosen,
    truth_of,
    with_thresholds,
)
from qa_daemon.training.figures.intervals import Said, patient_weights, wilson
from qa_daemon.training.radiographs.pictures import SLICE_CLASSES, Radiograph
from qa_daemon.training.radiographs.strangers import KINDS
from qa_daemon.training.recipe import Calibrated, Figures, Scored

#: Pairs of parts that touch: where one is named, nobody looked whether the other is in view, too.
TOUCHING: Final = tuple(
    (pair.split("~")[0], pair.split("~")[1])
    for pair in [
        "HAND~WRIST",
        "HAND~FINGER",
        "WRIST~FOREARM",
        "FOREARM~ELBOW",
        "ELBOW~UPPERARM",
        "UPPERARM~SHOULDER",
        "SHOULDER~CLAVICLE",
        "CLAVICLE~CHEST",
        "ANKLE~FOOT",
        "ANKLE~LOWERLEG",
        "LOWERLEG~KNEE",
        "KNEE~THIGH",
        "THIGH~HIP",
        "HIP~PELVIS",
        "PELVIS~ABDOMEN",
        "ABDOMEN~LSPINE",
        "PELVIS~LSPINE",
        "LSPINE~TSPINE",
        "TSPINE~CHEST",
        "TSPINE~CSPINE",
        "CSPINE~SKULL",
        "SKULL~SINUS",
        "SKULL~DENTAL",
        "CHEST~ABDOMEN",
    ]
)
#: Hospitals that no shipped model has seen: one country, one web archive of teaching cases, one
#: collection of knees and ankles, one social network, one clinic of dental pictures.
SOURCES_HELD_OUT: Final = frozenset(
    {"fracatlas", "medpix", "frac_multi_png", "figure1", "opg_landmark"}
)
#: Collections from the web or from teaching files, hardly two pictures from one hospital: what is
#: held out of them is from hospitals that were never seen.
COLLECTIONS: Final = frozenset(
    {"radiopaedia", "frac_multi_web", "hbfmid", "covid_chestxray", "covid_cxnet"}
)
#: Blocks of pictures without any known part that no model is fitted on.
STRANGE_HELD_OUT: Final = frozenset(f"Medical MNIST {name}, test blocks" for name in SLICE_CLASSES)
#: Share of the pictures of other hospitals that must be answered.
DECIDED_SHARE: Final = 0.9
#: Share of all answers that may contradict what the picture shows: a third of one alarm in a
#: hundred series over all rules on pixels.
CONTRADICTED_SHARE_MAX: Final = 0.003
CONTRADICTED_LEAST: Final = 0.9
#: Test pictures in a class from which on its F1 says anything.
CLASS_COUNT_MIN: Final = 3
#: Drawn pictures of each kind, and the seed that no fit uses.
DRAWN_COUNT: Final = 40
DRAWN_SEED: Final = 1_000_033


def touching(labels: Sequence[str]) -> NDArray[np.bool_]:
    """Return which labels touch or are each other, shape (labels, labels)."""
    place = {label: at for at, label in enumerate(labels)}
    table = np.eye(len(labels), dtype=bool)
    for one, other in TOUCHING:
        table[place[one], place[other]] = table[place[other], place[one]] = True
    return table


@frozen(eq=False)
class Answers:
    """The best part of each picture: whether it is right, or touches a right one, and how sure."""

    pictures: tuple[Radiograph, ...]
    truth: NDArray[np.bool_]
    best: NDArray[np.intp]
    sure: NDArray[np.float64]
    right: NDArray[np.bool_]
    near: NDArray[np.bool_]

    def at(self, chosen_: NDArray[np.bool_]) -> "Answers":
        """Return some of them, by mask."""
        return Answers(
            tuple(p for p, kept in zip(self.pictures, chosen_, strict=True) if kept),
            self.truth[chosen_],
            self.best[chosen_],
            self.sure[chosen_],
            self.right[chosen_],
            self.near[chosen_],
        )


def answers(card: ModelCard, found: Scored[Radiograph]) -> Answers:
    """Return what the card says of the pictures as published."""
    published = found.published()
    shares = sigmoid(published.logits, card.temperature)
    truth = truth_of(card, published.examples)
    best = np.asarray(shares.argmax(axis=1), np.intp)
    rows = np.arange(len(best))
    near = (truth.astype(int) @ touching(card.labels).astype(int)) > 0
    return Answers(
        published.examples, truth, best, shares[rows, best], truth[rows, best], near[rows, best]
    )


def is_elsewhere(picture: Radiograph, sources: frozenset[str]) -> bool:
    """Whether a held-out picture is from a hospital of which fitting saw nothing."""
    return picture.source in sources or picture.source in COLLECTIONS


def calibrated_parts(
    card: ModelCard, found: Scored[Radiograph], sources: frozenset[str]
) -> Calibrated:
    """Choose the temperature on all held-out pictures, and thresholds on those from elsewhere."""
    truth, weights = truth_of(card, found.examples), patient_weights(found.examples)[:, None]

    def surprise(temperature: float) -> float:
        own = np.clip(sigmoid(found.logits, temperature), 1e-6, 1 - 1e-6)
        return float(-(weights * np.log(np.where(truth, own, 1 - own))).mean())

    warm = evolve(card, temperature=best_temperature(surprise), correlation=CORRELATION)
    said = answers(warm, found)
    known = np.asarray(said.truth.any(axis=1), bool)
    elsewhere = said.at(known & np.asarray([is_elsewhere(p, sources) for p in said.pictures]))
    label = float(np.floor(np.quantile(elsewhere.sure, 1 - DECIDED_SHARE) * 1000) / 1000)
    every = said.at(known)
    contradiction = chosen(
        [
            Said(float(sure), is_wrong=not near, patient=picture.patient)
            for sure, near, picture in zip(every.sure, every.near, every.pictures, strict=True)
        ],
        CONTRADICTED_LEAST,
        CONTRADICTED_SHARE_MAX,
    )
    reached = f"{DECIDED_SHARE:.0%} of {len(elsewhere.sure)} held-out pictures of other hospitals"
    return with_thresholds(
        warm,
        {
            "label": Chosen(label, f"{reached} reach it"),
            "known": Chosen(round(label / 2, 3), "half of what a label needs"),
            "contradiction": contradiction,
        },
    )


def part_figures(card: ModelCard, found: Scored[Radiograph], sources: frozenset[str]) -> Figures:
    """Return the figures of `body_part`."""
    said = answers(card, found)
    least = card.threshold("label")
    known = np.asarray(said.truth.any(axis=1), bool)
    elsewhere = np.asarray([is_elsewhere(p, sources) for p in said.pictures])
    is_chest = np.asarray([p.id.startswith("chest/") for p in said.pictures])
    home = np.asarray([p.source == "unifesp" for p in said.pictures])
    groups = {
        "other hospitals, without the chest sets": known & elsewhere & ~is_chest,
        "other hospitals": known & elsewhere,
        "new patients of the hospital of most pictures": known & home,
        "all held out": known,
    }
    for source in sorted({p.source for p, has in zip(said.pictures, known, strict=True) if has}):
        groups[f"source: {source}"] = known & np.asarray(
            [p.source == source for p in said.pictures]
        )
    return {
        "pictures": {name: of_group(said.at(mask), least) for name, mask in groups.items()},
        "F1, other hospitals": class_figures(card, said.at(known & elsewhere)),
        "F1, all held out": class_figures(card, said.at(known)),
        "rejected": rejected(card, said, least),
    }


def of_group(said: Answers, least: float) -> Figures:
    """Return the figures of one group of pictures with known parts."""
    decided = said.sure >= least
    return {
        "n": len(said.sure),
        "patients": len({picture.patient for picture in said.pictures}),
        "best part right": wilson(int(said.right.sum()), len(said.right)),
        "right or touching": wilson(int(said.near.sum()), len(said.near)),
        "decided": wilson(int(decided.sum()), len(decided)),
        "right when decided": wilson(int(said.right[decided].sum()), int(decided.sum())),
        "right or touching when decided": wilson(int(said.near[decided].sum()), int(decided.sum())),
    }


def class_figures(card: ModelCard, said: Answers) -> Figures:
    """Return F1 of each part with enough test pictures, and their mean."""
    scores: dict[str, list[float]] = {}
    for at, label in enumerate(card.labels):
        count = int(said.truth[:, at].sum())
        if count < CLASS_COUNT_MIN:
            continue
        hits = int((said.right & (said.best == at)).sum())
        missed = int((said.truth[:, at] & ~said.right).sum())
        alarms = int((~said.right & (said.best == at)).sum())
        scores[label] = [round(2 * hits / max(1, 2 * hits + missed + alarms), 3), count]
    mean = float(np.mean([each[0] for each in scores.values()])) if scores else 0.0
    return {"macro F1": round(mean, 4), "F1 and n": scores}


def rejected(card: ModelCard, said: Answers, least: float) -> Figures:
    """Return which share of pictures without a known part stays undecided, by kind."""
    kinds: Mapping[str, list[float]] = defaultdict(list)
    for picture, sure, truth in zip(said.pictures, said.sure, said.truth, strict=True):
        if truth.any():
            continue
        is_slice = picture.id.startswith("volumes")
        name = f"slices of {picture.modality} volumes" if is_slice else picture.source
        kinds[name].append(float(sure))
    asked = Interpreter(card)
    random = np.random.default_rng(DRAWN_SEED)
    for name, drawn in KINDS.items():
        squares = [
            radiograph_tensor(drawn(random, 192), size=card.size) for _ in range(DRAWN_COUNT)
        ]
        best = sigmoid(asked.scores(np.stack(squares)), card.temperature).max(axis=1)
        kinds[f"drawn: {name}"].extend(best.tolist())
    return {
        name: wilson(sum(value < least for value in values), len(values))
        for name, values in sorted(kinds.items())
    }


def labelled(found: Scored[Radiograph]) -> Scored[Radiograph]:
    """Return the pictures that have a label of the target."""
    return found.at([at for at, example in enumerate(found.examples) if example.labels])


def single_figures(card: ModelCard, found: Scored[Radiograph], sources: frozenset[str]) -> Figures:
    """Return the figures of a target of which one label is right (`view`, `laterality`)."""
    published = found.published()
    every = exclusive(card, published.logits)
    shares, known = every.labels, every.known >= card.threshold("known", 0.0)
    truth = truth_of(card, published.examples)
    best = np.asarray(shares.argmax(axis=1), np.intp)
    rows = np.arange(len(best))
    right, decided = truth[rows, best], known & (shares[rows, best] >= card.threshold("label"))
    groups = defaultdict(list)
    for at, picture in enumerate(published.examples):
        if not picture.labels:
            is_slice = picture.id.startswith("volumes")
            name = "slices of volumes" if is_slice else picture.source
            groups[f"without a label: {name}"].append(at)
            continue
        place = "other hospitals" if is_elsewhere(picture, sources) else "hospitals of the fit"
        groups[place].append(at)
        groups[f"{place}, {' or '.join(picture.labels)}"].append(at)
        if "CHEST" in picture.parts:
            groups[f"{place}, chests, {' or '.join(picture.labels)}"].append(at)
        groups[f"source: {picture.source}"].append(at)
    return {
        name: {
            "n": len(at),
            "patients": len({published.examples[each].patient for each in at}),
            "right": wilson(int(right[at].sum()), len(at)),
            "decided": wilson(int(decided[at].sum()), len(at)),
            "right when decided": wilson(int(right[at][decided[at]].sum()), int(decided[at].sum())),
        }
        for name, at in sorted(groups.items())
    }
