"""`qa-daemon queue`: findings that wait for a person."""

import argparse
import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from pathlib import Path
from typing import Final

from attrs import evolve
from rich.table import Table
from rich.text import Text

from qa_daemon.cli import tables
from qa_daemon.cli.modelling.audit import list_sample
from qa_daemon.cli.opened import opened, settings_of
from qa_daemon.cli.printable import printable
from qa_daemon.errors import ConfigurationError
from qa_daemon.pipeline.reports import write_report
from qa_daemon.records.finding import Severity
from qa_daemon.report.as_json import finding_as_json
from qa_daemon.report.summary import SeriesReport
from qa_daemon.series.assemble import assemble
from qa_daemon.store import instance_rows, result_rows
from qa_daemon.store.database import Store
from qa_daemon.store.result_rows import FindingFilter, FindingRow
from qa_daemon.store.review import decision_rows, issue_rows

# An export that takes more than this is a job for the report folder itself.
EXPORT_MAX: Final = 100_000
#: A UID beside it fits a terminal of 80 columns on one line.
FACT_NAME_WIDTH: Final = 14
#: Names of evidence beyond this go on in the next line; values have the rest.
EVIDENCE_NAME_WIDTH: Final = 28


def list_findings(options: argparse.Namespace) -> int:
    """List findings above info, or from `--severity` on, the worst first; or the audit sample."""
    if options.audit:
        return list_sample(options)
    least = Severity[options.severity.upper()] if options.severity else Severity.MINOR
    with opened(settings_of(options)) as store:
        wanted = FindingFilter(severity_min=least, audible_at=datetime.now(UTC), is_open=True)
        if options.issue is not None:
            wanted = FindingFilter(issue_key=named_issue(store, options.issue))
        # A listing leaves suggestions out; people and programs are to see what would change.
        listed = result_rows.finding_list(store, wanted, options.limit)
        rows = [_whole(store, row) for row in listed]
    if options.json:
        print(json.dumps([_as_json(row) for row in rows]))
        return 0
    console = tables.screen()
    if not rows:
        console.print(f"Nothing waits: no finding of severity {least.word} or worse.")
        return 0
    grid = Table.grid(padding=(0, 2), expand=True)
    grid.add_column(style="bold", no_wrap=True, justify="right")
    grid.add_column(no_wrap=True, width=tables.BADGE_WIDTH)
    grid.add_column(ratio=1)
    now = datetime.now(UTC)
    for row in rows:
        grid.add_row(str(row.id), tables.badge(row.finding.severity), _summary(row, now))
    console.print(grid)
    console.print(Text(_footer(rows, options.limit), style="dim"))
    return 0


def _whole(store: Store, row: FindingRow) -> FindingRow:
    """Return a row of a listing with its suggestions, if it has any and is still there."""
    return row if row.state is None else result_rows.finding_row(store, row.id) or row


def named_issue(store: Store, beginning: str) -> str:
    """Return the key of the issue that a person named.

    Raises
    ------
    ConfigurationError
        If there is none, or several begin like this.
    """
    key = issue_rows.issue_key_like(store, beginning) if beginning else None
    if key is None:
        raise ConfigurationError(
            f"issue {beginning!r}: no key, or more than one, begins like this; "
            "see: qa-daemon queue issues --all"
        )
    return key


def _summary(row: FindingRow, now: datetime) -> Text:
    finding = row.finding
    facts = [printable(row.modality), finding.rule]
    if finding.confidence is not None:
        facts.append(f"{finding.confidence:.0%} sure")
    facts += [_came_by(row), f"{age(now - row.created_at)} ago"]
    if row.state is not None:
        facts.append(f"suggestion {row.state.value}")
    text = Text(printable(finding.message))
    if finding.suggestion is not None:
        text.append("\n").append_text(tables.change_line(finding.suggestion))
    return text.append("\n" + " · ".join(filter(None, facts)), "dim")


def _came_by(row: FindingRow) -> str:
    if not row.series_key:
        return f"whole {row.finding.level.value}"
    return f"from {printable(row.calling_ae)}" if row.calling_ae else "from the folder"


def _footer(rows: Sequence[FindingRow], limit: int) -> str:
    found = tables.tally(row.finding for row in rows)
    more = f"; the first {limit}, more with --limit" if len(rows) == limit else ""
    return f"{found}{more}. One of them in full: qa-daemon queue show ID"


def show_finding(options: argparse.Namespace) -> int:
    """Show one finding with its evidence and every suggestion."""
    with opened(settings_of(options)) as store:
        row = finding_named(store, options.id)
        decided = decision_rows.decision_of(store, row.id)
    if options.json:
        print(json.dumps(_as_json(row)))
        return 0
    console = tables.screen()
    finding = row.finding
    console.print(tables.finding_block(evolve(finding, suggestion=None, alternatives=())))
    console.print()
    came = f"{age(datetime.now(UTC) - row.created_at)} ago, {_came_by(row)}"
    facts = (
        ("found", came),
        ("study", row.study_instance_uid),
        ("series", row.series_instance_uid or f"(the whole {row.finding.level.value})"),
        ("series key", row.series_key),
        ("decision", "" if decided is None else decided.decision.in_words),
    )
    console.print(_facts(facts, FACT_NAME_WIDTH))
    if finding.evidence:
        width = min(max(map(len, finding.evidence)), EVIDENCE_NAME_WIDTH)
        console.print()
        console.print(_facts(sorted(finding.evidence.items()), width))
    if finding.suggestion is not None:
        for suggestion in (finding.suggestion, *finding.alternatives):
            title = "suggested" if suggestion is finding.suggestion else "or else"
            console.print()
            console.print(tables.suggestion_block(suggestion, title))
    return 0


def _facts(facts: Iterable[tuple[str, str]], name_width: int) -> Table:
    """Return names with their values; neither is cut."""
    grid = Table.grid(padding=(0, 2), expand=True)
    grid.add_column(style="dim", width=name_width, overflow="fold")
    grid.add_column(ratio=1, overflow="fold")
    for name, value in facts:
        if value:
            grid.add_row(printable(name), printable(value))
    return grid


def export(options: argparse.Namespace) -> int:
    """Write the suggestion files of the series that have findings above info."""
    settings = settings_of(options)
    with opened(settings) as store:
        wanted = FindingFilter(severity_min=Severity.MINOR)
        rows = (
            tuple(finding_named(store, each) for each in options.id)
            if options.id
            else result_rows.finding_list(store, wanted, EXPORT_MAX)
        )
        subjects = sorted({(row.series_key, row.revision) for row in rows if row.series_key})
        for key, revision in subjects:
            _export(store, key, revision, options.folder)
    print(f"the reports of {tables.counted(len(subjects), 'series')} are in {options.folder}")
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


def finding_named(store: Store, number: int) -> FindingRow:
    """Return the finding that a person named.

    Raises
    ------
    ConfigurationError
        If there is none.
    """
    row = result_rows.finding_row(store, number)
    if row is None:
        raise ConfigurationError(f"finding {number}: there is none; see: qa-daemon queue list")
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
