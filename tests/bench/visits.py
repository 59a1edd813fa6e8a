"""Visits of one patient, built from real radiographs and their labels, with mistakes planted.

Each picture is a series of its own, filed under an order whose words are a phrase of
`tests/orders/phrases.csv`. What is written in the images follows the order that they are filed
under, right or wrong: the worst case, for the modality copies it from there.
"""

import csv
import hashlib
import random
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from attrs import frozen

from qa_daemon.orders.anatomy import overlap
from qa_daemon.orders.asked import with_regions
from qa_daemon.orders.evidence import statements
from qa_daemon.orders.proposal import Filed
from qa_daemon.records.element import Element
from qa_daemon.records.inference import Inference
from qa_daemon.records.instance import Instance
from qa_daemon.records.order import Order, OrderKey, OrderSource, ScheduledStep
from qa_daemon.records.prediction import Prediction
from qa_daemon.series.assemble import assemble

PHRASES: Final = Path(__file__).resolve().parents[1] / "orders" / "phrases.csv"
#: Labels of the data set, and the terms that they mean.
TERMS: Final = {
    "Abdomen": "ABDOMEN", "Ankle": "ANKLE", "Cervical Spine": "CSPINE", "Chest": "CHEST",
    "Clavicles": "CLAVICLE", "Elbow": "ELBOW", "Feet": "FOOT", "Finger": "FINGER",
    "Forearm": "FOREARM", "Hand": "HAND", "Hip": "HIP", "Knee": "KNEE", "Lower Leg": "LOWERLEG",
    "Lumbar Spine": "LSPINE", "Pelvis": "PELVIS", "Shoulder": "SHOULDER", "Skull": "SKULL",
    "Thigh": "THIGH", "Thoracic Spine": "TSPINE", "Wrist": "WRIST", "Upper Arm": "UPPERARM",
}  # fmt: skip
SIDES: Final = {"left": "L", "right": "R", "both": "B"}
#: Pairs that are mixed up, the brief's first.
PAIRS: Final = (
    ("KNEE", "ANKLE"), ("KNEE", "LOWERLEG"), ("ANKLE", "LOWERLEG"), ("HAND", "WRIST"),
    ("WRIST", "FOREARM"), ("HAND", "FOREARM"), ("CSPINE", "CHEST"), ("KNEE", "HIP"),
    ("FOOT", "ANKLE"), ("SHOULDER", "CHEST"), ("PELVIS", "LSPINE"), ("ABDOMEN", "CHEST"),
    ("ELBOW", "WRIST"), ("SHOULDER", "ELBOW"), ("SKULL", "CSPINE"), ("FINGER", "FOOT"),
)  # fmt: skip


@frozen
class Picture:
    """One radiograph: its file, the parts that it shows, and its side, "" where none is known."""

    file: str
    source: str
    patient: str
    shows: frozenset[str]
    side: str


#: What a model, or a perfect one, says of a picture.
Seer = Callable[[Picture], Inference]


@frozen
class Visit:
    """Series and orders of a day, and for each series the accession that it belongs to."""

    filed: tuple[Filed, ...]
    orders: tuple[Order, ...]
    truth: Mapping[str, str]


def pictures(labels: Path) -> tuple[Picture, ...]:
    """Return the pictures of a label file whose parts all have a term."""
    with labels.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    found = []
    for row in rows:
        parts = row["body_part"].split("|")
        if all(part in TERMS for part in parts):
            shows = frozenset(TERMS[part] for part in parts)
            side = SIDES.get(row["laterality"], "")
            found.append(Picture(row["file"], row["source"], row["patient"], shows, side))
    return tuple(found)


def chosen_on(picture: Picture) -> bool:
    """Whether a picture is of the half of all patients on which the weights were chosen."""
    patient = f"{picture.source}|{picture.patient}".encode()
    return hashlib.sha256(patient).digest()[0] % 2 == 0


def perfect(picture: Picture) -> Inference:
    """Return what a model says that is never wrong and knows what the labels know."""
    seen = Prediction("body_part", "perfect@1", abstained=False, labels=tuple(picture.shows),
                      probabilities={term: float(term in picture.shows)
                                     for term in TERMS.values()})  # fmt: skip
    if not picture.side:
        return Inference((seen,))
    side = Prediction("laterality", "perfect@1", label=picture.side, probability=1.0,
                      abstained=False, probabilities={s: float(s == picture.side)
                                                      for s in ("L", "R", "B")})  # fmt: skip
    return Inference((seen, side))


def phrases() -> Mapping[tuple[str, str], list[str]]:
    """Return descriptions by the one part and side that they name."""
    found: dict[tuple[str, str], list[str]] = defaultdict(list)
    with PHRASES.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if row["regions"] and "|" not in row["regions"]:
                found[(row["regions"], row["sides"])].append(row["text"])
    return found


class Builder:
    """Builds visits from pictures, the same ones for the same seed."""

    def __init__(self, shown: Sequence[Picture], seer: Seer, seed: int) -> None:
        self._random = random.Random(seed)  # noqa: S311  no secret
        self._phrases = phrases()
        self._seer = seer
        self._by_part: dict[str, list[Picture]] = defaultdict(list)
        for picture in shown:
            for part in picture.shows:
                self._by_part[part].append(picture)

    def clean(self) -> Visit:
        """Return a visit of one to four orders in which all is right."""
        first, second = self._random.choice(PAIRS)
        parts = [first, second, *self._random.sample(sorted(self._by_part), 2)]
        parts = list(dict.fromkeys(parts))[: self._random.randint(1, 4)]
        return self._visit([(part, self._taken(part, ())) for part in parts], {})

    def unfinished(self) -> Visit:
        """Return a clean visit of two parts that are mixed up, one of them still to come."""
        first, second = self._random.sample(self._random.choice(PAIRS), 2)
        return self._visit([(first, self._taken(first, ())), (second, [])], {})

    def swapped(self, pair: tuple[str, str]) -> Visit:
        """Return a visit in which two orders have each other's pictures."""
        first, second = self._random.sample(pair, 2)
        chosen = [(first, self._taken(first, (second,))), (second, self._taken(second, (first,)))]
        chosen += [(part, self._taken(part, pair)) for part in self._others(pair)]
        return self._visit(chosen, {0: 1, 1: 0})

    def moved(self, pair: tuple[str, str]) -> Visit:
        """Return a visit in which one order has the pictures of both."""
        first, second = self._random.sample(pair, 2)
        chosen = [(first, self._taken(first, (second,))), (second, self._taken(second, (first,)))]
        return self._visit(chosen, {1: 0})

    def sides_swapped(self) -> Visit:
        """Return a visit in which the left and the right of one part are exchanged."""
        sided = [part for part, shown in self._by_part.items()
                 if {"L", "R"} <= {picture.side for picture in shown}]  # fmt: skip
        part = self._random.choice(sorted(sided))
        left, right = (
            [self._random.choice([p for p in self._by_part[part] if p.side == side])]
            for side in ("L", "R")
        )
        return self._visit([(part, left), (part, right)], {0: 1, 1: 0})

    def _others(self, pair: tuple[str, str]) -> Iterator[str]:
        if self._random.random() < 0.5:
            apart = [part for part in sorted(self._by_part)
                     if not any(overlap(part, each) for each in pair)]  # fmt: skip
            yield self._random.choice(apart)

    def _taken(self, part: str, unlike: Sequence[str]) -> list[Picture]:
        """Return one to three pictures of a part that would not pass for another."""
        options = [
            picture
            for picture in self._by_part[part]
            if not any(overlap(seen, other) >= 0.5 for seen in picture.shows for other in unlike)
        ]
        patient = self._random.choice(sorted({picture.patient for picture in options}))
        own = [picture for picture in options if picture.patient == patient]
        return self._random.sample(own, min(len(own), self._random.randint(1, 3)))

    def _visit(
        self, chosen: Sequence[tuple[str, list[Picture]]], misfiled: Mapping[int, int]
    ) -> Visit:
        orders = [self._order(place, part, shown) for place, (part, shown) in enumerate(chosen)]
        filed, truth = [], {}
        for place, (_, shown) in enumerate(chosen):
            under = misfiled.get(place, place)
            for number, picture in enumerate(shown):
                uid = f"1.2.{place}.{number}"
                truth[uid] = orders[place].key.accession_number
                filed.append(self._filed(uid, picture, orders[under], chosen[under][0]))
        return Visit(tuple(filed), tuple(orders), truth)

    def _order(self, place: int, part: str, shown: Sequence[Picture]) -> Order:
        sides = {picture.side for picture in shown} - {""}
        side = sides.pop() if len(sides) == 1 else "B" * bool(sides)
        texts = self._phrases.get((part, side)) or self._phrases.get((part, "")) or []
        if not side or not texts:  # the side is not known, so any will do
            texts = [text for (region, _), each in self._phrases.items()
                     if region == part for text in each]  # fmt: skip
        return with_regions(
            Order(
                OrderKey(f"A{place}"),
                OrderSource.WORKLIST,
                description=self._random.choice(texts),
                steps=(ScheduledStep(modality="DX"),),
            )
        )

    def _filed(self, uid: str, picture: Picture, under: Order, part: str) -> Filed:
        elements = {
            "Modality": Element("CS", ("DX",)),
            "AccessionNumber": Element("SH", (under.key.accession_number,)),
            "StudyDescription": Element("LO", (under.description,)),
        }
        if self._random.random() < 0.15:
            part = self._random.choice(sorted(self._by_part))
        if self._random.random() < 0.8:
            elements["BodyPartExamined"] = Element("CS", (part,))
        if self._random.random() < 0.6:
            elements["SeriesDescription"] = Element("LO", (under.description,))
        series = assemble([Instance("1.1", uid, f"{uid}.1", "", "", elements)])
        return Filed(uid, "DX", (under.key,), statements(series, self._seer(picture), ()))
