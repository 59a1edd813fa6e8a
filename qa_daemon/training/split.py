"""Who may be trained on, who is kept for figures, and in which fold everybody lies.

In: examples. Out: divisions by patient and source that are the same on every machine. Patients of
`exclude_from_training.csv` are never yielded.
"""

import csv
import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Generic

from attrs import frozen

from qa_daemon.errors import InputError
from qa_daemon.training.licences import is_open
from qa_daemon.training.recipe import E, Example, HeldOut, Licences, Recipe

EXCLUSIONS: Final = "exclude_from_training.csv"
#: Names the draw of those that are watched while fitting, apart from the draw of the held-out.
WATCHED_DRAW: Final = "watched"


@frozen(eq=False)
class Split(Generic[E]):
    """Examples for fitting, and those of patients and sources that fitting never sees."""

    training: tuple[E, ...]
    held_out: tuple[E, ...]


@frozen
class Excluded:
    """Who must not be trained on: files, and patients wherever else they turn up."""

    files: frozenset[str]
    patients: frozenset[str]

    def bars(self, example: Example) -> bool:
        """Whether the example comes from a file or of a patient of the list."""
        return (
            example.id.partition("#")[0] in self.files
            or example.patient.rpartition("|")[2] in self.patients
        )


def excluded(data: Path) -> Excluded:
    """Read `exclude_from_training.csv`; a data folder without it is refused."""
    path = data / EXCLUSIONS
    if not path.is_file():
        raise InputError(f"{path.name}: not found in the data folder; training needs the list")
    with path.open(newline="", encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    return Excluded(
        frozenset(row["file"] for row in rows), frozenset(row["patient"] for row in rows)
    )


def usable(recipe: Recipe[E], data: Path, licences: Licences) -> tuple[E, ...]:
    """Return the examples of a data folder that may be used, of permitted licences only.

    Raises
    ------
    InputError
        If the folder has no exclusion list, or holds nothing that may be used.
    """
    barred = excluded(data)
    found = tuple(
        example
        for example in recipe.examples(data)
        if not barred.bars(example) and (licences is Licences.ALL or is_open(example.licence))
    )
    if not found:
        raise InputError(
            f"{recipe.target}: the data folder holds no usable picture with "
            f"{'an open' if licences is Licences.OPEN else 'any'} licence; see its README"
        )
    return found


def split(examples: Sequence[E], rule: HeldOut) -> Split[E]:
    """Divide by group, and keep whole sources out: the same patients on every machine.

    What may not be measured, such as synthetic pictures, is in neither part for held-out groups.
    """
    return _divided(examples, [is_held_out(example, rule) for example in examples])


def is_held_out(example: Example, rule: HeldOut) -> bool:
    """Whether fitting must not see the example: its source is held out, or its patient drawn.

    A source that names no patients is fitted on as a whole unless it is held out as a whole.
    """
    if example.source in rule.sources:
        return True
    return example.patient_known and place(example.patient, rule.draw) < rule.share


def watched(examples: Sequence[E], share: float) -> Split[E]:
    """Set some of the fitted groups aside, to see when fitting should stop."""
    chosen = {e.group for e in examples if place(e.group, WATCHED_DRAW) < share}
    return Split(
        tuple(e for e in examples if e.group not in chosen),
        tuple(e for e in examples if e.group in chosen),
    )


def folds(examples: Sequence[E], count: int) -> tuple[Split[E], ...]:
    """Divide into folds: each group is held out in one of them, and fitted on in the others.

    A group lies in the same fold for every target, as one model may build on the fit of another;
    only where so few leave a fold empty are they dealt out.

    Raises
    ------
    InputError
        If there are fewer groups than folds.
    """
    groups = sorted({example.group for example in examples}, key=lambda name: place(name, "folds"))
    if len(groups) < count:
        raise InputError(f"{len(groups)} patients: too few for {count} folds; label more patients")
    dealt = {name: int(place(name, "folds") * count) for name in groups}
    if len(set(dealt.values())) < count:
        dealt = {name: at % count for at, name in enumerate(groups)}
    return tuple(
        _divided(examples, [dealt[example.group] == fold for example in examples])
        for fold in range(count)
    )


def without_source(examples: Sequence[E], sources: frozenset[str]) -> Split[E]:
    """Hold whole sources out."""
    return _divided(examples, [example.source in sources for example in examples])


def weighted(examples: Sequence[E]) -> tuple[E, ...]:
    """Return the examples to be fitted on, each as often as it weighs."""
    return tuple(example for example in examples for _ in range(example.weight))


def _divided(examples: Sequence[E], held_out: Sequence[bool]) -> Split[E]:
    pairs = list(zip(examples, held_out, strict=True))
    return Split(
        tuple(example for example, is_out in pairs if not is_out),
        tuple(example for example, is_out in pairs if is_out and example.origin.is_measured),
    )


def place(name: str, draw: object) -> float:
    """Return where a name falls between 0 and 1 in a draw, by SHA-256."""
    digest = hashlib.sha256(f"{draw}|{name}".encode()).digest()
    return int.from_bytes(digest[:4]) / 2**32
