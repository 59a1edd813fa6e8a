"""`qa-daemon check`: the whole pipeline over files, without a service."""

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from attrs import evolve
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.text import Text

from qa_daemon.cli import tables
from qa_daemon.cli.checking import collect
from qa_daemon.cli.checking.examination import Checked, Examination
from qa_daemon.cli.checking.ledger import Conditions, Ledger
from qa_daemon.cli.printable import printable
from qa_daemon.config.load import load_settings
from qa_daemon.errors import ConfigurationError
from qa_daemon.intake import archive
from qa_daemon.pipeline.engine import DEFAULT_TARGETS, engine
from qa_daemon.predict.client import Request
from qa_daemon.records.prediction import TARGETS
from qa_daemon.report.as_json import document
from qa_daemon.report.summary import StudyReport, VisitReport

#: Every target of the contract; one without a model answers `model_unavailable`.
ALL_TARGETS: Final = TARGETS


def check(options: argparse.Namespace) -> int:
    """Run `qa-daemon check` and return its exit status."""
    if not options.paths:
        raise ConfigurationError("check: name at least one file, folder or archive, or - for stdin")
    asked = _named_targets(options)
    try:
        checked = _checked(options, asked)
    except Exception:
        if options.json:
            _print_document(Checked())  # for status 2 too (contract, section 2)
        raise
    if options.json:
        _print_document(checked)
    else:
        _print(checked)
    for path in checked.fruitless:
        print(
            f"qa-daemon check: {printable(path)}: missing, or holds no readable object",
            file=sys.stderr,
        )
    return checked.status


def _print(checked: Checked) -> None:
    console = tables.screen()
    for series in checked.series:
        console.print(tables.series_section(series))
    larger: tuple[StudyReport | VisitReport, ...] = (*checked.studies, *checked.visits)
    for report in larger:
        if report.verdict.findings:
            console.print(tables.study_section(report))
    if checked.rejected:
        console.print(tables.rejection_block(checked.rejected))
    console.print(Text(_summary(checked), style="bold"))


def _summary(checked: Checked) -> str:
    """Return the last line, which counts everything."""
    found = tables.tally(checked.findings) or "no findings"
    said = f"{tables.counted(len(checked.series), 'series')}: {found}"
    if checked.rejected:
        said += f"; {tables.counted(len(checked.rejected), 'file')} not taken in"
    return said


def _print_document(checked: Checked) -> None:
    text = document(checked.series, checked.studies, checked.visits, checked.rejected)
    # UTF-8 whatever the terminal's encoding is: the document is for machines (RFC 8259, 8.1).
    sys.stdout.buffer.write(text.encode() + b"\n")


def _named_targets(options: argparse.Namespace) -> tuple[str, ...]:
    """Return the targets that the options name, () for what rules need."""
    if options.predict is None:
        return ()
    if options.predict == "all":
        return ALL_TARGETS
    targets = tuple(name.strip() for name in options.predict.split(",") if name.strip())
    unknown = sorted(set(targets) - set(ALL_TARGETS))
    if unknown or not targets:
        raise ConfigurationError(
            f"--predict: unknown target {', '.join(unknown) or '(none)'}; "
            f"use all, or some of {', '.join(ALL_TARGETS)}"
        )
    return targets


def _request(options: argparse.Namespace, targets: Sequence[str]) -> Request:
    if options.quick:
        targets = tuple(name for name in targets if name in DEFAULT_TARGETS)
    return Request(
        targets=tuple(sorted(set(targets))),
        per_instance=options.per_instance,
        sampled_only=options.quick,
    )


def _checked(options: argparse.Namespace, asked: Sequence[str]) -> Checked:
    settings = load_settings(options.config, overrides={"state": options.state})
    if options.quick:
        settings = evolve(settings, worker=evolve(settings.worker, slices_max=1))
    paths = collect.named_paths(options.paths)
    with (
        tempfile.TemporaryDirectory(prefix="qa-daemon-check-") as unpacked,
        engine(settings) as whole,
        progress_bar() as progress,
    ):
        judges = whole.quick() if options.quick else whole
        request = _request(options, asked or whole.targets)
        conditions = Conditions(
            judges.rules_digest, judges.models_digest, request, settings.worker.slices_max
        )
        bounds = archive.Bounds.of(settings.folder, settings.limits)
        place = collect.Place(Path(unpacked), bounds, settings.limits)
        examination = Examination(
            judges, request, settings.limits, Ledger(options.resume, conditions)
        )
        return examination.checked(paths, place, progress)


def progress_bar() -> Progress:
    """Return the bar on standard error; nothing is drawn where nobody looks."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
        disable=not sys.stderr.isatty(),
    )
