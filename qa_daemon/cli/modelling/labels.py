"""`qa-daemon export-labels`: what people decided, as labelled pictures that a training can read.

Per target a folder with `labels.csv` and one small DICOM object per frame (`anonymous`). What a
person accepted is the model's own voice, and marked so; what a person rejected is labelled by the
tags, which the person upheld. Pictures of several regions at once are left out: one label for the
series is none for the slice.
"""

import argparse
import csv
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Final

from attrs import define, field, frozen
from pydicom.dataset import Dataset

from qa_daemon.cli import tables
from qa_daemon.cli.modelling.anonymous import Shown, anonymous, may_show_text
from qa_daemon.cli.opened import opened, settings_of
from qa_daemon.config.packs import models_folder
from qa_daemon.config.settings import Settings
from qa_daemon.dicom.regions import regions_of
from qa_daemon.errors import ConfigurationError
from qa_daemon.geometry.cosines import Fault, read_cosines
from qa_daemon.geometry.orientation import expected_class
from qa_daemon.grounds.rulebook import rules_in_force
from qa_daemon.pipeline.standing import wanted_models
from qa_daemon.pixels.choose import Chosen, Known, choose_frames
from qa_daemon.predict.catalog import Catalog, ModelCard, load_catalog
from qa_daemon.predict.client import Predictor
from qa_daemon.records.element import first_text
from qa_daemon.records.instance import Instance, Plane
from qa_daemon.records.prediction import Prediction
from qa_daemon.records.series import Series
from qa_daemon.records.states import SuggestionState
from qa_daemon.rules.schema import RulePack
from qa_daemon.series.assemble import assemble
from qa_daemon.spool.spool import Spool
from qa_daemon.store import instance_rows, result_rows
from qa_daemon.store.database import Store
from qa_daemon.store.result_rows import FindingFilter
from qa_daemon.telemetry.facts import Pseudonyms

TABLE: Final = "labels.csv"
COLUMNS: Final = ("file", "patient", "labels", "frame", "series", "source", "decision")
#: The body is a part of the picture, and a model looks at the body: twice its input is enough.
SIDES_PER_INPUT: Final = 2
DECISIONS_MAX: Final = 1_000_000
_DECIDED: Final = (SuggestionState.ACCEPTED, SuggestionState.EXPORTED, SuggestionState.REJECTED)


class Decision(StrEnum):
    """How a label came to be, as `labels.csv` says it."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"
    AUDIT = "audit"  # judged blind; whoever records such judgements yields them as `Judged`


@frozen
class Judged:
    """What a person decided about the answer of a model."""

    series_key: str
    revision: int
    target: str
    decision: Decision


def judged(store: Store, pack: RulePack) -> Iterator[Judged]:
    """Yield the decisions of the store, one per series and target, contradictions first."""
    wanted = FindingFilter(suggestion_states=_DECIDED)
    found: dict[tuple[str, int, str], Decision] = {}
    for row in result_rows.finding_list(store, wanted, DECISIONS_MAX):
        rule = pack.rules.get(row.finding.rule)
        for need in () if rule is None or not row.series_key else rule.needs:
            key = row.series_key, row.revision, need.prediction
            is_rejected = row.state is SuggestionState.REJECTED
            if is_rejected or key not in found:
                found[key] = Decision.REJECTED if is_rejected else Decision.ACCEPTED
    for (series_key, revision, target), decision in found.items():
        yield Judged(series_key, revision, target, decision)


def labels_of(judgement: Judged, series: Series, said: Prediction | None) -> tuple[str, ...]:
    """Return the labels that a decision gives to the pictures of a series, () for none."""
    if judgement.decision is Decision.ACCEPTED:
        if said is None or said.abstained or said.label is None:
            return ()
        labels = (said.label,) if said.labels is None else said.labels
    else:
        labels = _of_tags(judgement.target, series)
    return labels if len(labels) == 1 else ()


def _of_tags(target: str, series: Series) -> tuple[str, ...]:
    """Return what the tags say, which a person has upheld."""
    text = first_text(series.shared, "BodyPartExamined")
    if target == "body_region":
        return tuple(regions_of(text))
    if target == "body_part":
        return (text.upper(),) if text else ()
    if target == "view":
        return tuple(filter(None, (first_text(series.shared, "ViewPosition").upper(),)))
    if target == "laterality":
        sides = (first_text(series.shared, name) for name in ("ImageLaterality", "Laterality"))
        return tuple(filter(None, sides))[:1]
    return _orientation_of_tags(series) if target == "axial_orientation" else ()


def _orientation_of_tags(series: Series) -> tuple[str, ...]:
    planes = [plane for instance in series.instances for plane in instance.planes]
    found = {_class_of(plane) for plane in planes}
    return tuple(str(each) for each in found if each is not None) if None not in found else ()


def _class_of(plane: Plane) -> int | None:
    cosines = None if plane.orientation is None else read_cosines(plane.orientation.values)
    if cosines is None or isinstance(cosines, Fault):
        return None
    return expected_class(cosines).value


@define
class _Export:
    """The folder as it grows.

    Attributes
    ----------
    decoder
        Opens pixels in a process with limits; it has no models.
    left_out
        Series by the reason why none of their pictures was taken.
    """

    folder: Path
    settings: Settings
    catalog: Catalog
    decoder: Predictor
    rows: dict[str, list[Mapping[str, str]]] = field(factory=lambda: defaultdict(list))
    left_out: Counter[str] = field(factory=Counter)

    def add(self, judgement: Judged, store: Store, spool: Spool) -> None:
        """Write the pictures of one decision."""
        key, revision, target = judgement.series_key, judgement.revision, judgement.target
        instances = instance_rows.instances_of(store, key, revision)
        result = result_rows.result_of(store, key, revision)
        card = self.catalog.of(target)
        if not instances or result is None or result.inference is None or card is None:
            self.left_out["not predicted by a model in force"] += 1
            return
        series = assemble(instances, revision)
        labels = labels_of(judgement, series, result.inference.of(target))
        if not labels or not set(labels) <= set(card.labels):
            self.left_out["no single label of the model"] += 1
            return
        known = Known(target, frozenset(card.modalities), frozenset(card.planes))
        frames = choose_frames(series, self.settings.worker.slices_max, known.wanted)
        clear = [frame for frame in frames if not may_show_text(_instance(series, frame))]
        if not clear:
            self.left_out["may show text"] += 1
        pseudonyms = Pseudonyms.kept_in(self.settings.state)
        patient = (first_text(series.shared, name) for name in ("PatientID", "IssuerOfPatientID"))
        row = {
            "patient": pseudonyms.of("\n".join(patient)),
            "labels": labels[0],
            "frame": "1",
            "series": pseudonyms.of(key),
            "source": "own",
            "decision": judgement.decision.value,
        }
        for frame in clear:
            content = spool.content(_instance(series, frame).source)
            picture = self._picture(content, frame.frame, series.modality, card)
            if picture is not None:
                self._write(target, picture, row)

    def _picture(
        self, content: bytes, number: int, modality: str, card: ModelCard
    ) -> Dataset | None:
        small = self.decoder.shrink(content, number, SIDES_PER_INPUT * card.size)
        if small is None:
            self.left_out["not decodable"] += 1
            return None
        return anonymous(small.picture, Shown(modality, small.spacing))

    def _write(self, target: str, picture: Dataset, row: Mapping[str, str]) -> None:
        place = self.folder / target
        place.mkdir(exist_ok=True)
        name = f"{len(self.rows[target]) + 1:06}.dcm"
        picture.save_as(place / name, enforce_file_format=True)
        self.rows[target].append({"file": name, **row})

    def finish(self) -> None:
        """Write the tables, when all that they name is there."""
        for target, rows in self.rows.items():
            path = self.folder / target / TABLE
            with path.open("w", newline="", encoding="utf-8") as file:
                table = csv.DictWriter(file, COLUMNS)
                table.writeheader()
                table.writerows(rows)


def _instance(series: Series, frame: Chosen) -> Instance:
    uid = frame.sop_instance_uid
    return next(each for each in series.instances if each.sop_instance_uid == uid)


def export_labels(options: argparse.Namespace) -> int:
    """Write the labelled pictures; status 0 though there may be none yet."""
    settings, folder = settings_of(options), options.folder
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ConfigurationError(f"{folder}: is not empty; name a new folder")
    catalog = load_catalog(models_folder(settings), wanted_models(settings))
    with opened(settings) as store, Spool(settings.spool_folder, settings.limits) as spool:
        decisions = sorted(judged(store, rules_in_force(settings)), key=_order)
        if not decisions:
            print("no decision yet: nobody has accepted or rejected a suggestion of a prediction")
            return 0
        folder.mkdir(parents=True, exist_ok=True)
        with Predictor(Catalog(), settings.worker, settings.limits) as decoder:
            export = _Export(folder, settings, catalog, decoder)
            for judgement in decisions:
                export.add(judgement, store, spool)
        export.finish()
    for target, rows in sorted(export.rows.items()):
        counts = Counter(row["decision"] for row in rows)
        said = ", ".join(f"{count} {name}" for name, count in sorted(counts.items()))
        print(f"{target}: {tables.counted(len(rows), 'picture')} ({said}) in {folder / target}")
    for reason, count in sorted(export.left_out.items()):
        print(f"left out, {reason}: {tables.counted(count, 'series')}")
    return 0


def _order(judgement: Judged) -> tuple[str, str]:
    return judgement.target, judgement.series_key
