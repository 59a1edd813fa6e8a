"""Measure a model of slices on patients and sources that fitting never saw, and its thresholds.

In: scored slices, and the models beside it. Out: a calibrated card and its figures. Answers go
through `predict.heads`, so that what is measured is what is served. Intervals are Wilson's, 95 %.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np
from attrs import evolve, frozen
from numpy.typing import NDArray

from qa_daemon.predict.calibrate import sigmoid, softmax
from qa_daemon.predict.catalog import ModelCard
from qa_daemon.predict.heads.labels import multi_label_predictions
from qa_daemon.predict.heads.orientation import orientation_predictions
from qa_daemon.predict.heads.outputs import Outputs, Subject
from qa_daemon.predict.interpreter import Interpreter, turned
from qa_daemon.records.prediction import Prediction
from qa_daemon.training.figures.calibration import best_temperature
from qa_daemon.training.figures.curves import macro_f1
from qa_daemon.training.figures.intervals import Said, patient_weights, threshold, wilson
from qa_daemon.training.figures.strangers import no_anatomy
from qa_daemon.training.recipe import Figures
from qa_daemon.training.recipe import Scored as Pictures
from qa_daemon.training.slices.augment import shown
from qa_daemon.training.slices.datasets import REGIONS, SOURCES_HELD_OUT, LabelledSlice

#: No threshold goes below these, whatever so few validation patients suggest.
TURN_MIN: Final = 0.95
MIRROR_MIN: Final = 0.975
#: A series of any length counts as four independent slices at most: 1 / 0.25. Set by hand; within
#: validation patients the log-odds correlate more (0.5 to 0.6), so series are a little too sure.
CORRELATION: Final = 0.25
#: Chest or abdomen must be this probable on a slice that speaks about the mirror.
ORGANS_MIN: Final = 0.5
#: Nine in ten drawn shapes and all white noise stay below this for every region; set by hand.
KNOWN_MIN: Final = 0.3
#: As many slices per series as the service samples.
SERIES_SLICES_MAX: Final = 10


@frozen(eq=False)
class Scored:
    """Slices with their logits and what the region model says of them.

    `variants` is 0 for the slice as published; the region model is asked of every variant too.
    """

    items: tuple[LabelledSlice, ...]
    pictures: NDArray[np.float32]
    logits: NDArray[np.float32]
    variants: NDArray[np.intp]
    regions: tuple[Prediction, ...] = ()

    def at(self, chosen: Iterable[int]) -> "Scored":
        """Return some of the slices, by index."""
        kept = list(chosen)
        return Scored(
            tuple(self.items[index] for index in kept),
            self.pictures[kept],
            self.logits[kept],
            self.variants[kept],
            tuple(self.regions[index] for index in kept) if self.regions else (),
        )

    def published(self) -> "Scored":
        """Return the slices as published, without the variants."""
        return self.at(np.flatnonzero(self.variants == 0).tolist())


def scored(found: Pictures[LabelledSlice], regions: ModelCard | None) -> Scored:
    """Return scored slices with what the region model, where one is given, says of each."""
    return Scored(
        found.examples,
        found.pictures,
        found.logits,
        found.variants,
        region_answers(regions, found.pictures) if regions else (),
    )


def axial(found: Pictures[LabelledSlice]) -> Pictures[LabelledSlice]:
    """Return the axial ones; the others must get no orientation."""
    return found.at([at for at, item in enumerate(found.examples) if item.plane == "axial"])


def region_answers(card: ModelCard, pictures: NDArray[np.float32]) -> tuple[Prediction, ...]:
    """Return what the region model says of each picture, as frames counted from 1."""
    logits = Interpreter(card).scores(pictures)
    subjects = tuple(Subject("", number) for number in range(1, len(pictures) + 1))
    return multi_label_predictions(Outputs(card, subjects, logits))[1:]


def answers(card: ModelCard, found: Scored) -> tuple[Prediction, ...]:
    """Return the orientation of each picture on its own."""
    return tuple(voted(card, found, (index,)) for index in range(len(found.items)))


def voted(card: ModelCard, found: Scored, chosen: Sequence[int]) -> Prediction:
    """Return the orientation of some pictures as one series."""
    subjects = tuple(Subject("", index + 1) for index in chosen)
    regions = [
        evolve(found.regions[index], sop_instance_uid="", frame=index + 1) for index in chosen
    ]
    return orientation_predictions(Outputs(card, subjects, found.logits[list(chosen)]), regions)[0]


def calibrated_regions(card: ModelCard, found: Scored) -> ModelCard:
    """Return the card with the temperature that makes region probabilities most likely."""
    truth = np.asarray([[region in item.regions for region in REGIONS] for item in found.items])
    weights = patient_weights(found.items)[:, None]

    def surprise(temperature: float) -> float:
        shares = np.clip(sigmoid(found.logits, temperature), 1e-6, 1 - 1e-6)
        return float(-(weights * np.log(np.where(truth, shares, 1 - shares))).mean())

    return evolve(
        card,
        temperature=best_temperature(surprise),
        correlation=CORRELATION,
        thresholds={"label": 0.5, "known": KNOWN_MIN},
    )


def calibrated_orientation(card: ModelCard, found: Scored) -> ModelCard:
    """Return the card with temperature and thresholds chosen on validation patients."""
    weights = patient_weights(found.items)
    sided = np.asarray([item.is_sided for item in found.items])

    def surprise(temperature: float) -> float:
        shares = softmax(found.logits, temperature)
        right = np.where(sided, shares[:, 0], shares[:, 0] + shares[:, 4])
        return float(-(weights * np.log(np.clip(right, 1e-9, 1))).mean())

    open_to_all = {
        "turn": 0.0,
        "turn_slice": 0.0,
        "mirror": 0.0,
        "mirror_slice": 0.0,
        "organs": ORGANS_MIN,
        "known": KNOWN_MIN,
    }
    warm = evolve(
        card,
        temperature=best_temperature(surprise),
        correlation=CORRELATION,
        thresholds=open_to_all,
    )
    turns: list[Said] = []
    sides: list[Said] = []
    published: list[Said] = []
    for said, item, variant in zip(answers(warm, found), found.items, found.variants, strict=True):
        assert said.turn is not None
        assert said.mirror is not None
        if not said.turn.abstained:
            turns.append(Said(said.turn.probability, said.turn.value != 0, item.patient))
        if not said.mirror.abstained and item.mirror_verified:
            sides.append(Said(said.mirror.probability, bool(said.mirror.value), item.patient))
            published += sides[-1:] if variant == 0 else []
    turn = threshold(turns, TURN_MIN)
    # No real slice as published may be decided wrongly, however few patients that is.
    mirror = max(threshold(sides, MIRROR_MIN), threshold(published, MIRROR_MIN, 0.0))
    chosen = {
        **open_to_all,
        "turn": TURN_MIN,
        "turn_slice": turn,
        "mirror": MIRROR_MIN,
        "mirror_slice": mirror,
    }
    return evolve(warm, thresholds=chosen)


def orientation_figures(card: ModelCard, found: Scored) -> Figures:
    """Return what the card says about `axial_orientation`."""
    published = found.published()
    groups: dict[str, list[tuple[LabelledSlice, Prediction]]] = defaultdict(list)
    for item, answer in zip(published.items, answers(card, published), strict=True):
        kind = _kind(item)
        where = f"{item.modality} {'+'.join(item.regions) or 'between regions'}"
        for name in ("all", kind, f"{kind}: {where}", f"source: {item.source}"):
            groups[name].append((item, answer))
    stressed = list(zip(found.items, answers(card, found), strict=True))
    return {
        "single slices": {name: _slices(pairs) for name, pairs in sorted(groups.items())},
        "single slices, random field, window, table and noise": _slices(stressed),
        "series": _series(card, published),
    }


def outsider_figures(
    card: ModelCard, regions: ModelCard, others: Sequence[LabelledSlice]
) -> Figures:
    """Return how often pictures that are no axial slices are decided, by kind."""
    kinds = no_anatomy(card.size)
    for plane in ("sagittal", "coronal"):
        kinds[f"{plane}, if no tag said so"] = [
            shown(item, card.size) for item in others if item.plane == plane
        ]
    return {name: _decided(card, regions, np.stack(each)) for name, each in kinds.items() if each}


def region_figures(card: ModelCard, found: Scored) -> Figures:
    """Return what the card says about `body_region`."""
    published = found.published()
    shares = sigmoid(published.logits, card.temperature)
    groups: dict[str, list[tuple[bool, bool]]] = defaultdict(list)
    confusion = np.zeros((len(REGIONS), len(REGIONS)), int)
    for item, own in zip(published.items, shares, strict=True):
        best = REGIONS[int(own.argmax())]
        accepted = {REGIONS[at] for at in np.flatnonzero(own >= card.threshold("label"))}
        marks = (best in item.regions, accepted == set(item.regions))
        where = f"{item.modality} {item.plane} {'+'.join(item.regions)}"
        groups[f"{_kind(item)}: {where}"].append(marks)
        if item.plane == "axial":
            groups[f"{_kind(item)}, axial"].append(marks)
            groups["all, axial"].append(marks)
            if len(item.regions) == 1:
                confusion[REGIONS.index(item.regions[0]), REGIONS.index(best)] += 1
    figures = {
        name: {
            "n": len(marks),
            "best label right": wilson(sum(mark[0] for mark in marks), len(marks)),
            "labels exactly right": wilson(sum(mark[1] for mark in marks), len(marks)),
        }
        for name, marks in sorted(groups.items())
    }
    table = {region: row.tolist() for region, row in zip(REGIONS, confusion, strict=True)}
    empty = {
        name: {
            "n": len(each),
            "any label accepted": sum(
                not said.abstained for said in region_answers(card, np.stack(each))
            ),
        }
        for name, each in no_anatomy(card.size).items()
    }
    return {
        "single slices": figures,
        "axial, by how the slice lies: best label right": _by_turn(card, published),
        "series, 3 slices and more": _region_series(card, published),
        "macro F1, axial": round(macro_f1(confusion), 4),
        "confusion, rows are the truth": table,
        "no anatomy": empty,
    }


def _by_turn(card: ModelCard, found: Scored) -> Figures:
    """Return how often the best label is right on slices turned and mirrored, by orientation."""
    model, items = Interpreter(card), [each for each in found.items if each.plane == "axial"]
    pictures = found.pictures[[each.plane == "axial" for each in found.items]]
    figures: Figures = {}
    for label in range(8):
        best = model.scores(np.ascontiguousarray(turned(pictures, label))).argmax(axis=1)
        right = sum(REGIONS[at] in each.regions for at, each in zip(best, items, strict=True))
        figures[str(label)] = wilson(right, len(items))
    return figures


def _region_series(card: ModelCard, found: Scored) -> Figures:
    """Return figures of whole axial stacks, sampled as the service does."""
    named, within, clear = 0, 0, 0
    stacks = _stacks(found)
    for chosen in stacks:
        subjects = tuple(Subject("", index + 1) for index in chosen)
        said = multi_label_predictions(Outputs(card, subjects, found.logits[chosen]))[0]
        truth = {region for index in chosen for region in found.items[index].regions}
        named += bool(truth & set(said.labels or ()))
        within += truth >= set(said.labels or ())
        clear += max(said.probabilities[region] for region in truth) >= card.threshold("known")
    return {
        "n": len(stacks),
        "names a region that is there": wilson(named, len(stacks)),
        "names none that is not there": wilson(within, len(stacks)),
        "gives every region that is there less than the threshold `known`": len(stacks) - clear,
    }


def _kind(item: LabelledSlice) -> str:
    return "sources held out" if item.source in SOURCES_HELD_OUT else "patients held out"


def _slices(pairs: Sequence[tuple[LabelledSlice, Prediction]]) -> Figures:
    """Return figures of answers about upright, unmirrored pictures."""
    turns = [said.turn for _, said in pairs if said.turn]
    decided = [part for part in turns if not part.abstained]
    sided = [said.mirror for item, said in pairs if item.is_sided and said.mirror]
    decided_sides = [part for part in sided if not part.abstained]
    sideless = [said.mirror for item, said in pairs if item.is_sideless and said.mirror]
    return {
        "n": len(pairs),
        "patients": len({item.patient for item, _ in pairs}),
        "turn right": wilson(sum(part.value == 0 for part in turns), len(turns)),
        "turn decided": wilson(len(decided), len(turns)),
        "turn decided and wrong": sum(part.value != 0 for part in decided),
        "side visible": len(sided),
        "mirror right": wilson(sum(not part.value for part in sided), len(sided)),
        "mirror decided": wilson(len(decided_sides), len(sided)),
        "mirror decided and wrong": sum(bool(part.value) for part in decided_sides),
        "mirror decided where no organ tells": sum(not part.abstained for part in sideless),
    }


def _series(card: ModelCard, found: Scored) -> Figures:
    """Return figures of whole stacks of axial slices, sampled as the service does."""
    pairs = []
    for chosen in _stacks(found):
        sided = [index for index in chosen if found.items[index].is_sided]
        pairs.append((found.items[(sided or chosen)[0]], voted(card, found, chosen)))
    return {
        "3 slices and more": _slices(pairs),
        "of these from held-out sources": _slices(
            [pair for pair in pairs if pair[0].source in SOURCES_HELD_OUT]
        ),
    }


def _stacks(found: Scored) -> list[list[int]]:
    """Return the indices of each axial stack of three slices and more, thinned evenly."""
    stacks: dict[str, list[int]] = defaultdict(list)
    for index, item in enumerate(found.items):
        if item.plane == "axial":
            stacks[item.stack].append(index)
    spreads = []
    for members in stacks.values():
        if len(members) >= 3:
            at = np.linspace(0, len(members) - 1, min(SERIES_SLICES_MAX, len(members)))
            spreads.append([members[round(place)] for place in at])
    return spreads


def _decided(card: ModelCard, regions: ModelCard, pictures: NDArray[np.float32]) -> Figures:
    found = Scored(
        (), pictures, Interpreter(card).scores(pictures), np.zeros(len(pictures), np.intp)
    )
    said = region_answers(regions, pictures)
    found = evolve(found, regions=said)
    parts = [voted(card, found, (index,)) for index in range(len(pictures))]
    return {
        "n": len(parts),
        "turn decided": sum(bool(part.turn and not part.turn.abstained) for part in parts),
        "mirror decided": sum(bool(part.mirror and not part.mirror.abstained) for part in parts),
    }
