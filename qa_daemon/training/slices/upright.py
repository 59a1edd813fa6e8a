"""Sagittal and coronal slices: what is right for them, thresholds, figures per picture and series.

In: scored slices of one plane, and the models beside them. Out: a calibrated card and its figures.
Answers go through `predict.heads.orientation`. A sagittal slice with a front and a back shows its
mirror; of a coronal one only liver, stomach, spleen or heart do.
"""

from collections import defaultdict
from collections.abc import Sequence
from typing import Final

import numpy as np
from attrs import evolve, frozen
from numpy.typing import NDArray

from qa_daemon.predict.calibrate import softmax
from qa_daemon.predict.catalog import Catalog, ModelCard
from qa_daemon.predict.heads.labels import multi_label_predictions
from qa_daemon.predict.heads.orientation import orientation_predictions, witnesses_of
from qa_daemon.predict.heads.outputs import Outputs, Subject
from qa_daemon.predict.interpreter import Interpreter
from qa_daemon.records.prediction import Prediction
from qa_daemon.training.figures.calibration import best_temperature
from qa_daemon.training.figures.intervals import Said, patient_weights, threshold, wilson
from qa_daemon.training.figures.strangers import no_anatomy
from qa_daemon.training.recipe import Calibrated, Figures, Scored
from qa_daemon.training.slices.augment import shown
from qa_daemon.training.slices.datasets import LabelledSlice
from qa_daemon.training.slices.measure import CORRELATION, MIRROR_MIN, SERIES_SLICES_MAX, TURN_MIN
from qa_daemon.training.slices.reformats import SYNTHETIC

#: What an upright slice is; a mirrored one too where nothing shows the side.
SIDE_KNOWN: Final = ("0",)
SIDE_UNSEEN: Final = ("0", "4")
HOW: Final = {
    "turn": "floor; a series needs it after the vote of its slices",
    "turn_slice": "held-out patients and random variants: at most 0.3 % of answers decided and "
    "wrong, each patient counting once; floor 0.95",
    "mirror": "floor; a series needs it after the vote of its slices",
    "mirror_slice": "as turn_slice, of slices that show their side; floor 0.975",
}


@frozen(eq=False)
class _Answers:
    """Scored slices with what the witnesses of the card say of each."""

    found: Scored[LabelledSlice]
    witnesses: tuple[tuple[Prediction, ...], ...]

    def voted(self, card: ModelCard, chosen: Sequence[int]) -> Prediction:
        """Return the orientation of some slices as one series."""
        subjects = tuple(Subject("", index + 1) for index in chosen)
        outputs = Outputs(card, subjects, self.found.logits[list(chosen)])
        seen = [each[index] for each in self.witnesses for index in chosen]
        return orientation_predictions(outputs, seen)[0]


def calibrated_upright(
    card: ModelCard, found: Scored[LabelledSlice], beside: Catalog
) -> Calibrated:
    """Return the card with temperature and thresholds chosen on held-out slices of its plane."""
    own = _of_plane(card, found)
    weights = patient_weights(own.examples)
    known = np.asarray([item.labels == SIDE_KNOWN for item in own.examples])

    def surprise(temperature: float) -> float:
        shares = softmax(own.logits, temperature)
        right = np.where(known, shares[:, 0], shares[:, 0] + shares[:, 4])
        return float(-(weights * np.log(np.clip(right, 1e-9, 1))).mean())

    open_to_all = dict.fromkeys(HOW, 0.0)
    warm = evolve(
        card,
        temperature=best_temperature(surprise),
        correlation=CORRELATION,
        thresholds=open_to_all,
    )
    answers = _answers(warm, own, beside)
    turns, mirrors = [], []
    for at, item in enumerate(own.examples):
        said = answers.voted(warm, (at,))
        assert said.turn is not None
        assert said.mirror is not None
        if not said.turn.abstained:
            turns.append(Said(said.turn.probability, said.turn.value != 0, item.patient))
        if not said.mirror.abstained and item.labels == SIDE_KNOWN:
            mirrors.append(Said(said.mirror.probability, bool(said.mirror.value), item.patient))
    thresholds = {
        "turn": TURN_MIN,
        "turn_slice": threshold(turns, TURN_MIN),
        "mirror": MIRROR_MIN,
        "mirror_slice": threshold(mirrors, MIRROR_MIN),
    }
    return Calibrated(evolve(warm, thresholds=thresholds), HOW)


def upright_figures(card: ModelCard, found: Scored[LabelledSlice], beside: Catalog) -> Figures:
    """Return figures of single slices and series of the plane, and of what is none of it."""
    published = found.published()
    own = _of_plane(card, published)
    answers = _answers(card, own, beside)
    groups: dict[str, list[tuple[LabelledSlice, Prediction]]] = defaultdict(list)
    for at, item in enumerate(own.examples):
        for name in _groups(item):
            groups[f"single slices, {name}"].append((item, answers.voted(card, (at,))))
    for chosen in _series(own.examples):
        item = own.examples[chosen[0]]
        for name in _groups(item):
            groups[f"series, {name}"].append((item, answers.voted(card, chosen)))
    others = [at for at, item in enumerate(published.examples) if item.plane not in card.planes]
    return {
        **{name: _shares(pairs) for name, pairs in sorted(groups.items())},
        "slices of other planes": _decided(card, _answers(card, published.at(others), beside)),
        "no anatomy, no witness asked": {
            name: _decided(card, _answers(card, _pictures(card, np.stack(each)), beside))
            for name, each in no_anatomy(card.size).items()
        },
    }


def _groups(item: LabelledSlice) -> tuple[str, ...]:
    kind = "reformatted" if item.source.endswith(SYNTHETIC) else "published"
    regions = "+".join(item.regions) or "other"
    return (kind, f"{kind}: {item.modality} {regions}", f"{kind}: {item.source}")


def _of_plane(card: ModelCard, found: Scored[LabelledSlice]) -> Scored[LabelledSlice]:
    """Return the slices that have an answer."""
    return found.at(
        [
            at
            for at, item in enumerate(found.examples)
            if item.plane in card.planes and item.labels in (SIDE_KNOWN, SIDE_UNSEEN)
        ]
    )


def _pictures(card: ModelCard, pictures: NDArray[np.float32]) -> Scored[LabelledSlice]:
    scores = Interpreter(card).scores(pictures)
    return Scored((), pictures, scores, np.zeros(len(pictures), np.intp))


def _answers(card: ModelCard, found: Scored[LabelledSlice], beside: Catalog) -> _Answers:
    """Ask the witnesses of a card that know its planes; of a variant, as of its example."""
    said = []
    subjects = tuple(Subject("", number) for number in range(1, len(found.examples) + 1))
    for witness in witnesses_of(card):
        knowing = [each for each in beside.every(witness.target) if card.planes[0] in each.planes]
        for other in knowing[:1] if subjects else ():
            pictures = np.stack([shown(item, other.size) for item in found.examples])
            logits = Interpreter(other).scores(pictures)
            said.append(multi_label_predictions(Outputs(other, subjects, logits))[1:])
    return _Answers(found, tuple(said))


def _series(items: Sequence[LabelledSlice]) -> list[list[int]]:
    """Return the indices of each series, thinned as the service does."""
    series: dict[str, list[int]] = defaultdict(list)
    for index, item in enumerate(items):
        series[f"{item.patient}|{item.series}"].append(index)
    spreads = []
    for members in series.values():
        at = np.linspace(0, len(members) - 1, min(SERIES_SLICES_MAX, len(members)))
        spreads.append([members[round(place)] for place in at])
    return spreads


def _shares(pairs: Sequence[tuple[LabelledSlice, Prediction]]) -> Figures:
    turns = [said.turn for _, said in pairs if said.turn]
    decided = [part for part in turns if not part.abstained]
    sides = [said.mirror for item, said in pairs if said.mirror and item.labels == SIDE_KNOWN]
    decided_sides = [part for part in sides if not part.abstained]
    unseen = [said.mirror for item, said in pairs if said.mirror and item.labels == SIDE_UNSEEN]
    return {
        "n": len(pairs),
        "patients": len({item.patient for item, _ in pairs}),
        "turn right": wilson(sum(part.value == 0 for part in turns), len(turns)),
        "turn decided": wilson(len(decided), len(turns)),
        "turn decided and wrong": sum(part.value != 0 for part in decided),
        "side visible": len(sides),
        "mirror right": wilson(sum(not part.value for part in sides), len(sides)),
        "mirror decided": wilson(len(decided_sides), len(sides)),
        "mirror decided and wrong": sum(bool(part.value) for part in decided_sides),
        "mirror decided where nothing tells": sum(not part.abstained for part in unseen),
    }


def _decided(card: ModelCard, answers: _Answers) -> Figures:
    parts = [answers.voted(card, (at,)) for at in range(len(answers.found.pictures))]
    return {
        "n": len(parts),
        "turn decided": sum(bool(part.turn and not part.turn.abstained) for part in parts),
        "mirror decided": sum(bool(part.mirror and not part.mirror.abstained) for part in parts),
    }
