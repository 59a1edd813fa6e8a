"""`qa-daemon rules replay` and `series recheck --dry-run`: what would change, before it is live."""

import argparse
import json
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Final, TypeAlias

from attrs import evolve, frozen
from rich.table import Table
from rich.text import Text

from qa_daemon.cli import tables
from qa_daemon.cli.checking.check import progress_bar
from qa_daemon.cli.opened import opened, settings_of
from qa_daemon.cli.owning.book import with_folder
from qa_daemon.cli.printable import printable
from qa_daemon.dicom.elements import vocabulary
from qa_daemon.grounds.beside import surroundings
from qa_daemon.grounds.rulebook import rules_in_force
from qa_daemon.grounds.visit import orders_known
from qa_daemon.pipeline.engine import engine
from qa_daemon.pipeline.steps import Bench, instances_read
from qa_daemon.predict.client import Request
from qa_daemon.records.finding import Finding, Verdict
from qa_daemon.records.inference import Inference
from qa_daemon.records.series import Series
from qa_daemon.report.difference import Difference, Differing, Way
from qa_daemon.rules.elements import elements_of
from qa_daemon.rules.facts import Context
from qa_daemon.rules.schema import RulePack
from qa_daemon.series.assemble import assemble
from qa_daemon.spool.spool import Spool
from qa_daemon.store import result_rows, series_rows
from qa_daemon.store.database import Store
from qa_daemon.store.series_rows import SeriesFilter, SeriesRow
from qa_daemon.suggest.propose import judge, judge_study

# Some 100 series a second are judged again; a week of a large hospital has some 20,000.
SERIES_MAX: Final = 50_000
# Findings told of one rule; all of them with --json.
_TOLD_MAX: Final = 5


@frozen
class Subject:
    """A series as the worker would see it, with what was predicted when it came."""

    row: SeriesRow
    series: Series
    siblings: tuple[Series, ...]
    context: Context
    inference: Inference


#: What is said of a subject, before and after; of its study, too, where one is the first.
Opinion: TypeAlias = Callable[[Subject], Verdict]


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
        before = _said_then(store) if current is None else _said_by(current)
        found = _compared(bench, options.days, before, _said_by(fresh.pack))
        if current is not None:
            _of_studies(bench, options.days, (current, fresh.pack), found)
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
        found = _compared(bench, options.days, _said_then(store), _said_anew(bench))
    return _print(found, options.days, as_json=options.json)


def _said_by(pack: RulePack) -> Opinion:
    """Judge by rules, with what was predicted then."""

    def said(subject: Subject) -> Verdict:
        return judge(
            subject.series,
            subject.inference,
            pack,
            siblings=subject.siblings,
            context=subject.context,
        )

    return said


def _said_then(store: Store) -> Opinion:
    """Return what was said when the series came."""

    def said(subject: Subject) -> Verdict:
        row = subject.row
        verdict = result_rows.verdict_of(store, row.series_key, row.revision)
        assert verdict is not None, "only judged series are compared"
        return verdict

    return said


def _said_anew(bench: Bench) -> Opinion:
    """Predict and judge with the models and rules in force."""
    request = Request(targets=bench.engine.targets)

    def said(subject: Subject) -> Verdict:
        inference = bench.engine.infer(subject.series, bench.read, request)
        return bench.engine.judge(subject.series, inference, subject.siblings, subject.context)

    return said


def _rows(store: Store, days: int) -> tuple[SeriesRow, ...]:
    since = datetime.now(UTC) - timedelta(days=days)
    return series_rows.series_list(store, SeriesFilter(received_since=since), SERIES_MAX)


def _compared(bench: Bench, days: int, before: Opinion, after: Opinion) -> Difference:
    found = Difference()
    rows = _rows(bench.store, days)
    with progress_bar() as progress:
        task = progress.add_task("judging again", total=len(rows))
        for row in rows:
            subject = _subject(bench, row)
            if subject is not None:
                found.add(row.series_key, before(subject).findings, after(subject).findings)
            progress.advance(task)
    return found


def _subject(bench: Bench, row: SeriesRow) -> Subject | None:
    result = result_rows.result_of(bench.store, row.series_key, row.revision)
    if result is None or result.inference is None or result.judged_at is None:
        return None
    instances = instances_read(bench, row.series_key, row.revision)
    series = assemble(instances, row.revision)
    known = orders_known(bench.store, series)
    siblings, context = surroundings(bench.sources, row.series_key, series, known)
    return Subject(row, series, siblings, context, result.inference)


def _of_studies(
    bench: Bench, days: int, packs: tuple[RulePack, RulePack], found: Difference
) -> None:
    """Add what the rules of level study would say otherwise."""
    seen = set[str]()
    for row in _rows(bench.store, days):
        if row.study_instance_uid in seen:
            continue
        seen.add(row.study_instance_uid)
        subject = _subject(bench, row)
        if subject is not None:
            series = (subject.series, *subject.siblings)
            before, after = (judge_study(series, pack, subject.context) for pack in packs)
            found.add(row.study_instance_uid, before.findings, after.findings)


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
    looked = f"{found.subjects} series and studies of the last {tables.counted(days, 'day')}"
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
