"""`qa-daemon queue`: findings that wait for a person."""

import argparse
import json
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from qa_daemon.cli import tables
from qa_daemon.cli.opened import opened, settings_of
from qa_daemon.errors import ConfigurationError
from qa_daemon.pipeline.reports import write_report
from qa_daemon.records.finding import Severity
from qa_daemon.report.as_json import finding_as_json
from qa_daemon.report.summary import SeriesReport
from qa_daemon.series.assemble import assemble
from qa_daemon.store import instance_rows, result_rows
from qa_daemon.store.database import Store
from qa_daemon.store.result_rows import FindingFilter, FindingRow

# An export that takes more than this is a job for the report folder itself.
EXPORT_MAX = 100_000


def list_findings(options: argparse.Namespace) -> int:
    """List findings above info, or from `--severity` on, the worst first."""
    least = Severity[options.severity.upper()] if options.severity else Severity.MINOR
    with opened(settings_of(options)) as store:
        rows = result_rows.finding_list(store, FindingFilter(severity_min=least), options.limit)
    if options.json:
        print(json.dumps([_as_json(row) for row in rows]))
        return 0
    if not rows:
        print("Nothing waits: no finding above info.")
        return 0
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("id", "severity", "rule", "what is wrong", "sure", "", "from", "age", "state"):
        table.add_column(name, overflow="fold", no_wrap=name in {"id", "severity", "rule", "age"})
    now = datetime.now(UTC)
    for row in rows:
        finding = row.finding
        table.add_row(
            str(row.id),
            Text(finding.severity.word, style=tables.STYLES[finding.severity]),
            finding.rule,
            tables.printable(finding.message),
            "" if finding.confidence is None else f"{finding.confidence:.0%}",
            tables.printable(row.modality),
            tables.printable(row.calling_ae) or "folder",
            age(now - row.created_at),
            "" if row.state is None else row.state.value,
        )
    Console(highlight=False).print(table)
    return 0


def show_finding(options: argparse.Namespace) -> int:
    """Show one finding with its evidence and every suggestion."""
    with opened(settings_of(options)) as store:
        row = _named(store, options.id)
    if options.json:
        print(json.dumps(_as_json(row)))
        return 0
    console = Console(highlight=False)
    finding = row.finding
    console.print(tables.finding_block(finding))
    facts = Table(box=None, pad_edge=False, show_header=False)
    facts.add_column(style="dim")
    facts.add_column(overflow="fold")
    for name, value in (
        ("study", row.study_instance_uid),
        ("series", row.series_instance_uid),
        ("series key", row.series_key),
        ("revision", str(row.revision)),
        *finding.evidence.items(),
    ):
        facts.add_row(name, tables.printable(value))
    console.print(facts)
    for suggestion in finding.alternatives:
        console.print("or")
        console.print(tables.suggestion_table(suggestion))
    return 0


def export(options: argparse.Namespace) -> int:
    """Write the suggestion files of the series that have findings above info."""
    settings = settings_of(options)
    with opened(settings) as store:
        wanted = FindingFilter(severity_min=Severity.MINOR)
        rows = (
            tuple(_named(store, each) for each in options.id)
            if options.id
            else result_rows.finding_list(store, wanted, EXPORT_MAX)
        )
        subjects = sorted({(row.series_key, row.revision) for row in rows if row.series_key})
        for key, revision in subjects:
            _export(store, key, revision, options.folder)
    print(f"{len(subjects)} series written to {options.folder}")
    return 0


def age(since: timedelta) -> str:
    """Return how long ago something was, in the greatest unit that fits."""
    seconds = int(since.total_seconds())
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return f"{max(seconds, 0)} s"


def _export(store: Store, key: str, revision: int, folder: Path) -> None:
    result = result_rows.result_of(store, key, revision)
    verdict = result_rows.verdict_of(store, key, revision)
    if result is None or result.inference is None or verdict is None:
        return
    series = assemble(instance_rows.instances_of(store, key, revision), revision)
    report = SeriesReport(series, result.inference, verdict)
    write_report(folder, report, rules=result.rule_pack, version=version("qa-daemon"))


def _named(store: Store, number: int) -> FindingRow:
    row = result_rows.finding_row(store, number)
    if row is None:
        raise ConfigurationError(f"{number}: no finding has this id; see: qa-daemon queue list")
    return row


def _as_json(row: FindingRow) -> dict[str, object]:
    return {
        "id": row.id,
        "series_key": row.series_key,
        "study_instance_uid": row.study_instance_uid,
        "series_instance_uid": row.series_instance_uid,
        "modality": row.modality,
        "calling_ae": row.calling_ae,
        "revision": row.revision,
        "created_at": row.created_at.isoformat(),
        "state": row.state,
        "finding": finding_as_json(row.finding),
    }
