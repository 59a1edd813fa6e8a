"""`qa-daemon check`: the whole pipeline over files, without a service."""

import argparse
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from attrs import define, evolve, field, frozen
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from qa_daemon.cli import tables
from qa_daemon.cli.checking import collect, ledger
from qa_daemon.config.load import load_settings
from qa_daemon.config.settings import Settings
from qa_daemon.dicom.header import read_instance
from qa_daemon.errors import ConfigurationError, InputError
from qa_daemon.intake import archive
from qa_daemon.limits import Limits
from qa_daemon.pipeline.engine import DEFAULT_TARGETS, Engine, engine
from qa_daemon.predict.client import Request
from qa_daemon.records.finding import Finding, Rejection, Severity
from qa_daemon.records.instance import Instance
from qa_daemon.records.series import Series
from qa_daemon.report.as_json import document
from qa_daemon.report.summary import SeriesReport, StudyReport
from qa_daemon.series.assemble import assemble

#: Every target of the contract; one without a model answers `model_unavailable`.
ALL_TARGETS: Final = (
    "axial_orientation", "body_part", "body_region", "chest_opacity", "coronal_orientation",
    "image_kind", "image_quality", "laterality", "plane", "radiograph_orientation",
    "sagittal_orientation", "side_marker", "stack_direction", "view",
)  # fmt: skip
STATUS_CLEAN, STATUS_FINDINGS, STATUS_FAILED = 0, 1, 2


@frozen
class Checked:
    """Everything that one run found out."""

    series: tuple[SeriesReport, ...] = ()
    studies: tuple[StudyReport, ...] = ()
    rejected: tuple[Rejection, ...] = ()
    empty_paths: tuple[str, ...] = ()

    @property
    def findings(self) -> Iterator[Finding]:
        """All findings of all levels."""
        for report in self.series:
            yield from report.verdict.findings
        for study in self.studies:
            yield from study.verdict.findings

    @property
    def status(self) -> int:
        """The exit status (contract, section 2)."""
        if self.empty_paths:
            return STATUS_FAILED
        above_info = any(finding.severity > Severity.INFO for finding in self.findings)
        return STATUS_FINDINGS if above_info else STATUS_CLEAN


@define
class _Gathered:
    instances: dict[tuple[str, str], list[Instance]] = field(factory=dict)
    rejected: list[Rejection] = field(factory=list)
    files: dict[str, Path] = field(factory=dict)
    fruitful: set[str] = field(factory=set)

    def add(self, instance: Instance, item: collect.Found) -> None:
        key = (instance.study_instance_uid, instance.series_instance_uid)
        self.instances.setdefault(key, []).append(instance)
        self.files[item.path] = item.file
        self.fruitful.add(item.named)


def check(options: argparse.Namespace) -> int:
    """Run `qa-daemon check` and return its exit status."""
    if not options.paths:
        print("qa-daemon check: name at least one file, folder or archive", file=sys.stderr)
        return STATUS_FAILED
    try:
        request = _request(options)
        checked = _checked(options, request)
    except (ConfigurationError, InputError):
        if options.json:
            print(document(()))
        raise
    if options.json:
        print(document(checked.series, checked.studies, (), checked.rejected))
    else:
        tables.print_checked(checked.series, checked.studies, checked.rejected)
    for path in checked.empty_paths:
        print(f"qa-daemon check: {path}: missing, or holds no readable object", file=sys.stderr)
    return checked.status


def _request(options: argparse.Namespace) -> Request:
    targets: Sequence[str] = DEFAULT_TARGETS
    if options.predict == "all":
        targets = ALL_TARGETS
    elif options.predict:
        targets = tuple(name.strip() for name in options.predict.split(",") if name.strip())
        unknown = sorted(set(targets) - set(ALL_TARGETS))
        if unknown:
            raise ConfigurationError(
                f"--predict: unknown target {', '.join(unknown)}; use {', '.join(ALL_TARGETS)}"
            )
    if options.quick:
        targets = tuple(name for name in targets if name in DEFAULT_TARGETS)
    return Request(targets=tuple(sorted(targets)), per_instance=options.per_instance)


def _checked(options: argparse.Namespace, request: Request) -> Checked:
    settings = load_settings(options.config, overrides={"state": options.state})
    if options.quick:
        settings = evolve(settings, worker=evolve(settings.worker, slices_max=1))
    paths = collect.named_paths(options.paths)
    with (
        tempfile.TemporaryDirectory(prefix="qa-daemon-check-") as unpacked,
        engine(settings) as bench,
        _progress() as progress,
    ):
        judges = bench.quick() if options.quick else bench
        items = collect.found(
            paths, Path(unpacked), archive.Bounds.of(settings.folder, settings.limits)
        )
        gathered = _gather(items, settings.limits, progress)
        conditions = ledger.Conditions(
            judges.rules_digest, judges.models_digest, request, settings.worker.slices_max
        )
        kept = ledger.Ledger(options.resume, conditions)
        examine = _Examination(judges, request, gathered.files, settings, kept)
        series, studies = examine.all(gathered.instances, progress)
    return Checked(
        series=series,
        studies=studies,
        rejected=tuple(gathered.rejected),
        empty_paths=tuple(dict.fromkeys(p for p in paths if p not in gathered.fruitful)),
    )


def _gather(
    items: Iterable[collect.Found | Rejection], limits: Limits, progress: Progress
) -> _Gathered:
    gathered = _Gathered()
    task = progress.add_task("reading", total=None)
    for item in items:
        if isinstance(item, Rejection):
            gathered.rejected.append(item)
        else:
            outcome = _read(item, limits)
            if isinstance(outcome, Rejection):
                gathered.rejected.append(outcome)
            else:
                gathered.add(outcome, item)
        progress.advance(task)
    return gathered


def _read(item: collect.Found, limits: Limits) -> Instance | Rejection:
    try:
        return read_instance(collect.content_of(item.file, limits), limits, source=item.path)
    except InputError as error:
        reason = getattr(error, "reason", "limit")
        return Rejection(item.path, reason, str(error), getattr(error, "kind", ""))
    except FileNotFoundError:
        return Rejection(item.path, "vanished", "was there a moment ago; run the check again")
    except OSError as error:
        return Rejection(item.path, "unreadable", f"{error.strerror}; check its permissions")
    except Exception as error:  # noqa: BLE001  the edge: one odd file must not end the run
        name = type(error).__name__
        return Rejection(item.path, "unreadable", f"internal error {name}; please report the file")


@define
class _Examination:
    judges: Engine
    request: Request
    files: Mapping[str, Path]
    settings: Settings
    kept: ledger.Ledger

    def all(
        self, instances: Mapping[tuple[str, str], Sequence[Instance]], progress: Progress
    ) -> tuple[tuple[SeriesReport, ...], tuple[StudyReport, ...]]:
        """Assemble and examine every series, study by study."""
        studies: dict[str, list[Series]] = {}
        for (study, _), members in instances.items():
            studies.setdefault(study, []).append(assemble(members))
        task = progress.add_task("examining", total=len(instances))
        reports, of_studies = [], []
        for series in studies.values():
            for one in series:
                siblings = [other for other in series if other is not one]
                reports.append(self._one(one, siblings))
                progress.advance(task)
            of_studies.append(self.judges.examine_study(series))
        return tuple(reports), tuple(of_studies)

    def _one(self, series: Series, siblings: Sequence[Series]) -> SeriesReport:
        sources = [self.files[instance.source] for instance in series.instances]
        return self.kept.recall(series, sources) or self.kept.keep(
            sources, self.judges.examine(series, siblings, self._content, self.request)
        )

    def _content(self, source: str) -> bytes:
        return collect.content_of(self.files[source], self.settings.limits)


def _progress() -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
        disable=not sys.stderr.isatty(),
    )
