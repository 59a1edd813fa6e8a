"""`qa-daemon rules replay` and `series recheck --dry-run`: what would change, before it is live."""

import argparse
import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

from attrs import evolve
from rich.table import Table
from rich.text import Text

from qa_daemon.cli import tables
from qa_daemon.cli.checking.check import progress_bar
from qa_daemon.cli.opened import opened, settings_of
from qa_daemon.cli.owning.book import with_folder
from qa_daemon.cli.owning.opinions import Opinion, said_anew, said_by, said_then
from qa_daemon.cli.owning.subjects import subject_of
from qa_daemon.cli.printable import printable
from qa_daemon.dicom.elements import vocabulary
from qa_daemon.grounds.rulebook import rules_in_force
from qa_daemon.pipeline.engine import engine
from qa_daemon.pipeline.steps import Bench
from qa_daemon.records.finding import Finding, Verdict
from qa_daemon.records.series import Series
from qa_daemon.report.difference import Difference, Differing, Way
from qa_daemon.rules.elements import elements_of
from qa_daemon.spool.spool import Spool
from qa_daemon.store import series_rows
from qa_daemon.store.database import Store
from qa_daemon.store.series_rows import SeriesFilter, SeriesRow

# Some 100 series a second are judged again; a week of a large hospital has some 20,000.
SERIES_MAX: Final = 50_000
# Findings told of one rule; all of them with --json.
_TOLD_MAX: Final = 5


def replay(options: argparse.Namespace) -> int:
    """Judge what was received in the last days by other rules; show what differs. Writes nothing.

    With `--rules DIR` the folder is tried over the rules in force; without it the rules in force
    are held against what was said when the series came.
    """
    settings = settings_of(options)
    tried = with_folder(settings, options.rules)
    with (
        opened(settings) as store,
        Spool(settings.spool_folder, settings.limits) as spool,
        engine(tried) as fresh,
    ):
        current = rules_in_force(settings) if options.rules is not None else None
        packs = [fresh.pack, *([] if current is None else [current])]
        needed = vocabulary(frozenset[str]().union(*map(elements_of, packs)))
        bench = Bench(store, spool, evolve(fresh, vocabulary=needed))
        before = said_then(store) if current is None else said_by(current)
        found = _compared(bench, options.days, before, said_by(fresh.pack))
    return _print(found, options.days, as_json=options.json)


def recheck(options: argparse.Namespace) -> int:
    """Predict and judge again what was received in the last days; show what differs."""
    settings = settings_of(options)
    with (
        opened(settings) as store,
        Spool(settings.spool_folder, settings.limits) as spool,
        engine(settings) as fresh,
    ):
        bench = Bench(store, spool, fresh)
        found = _compared(bench, options.days, said_then(store), said_anew(bench))
    return _print(found, options.days, as_json=options.json)


def _rows(store: Store, days: int) -> tuple[SeriesRow, ...]:
    since = datetime.now(UTC) - timedelta(days=days)
    return series_rows.series_list(store, SeriesFilter(received_since=since), SERIES_MAX)


def _compared(bench: Bench, days: int, before: Opinion, after: Opinion) -> Difference:
    """Compare what is said of every series, and once of each study and visit."""
    found, seen = Difference(), set[tuple[str, ...]]()
    rows = _rows(bench.store, days)
    with progress_bar() as progress:
        task = progress.add_task("judging again", total=len(rows))
        for row in rows:
            progress.advance(task)
            subject = subject_of(bench, row)
            if subject is None or not subject.is_judged:
                continue
            said = before.of_series(subject), after.of_series(subject)
            _add(found, row.series_key, *said)
            if (row.study_instance_uid,) not in seen:
                seen.add((row.study_instance_uid,))
                said_of_study = before.of_study(subject), after.of_study(subject)
                _add(found, row.study_instance_uid, *said_of_study)
            if _names(subject.series) not in seen:
                visit = subject.of_visit(bench)
                if visit is not None:
                    seen.update(_names(each.series) for each in visit.reports)
                    studies = sorted({each.series.study_instance_uid for each in visit.reports})
                    said_of_visit = (each.of_visit(subject, visit) for each in (before, after))
                    _add(found, f"visit {' '.join(studies)}", *said_of_visit)
    return found


def _names(series: Series) -> tuple[str, ...]:
    return series.study_instance_uid, series.series_instance_uid


def _add(found: Difference, subject: str, before: Verdict | None, after: Verdict | None) -> None:
    if before is not None and after is not None:
        found.add(subject, before.findings, after.findings)


# --- telling -------------------------------------------------------------------------------------


def _print(found: Difference, days: int, *, as_json: bool) -> int:
    if as_json:
        print(json.dumps(_as_json(found)))
        return 0
    console = tables.screen()
    if not found.found:
        console.print(_summary(found, days, "nothing would differ"))
        return 0
    console.print(_table(found))
    for rule in sorted({each.rule for each in found.found}):
        for line in _lines(found, rule):
            console.print(line)
    differing = f"{tables.counted(len(found.found), 'difference')}"
    console.print(_summary(found, days, differing))
    return 0


def _summary(found: Difference, days: int, said: str) -> Text:
    looked = (
        f"{found.subjects} series, studies and visits of the last {tables.counted(days, 'day')}"
    )
    before, after = (f"{100 * count / max(found.subjects, 1):.1f}" for count in found.alarmed)
    return Text(f"{looked}: {said}; with alarms {before} % before, {after} % after", "bold")


def _table(found: Difference) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("rule", "before", "after", *(way.value for way in Way)):
        table.add_column(name, justify="left" if name == "rule" else "right")
    for rule in sorted({each.rule for each in found.found}):
        ways = [sum(each.way is way for each in found.of_rule(rule)) for way in Way]
        before, after = found.counts.get(rule, [0, 0])
        table.add_row(rule, *map(str, (before, after, *ways)))
    return table


def _lines(found: Difference, rule: str) -> Iterator[Text]:
    differing = list(found.of_rule(rule))
    for each in differing[:_TOLD_MAX]:
        finding = each.shown
        yield Text.assemble(
            (f"{each.way.value:8}", _STYLES[each.way]),
            (f"{rule}  ", "bold"),
            f"{each.subject}  {finding.severity.word}  {printable(finding.message)}",
        )
    if len(differing) > _TOLD_MAX:
        yield Text(f"        {rule}: {len(differing) - _TOLD_MAX} more; --json has all", "dim")


_STYLES: Final[Mapping[Way, str]] = {Way.NEW: "red", Way.GONE: "green", Way.CHANGED: "yellow"}


def _as_json(found: Difference) -> Mapping[str, object]:
    return {
        "subjects": found.subjects,
        "alarmed": {"before": found.alarmed[0], "after": found.alarmed[1]},
        "rules": {
            rule: {"before": before, "after": after}
            for rule, (before, after) in sorted(found.counts.items())
        },
        "differences": [_differing_as_json(each) for each in found.found],
    }


def _differing_as_json(each: Differing) -> Mapping[str, object]:
    return {
        "subject": each.subject,
        "rule": each.rule,
        "way": each.way.value,
        "before": [_finding_as_json(finding) for finding in each.before],
        "after": [_finding_as_json(finding) for finding in each.after],
    }


def _finding_as_json(finding: Finding) -> Mapping[str, object]:
    return {
        "severity": finding.severity.word,
        "message": finding.message,
        "sop_instance_uids": list(finding.sop_instance_uids),
    }
