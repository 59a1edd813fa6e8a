"""`qa-daemon series`: what was received, and its state."""

import argparse
import json
import sys
from datetime import UTC, datetime, timedelta
from typing import Final

from rich.table import Table
from rich.text import Text

from qa_daemon.cli import tables
from qa_daemon.cli.opened import named_series, opened, operator, settings_of
from qa_daemon.cli.printable import printable
from qa_daemon.cli.queue import age
from qa_daemon.errors import ConfigurationError
from qa_daemon.pipeline.reports import remove_report
from qa_daemon.records.inference import Inference
from qa_daemon.records.states import SeriesState
from qa_daemon.report.as_json import document
from qa_daemon.report.summary import SeriesReport
from qa_daemon.series.assemble import assemble
from qa_daemon.store import instance_rows, result_rows, series_rows
from qa_daemon.store.previews import preview_rows
from qa_daemon.store.previews.folder import PreviewFolder
from qa_daemon.store.series_rows import SeriesFilter, SeriesRow

#: Characters of a key that a list shows; its beginning is enough to name a series.
KEY_SHOWN: Final = 12
STATE_STYLES: Final = {
    SeriesState.WAITING: "bold yellow",
    SeriesState.QUARANTINED: "bold red",
    SeriesState.CLEAN: "green",
}


def list_series(options: argparse.Namespace) -> int:
    """List series, the latest first."""
    wanted = SeriesFilter(states=_states(options.in_state))
    with opened(settings_of(options)) as store:
        rows = series_rows.series_list(store, wanted, options.limit)
        counted = series_rows.counts(store)
    if options.json:
        print(json.dumps([_as_json(row) for row in rows]))
        return 0
    console = tables.screen()
    if not rows:
        console.print("No series" + (" in this state." if wanted.states else " was received yet."))
        return 0
    grid = Table.grid(padding=(0, 2), expand=True)
    grid.add_column(style="bold", no_wrap=True)
    grid.add_column(no_wrap=True)
    grid.add_column(ratio=1)
    now = datetime.now(UTC)
    for row in rows:
        state = Text(row.state.value, style=STATE_STYLES.get(row.state, ""))
        grid.add_row(row.series_key[:KEY_SHOWN], state, _summary(row, now))
    console.print(grid)
    said = (
        f"{tables.counted(counted.instances, 'instance')}, "
        f"{tables.counted(counted.repeats, 'repeat')}, {counted.unreadable:,} unreadable"
    )
    console.print(Text(said, style="dim"))
    return 0


def _summary(row: SeriesRow, now: datetime) -> Text:
    came_by = f"from {printable(row.calling_ae)}" if row.calling_ae else "from the folder"
    facts = [
        printable(row.modality) or "no modality",
        tables.counted(row.instance_count, "instance"),
        came_by,
        f"{age(now - row.last_received_at)} ago",
    ]
    if row.revision > 1:
        facts.append(f"revision {row.revision}")
    said = Text(" · ".join(facts))
    if row.reason:
        said.append(f"\n{printable(row.reason)}", "red")
    return said


def show_series(options: argparse.Namespace) -> int:
    """Show one series with its verdict, as `check` would."""
    with opened(settings_of(options)) as store:
        row = named_series(store, options.key)
        instances = instance_rows.instances_of(store, row.series_key, row.revision)
        result = result_rows.result_of(store, row.series_key, row.revision)
        verdict = result_rows.verdict_of(store, row.series_key, row.revision)
    report = None
    if verdict is not None and result is not None:
        inference = result.inference or Inference()
        report = SeriesReport(assemble(instances, row.revision), inference, verdict)
    if options.json:
        print(document(() if report is None else (report,)))
        return 0
    console = tables.screen()
    state = Text(row.state.value, style=STATE_STYLES.get(row.state, ""))
    console.print(Text.assemble((row.series_key, "bold"), "  ", state))
    console.print(_summary(row, datetime.now(UTC)))
    console.print()
    if report is None:
        console.print("Not judged yet.")
    else:
        console.print(tables.series_section(report))
    return 0


def requeue(options: argparse.Namespace) -> int:
    """Try a quarantined series again."""
    with opened(settings_of(options)) as store:
        row = named_series(store, options.key)
        if not series_rows.requeue(store, row.series_key, operator()):
            raise ConfigurationError(
                f"{row.series_key}: is {row.state.value}, not quarantined; "
                "to judge it again use: qa-daemon series recheck"
            )
    print(f"{row.series_key}: will be tried again")
    return 0


def recheck(options: argparse.Namespace) -> int:
    """Judge series again with the rules and models in force."""
    if bool(options.keys) == (options.days is not None):
        raise ConfigurationError("series recheck: give either keys, or --days N")
    if options.dry_run:
        if options.days is None:
            raise ConfigurationError("series recheck: --dry-run wants --days N")
        from qa_daemon.cli.owning import replaying  # noqa: PLC0415  loads rules and models

        return replaying.recheck(options)
    with opened(settings_of(options)) as store:
        who = operator()
        if options.days is not None:
            since = who.at - timedelta(days=options.days)
            moved = series_rows.recheck(store, SeriesFilter(received_since=since), who)
        else:
            keys = [named_series(store, key).series_key for key in options.keys]
            moved = tuple(
                each
                for key in keys
                for each in series_rows.recheck(store, SeriesFilter(), who, key)
            )
    print(f"{tables.counted(len(moved), 'series')} will be judged again")
    return 0


def delete(options: argparse.Namespace) -> int:
    """Delete a series, its objects, its pictures and its report files."""
    settings = settings_of(options)
    with opened(settings) as store:
        row = named_series(store, options.key)
        if not (options.yes or _agreed(row)):
            print("nothing deleted")
            return 1
        keys = series_rows.remove_series(store, row.series_key, operator())
        PreviewFolder(settings.preview_folder).remove(row.series_key)
    remove_report(settings.report_folder, row.study_instance_uid, row.series_instance_uid)
    objects = tables.counted(len(keys), "object")
    print(
        f"{row.series_key}: deleted; the receiver erases {objects} from the spool within a minute, "
        "or when it next starts"
    )
    return 0


def draw(options: argparse.Namespace) -> int:
    """Let the worker draw the pictures of the review page again."""
    if bool(options.keys) == options.all:
        raise ConfigurationError("series draw: give either keys, or --all")
    with opened(settings_of(options)) as store:
        if options.all:
            count = preview_rows.draw_again(store)
        else:
            keys = [named_series(store, key).series_key for key in options.keys]
            count = sum(preview_rows.draw_again(store, key) for key in keys)
    print(f"{tables.counted(count, 'series')} will be drawn again")
    return 0


def _agreed(row: SeriesRow) -> bool:
    if not sys.stdin.isatty():
        raise ConfigurationError("series delete: cannot ask without a terminal; add --yes")
    instances = tables.counted(row.instance_count, "instance")
    words = f"Delete series {row.series_key} with {instances} for good? [y/N] "
    return input(words).strip().lower() in {"y", "yes"}


def _states(word: str | None) -> tuple[SeriesState, ...]:
    if word is None:
        return ()
    try:
        return (SeriesState(word),)
    except ValueError as error:
        raise ConfigurationError(
            f"--in {word}: no such state; use one of {', '.join(SeriesState)}"
        ) from error


def _as_json(row: SeriesRow) -> dict[str, object]:
    return {
        "series_key": row.series_key,
        "study_instance_uid": row.study_instance_uid,
        "series_instance_uid": row.series_instance_uid,
        "modality": row.modality,
        "calling_ae": row.calling_ae,
        "state": row.state.value,
        "revision": row.revision,
        "instances": row.instance_count,
        "last_received_at": row.last_received_at.isoformat(),
        "reason": row.reason,
    }
