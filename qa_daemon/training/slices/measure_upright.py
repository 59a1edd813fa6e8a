"""Regions of sagittal and coronal slices: which labels may be accepted, how often they are wrong.

In: scored slices and radiographs that fitting never saw. Out: a calibrated card and its figures. A
label gets a threshold only if enough held-out patients show it; the others are never accepted.
Of what may or may not be in view nothing is asked.
"""

from collections import defaultdict
from collections.abc import Sequence
from typing import Final

import numpy as np
from attrs import evolve
from numpy.typing import NDArray

from qa_daemon.predict.calibrate import sigmoid
from qa_daemon.predict.catalog import UNDECIDED, ModelCard
from qa_daemon.predict.heads.labels import multi_label_predictions
from qa_daemon.predict.heads.outputs import Outputs, Subject, independent
from qa_daemon.predict.interpreter import Interpreter
from qa_daemon.records.prediction import Prediction
from qa_daemon.training.figures.calibration import best_temperature
from qa_daemon.training.figures.intervals import Said, patient_weights, threshold, wilson
from qa_daemon.training.figures.strangers import no_anatomy
from qa_daemon.training.recipe import Calibrated, Figures, Scored
from qa_daemon.training.slices.datasets import REGIONS, LabelledSlice
from qa_daemon.training.slices.measure import CORRELATION, SERIES_SLICES_MAX
from qa_daemon.training.slices.reformats import SYNTHETIC

#: No label is accepted below this.
LABEL_MIN: Final = 0.8
#: A label that fewer held-out patients show has no threshold that means anything.
PATIENTS_MIN: Final = 3
#: A picture that is surer than this to be none of the regions is not known.
KNOWN_MIN: Final = 0.7


def calibrated_uprights(card: ModelCard, found: Scored[LabelledSlice]) -> Calibrated:
    """Return the card with its temperature, and a threshold for each label that can have one."""
    truth, told = _truth(found.examples), _told(found.examples)
    weights = patient_weights(found.examples)[:, None]
    logits = found.logits[:, : len(REGIONS)]

    def surprise(temperature: float) -> float:
        own = np.clip(sigmoid(logits, temperature), 1e-6, 1 - 1e-6)
        return float(-(weights * told * np.log(np.where(truth, own, 1 - own))).mean())

    warm = evolve(card, temperature=best_temperature(surprise), correlation=CORRELATION)
    every = independent(warm, found.logits)
    thresholds, how = {"known": KNOWN_MIN}, {"known": "set by hand"}
    for at, region in enumerate(REGIONS):
        rows = zip(every.labels[:, at], truth[:, at], every.known, found.examples, strict=True)
        said = [
            Said(float(own), is_wrong=not right, patient=item.patient)
            for own, right, known, item in rows
            if region not in item.regions_open and known >= KNOWN_MIN and own >= LABEL_MIN
        ]
        shown = {
            item.patient
            for item, right in zip(found.examples, truth[:, at], strict=True)
            if right and not _is_film(item)
        }
        is_told = len(shown) >= PATIENTS_MIN
        value = threshold(said, LABEL_MIN) if is_told else UNDECIDED
        wrong = sum(each.is_wrong and each.probability >= value for each in said)
        thresholds[f"label:{region}"] = value
        how[f"label:{region}"] = (
            f"held-out patients, radiographs and variants: at most 0.3 % accepted and wrong, each "
            f"patient counting once; borne {wrong} of {len(said)}; floor {LABEL_MIN}"
            if is_told
            else f"never accepted: {len(shown)} held-out patients show it in CT or MR"
        )
    return Calibrated(evolve(warm, thresholds=thresholds), how)


def upright_regions(card: ModelCard, found: Scored[LabelledSlice]) -> Figures:
    """Return figures of single pictures and series by what they show, and of no anatomy."""
    return {
        **accepted_by_group(card, found.published()),
        "no anatomy": {
            name: {"n": len(each), "any label accepted": _accepted(card, np.stack(each))}
            for name, each in no_anatomy(card.size).items()
        },
    }


def accepted_by_group(card: ModelCard, found: Scored[LabelledSlice]) -> Figures:
    """Return how often labels are accepted that are there, and that are not, by group."""
    groups: dict[str, list[tuple[LabelledSlice, Prediction]]] = defaultdict(list)
    for at, item in enumerate(found.examples):
        said = _said(card, found, (at,))
        for name in _groups(item):
            groups[f"single pictures, {name}"].append((item, said))
    for chosen in _series(found.examples):
        item = found.examples[chosen[0]]
        for name in _groups(item):
            groups[f"series, {name}"].append((item, _said(card, found, chosen)))
    return {name: _shares(pairs) for name, pairs in sorted(groups.items())}


def _truth(items: Sequence[LabelledSlice]) -> NDArray[np.bool_]:
    return np.asarray([[region in item.regions for region in REGIONS] for item in items], bool)


def _told(items: Sequence[LabelledSlice]) -> NDArray[np.bool_]:
    return np.asarray(
        [[region not in item.regions_open for region in REGIONS] for item in items], bool
    )


def _is_film(item: LabelledSlice) -> bool:
    return item.modality not in ("CT", "MR")


def _groups(item: LabelledSlice) -> tuple[str, ...]:
    if _is_film(item):
        kind = "radiographs"
    else:
        kind = "reformatted" if item.source.endswith(SYNTHETIC) else "published"
    regions = "+".join(item.regions) or "no region"
    return (kind, f"{kind}: {item.plane} {regions}", f"{kind}: {item.source}")


def _said(card: ModelCard, found: Scored[LabelledSlice], chosen: Sequence[int]) -> Prediction:
    subjects = tuple(Subject("", index + 1) for index in chosen)
    return multi_label_predictions(Outputs(card, subjects, found.logits[list(chosen)]))[0]


def _series(items: Sequence[LabelledSlice]) -> list[list[int]]:
    series: dict[str, list[int]] = defaultdict(list)
    for index, item in enumerate(items):
        if not _is_film(item):
            series[f"{item.patient}|{item.series}"].append(index)
    spreads = []
    for members in series.values():
        at = np.linspace(0, len(members) - 1, min(SERIES_SLICES_MAX, len(members)))
        spreads.append([members[round(place)] for place in at])
    return spreads


def _shares(pairs: Sequence[tuple[LabelledSlice, Prediction]]) -> Figures:
    accepted = [(item, set(said.labels or ())) for item, said in pairs]
    wrong = [item for item, labels in accepted if labels - {*item.regions} - item.regions_open]
    return {
        "n": len(pairs),
        "patients": len({item.patient for item, _ in pairs}),
        "a region that is there accepted": wilson(
            sum(bool(labels & {*item.regions}) for item, labels in accepted), len(pairs)
        ),
        "a region that is not there accepted": wilson(len(wrong), len(pairs)),
    }


def _accepted(card: ModelCard, pictures: NDArray[np.float32]) -> int:
    logits = Interpreter(card).scores(pictures)
    subjects = tuple(Subject("", number) for number in range(1, len(pictures) + 1))
    said = multi_label_predictions(Outputs(card, subjects, logits))[1:]
    return sum(not each.abstained for each in said)
