"""`qa-daemon demo`: the main job, once, on real images, in front of a new user."""

import argparse
import contextlib
import signal
import sys
import tempfile
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from types import FrameType
from typing import Final

from rich import box
from rich.console import Console, Group, RenderableType
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table
from rich.text import Text

from qa_daemon.cli import tables
from qa_daemon.cli.printable import printable
from qa_daemon.config.load import load_settings
from qa_daemon.demo import outcome as outcomes
from qa_daemon.demo import service as services
from qa_daemon.demo.outcome import Outcome
from qa_daemon.demo.plan import Sending, sendings
from qa_daemon.demo.service import Service
from qa_daemon.errors import RetryableError
from qa_daemon.records.finding import Action, Change, Finding
from qa_daemon.store.database import Store

STATUS_AS_PLANTED: Final = 0
STATUS_OTHERWISE: Final = 1


def demo(options: argparse.Namespace) -> int:
    """Run the demo; with `--exit` the status says whether everything was as planted."""
    console = tables.screen()
    planned = sendings()
    state = options.state or Path(tempfile.mkdtemp(prefix="qa-daemon-demo-"))
    with _ended_by_signals():
        console.print(_introduction(planned))
        with services.running(state, options.port) as service:
            console.print(
                f"Service started: C-STORE to QADAEMON on 127.0.0.1:{service.port}, or files into "
                f"{service.incoming}\n"
            )
            found = _run(service, planned)
            console.print(_findings_table(found))
            shown = _best(service, found)
            if shown is not None:
                console.print(_in_full(shown))
            console.print(_places(service, shown))
            if not options.exit:
                _serve_on(console, service)
    return STATUS_AS_PLANTED if all(each.is_as_planted for each in found) else STATUS_OTHERWISE


@contextlib.contextmanager
def _ended_by_signals() -> Iterator[None]:
    """Let a closed terminal and SIGTERM end the demo as Ctrl-C does: with its service."""

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = {
        number: signal.signal(number, interrupt) for number in (signal.SIGTERM, signal.SIGHUP)
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _introduction(planned: Sequence[Sending]) -> Text:
    planted = sum(1 for each in planned if each.expected)
    return Text.assemble(
        ("qa-daemon demo\n", "bold"),
        f"{tables.counted(len(planned), 'series')}: real pictures of the packages pydicom and "
        f"pydicom-data, and a drawn (synthetic) CT. {planted} of them were made wrong on purpose; "
        f"{len(planned) - planted} are as they should be.\n",
    )


def _run(service: Service, planned: Sequence[Sending]) -> tuple[Outcome, ...]:
    settings = load_settings(service.configuration)
    with (
        Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            console=Console(stderr=True),
            disable=not sys.stderr.isatty(),
        ) as progress,
        Store(settings.store_url, settings.store.lock_timeout_s) as store,
    ):
        sent = progress.add_task("sent", total=len(planned))
        judged = progress.add_task("judged", total=len(planned))
        for _ in _sent(service, planned):
            progress.advance(sent)
        return outcomes.await_verdicts(
            store,
            planned,
            lambda: service.process.poll() is None,
            lambda count: progress.update(judged, completed=count),
        )


def _sent(service: Service, planned: Sequence[Sending]) -> Iterator[Sending]:
    by_folder = [each for each in planned if each.by_folder]
    by_association = [each for each in planned if not each.by_folder]
    yield from chain(
        services.send_by_association(by_association, service.port),
        services.drop_in_folder(by_folder, service.incoming),
    )


def _findings_table(found: Sequence[Outcome]) -> RenderableType:
    table = Table(
        box=box.SIMPLE_HEAD, expand=True, show_lines=True, pad_edge=False, header_style="bold"
    )
    table.add_column("Picture, and how it came", ratio=5, overflow="fold")
    table.add_column("What was done to it", ratio=4)
    table.add_column("What was found, and what would mend it", ratio=9)
    for each in found:
        sending = each.sending
        name = Text.assemble(sending.picture, (f"\n{_came(sending)}", "dim"))
        done = Text(sending.done_to_it, style="" if sending.expected else "dim")
        table.add_row(name, done, _found(each))
    right = sum(1 for each in found if each.is_as_planted)
    last = (
        Text(f"All {len(found)} are as planted.", style="bold green")
        if right == len(found)
        else Text(f"{len(found) - right} of {len(found)} are NOT as planted.", style="bold red")
    )
    return Group(table, last, "")


def _came(sending: Sending) -> str:
    way = "by folder" if sending.by_folder else "by C-STORE"
    return way if sending.is_synthetic else f"{sending.source}\n{way}"


def _found(each: Outcome) -> RenderableType:
    lines: list[RenderableType] = []
    if not each.findings:
        lines.append(Text("nothing above info", style="dim"))
    for finding in sorted(each.findings, key=lambda one: -one.severity):
        badge = tables.badge(finding.severity)
        lines.append(Text.assemble(badge, " ", printable(finding.message)))
        if finding.suggestion is not None:
            lines += _in_short(finding.suggestion.changes)
    if not each.is_as_planted:
        lines.append(Text("NOT AS PLANTED", style="bold red"))
    return Group(*lines)


def _in_short(changes: Sequence[Change]) -> Iterator[RenderableType]:
    """Yield which attributes would change, and the new value of the first."""
    changing = [change for change in changes if change.current != change.proposed] or list(changes)
    names = ", ".join(dict.fromkeys(change.attribute for change in changing))
    yield Text(f"→ {names}", style="green")
    if changing[0].action is not Action.REMOVE:
        yield tables.Values(tables.values(changing[0].proposed), "green")


@contextlib.contextmanager
def _store(service: Service) -> Iterator[Store]:
    settings = load_settings(service.configuration)
    with Store(settings.store_url, settings.store.lock_timeout_s) as store:
        yield store


def _best(service: Service, found: Sequence[Outcome]) -> tuple[Outcome, Finding] | None:
    """Draw one finding; a mirrored abdomen shows best what this is about."""
    best = sorted(found, key=lambda each: "mirrored" not in each.sending.done_to_it)
    with _store(service) as store:
        for each in best:
            drawn = outcomes.picture(store, each)
            if drawn is not None:
                _picture(service).write_bytes(drawn)
                return each, next(f for f in each.findings if f.suggestion is not None)
    return None


def _picture(service: Service) -> Path:
    return service.state / "finding.png"


def _in_full(shown: tuple[Outcome, Finding]) -> RenderableType:
    each, finding = shown
    name = f"One in full: {each.sending.picture}, {each.sending.done_to_it}"
    return Group(Text(name, style="bold"), tables.finding_block(finding), "")


def _places(service: Service, shown: tuple[Outcome, Finding] | None) -> RenderableType:
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="bold", no_wrap=True)
    grid.add_column(overflow="fold")
    if shown is not None:
        grid.add_row("Drawn", str(_picture(service)))
    grid.add_row("Reports", str(service.state / "reports"))
    grid.add_row("Queue", f"qa-daemon queue list --config {service.configuration}")
    grid.add_row("Log", str(service.log))
    return grid


def _serve_on(console: Console, service: Service) -> None:
    try:
        console.print("\nOpen this link once, it signs you in to what was found:")
        console.print(service.entrance(), soft_wrap=True)
        console.print(
            f"\nServing on. Send more: storescu 127.0.0.1 {service.port} FILE, or drop files into "
            f"{service.incoming}\nCtrl-C ends it."
        )
        service.process.wait()
    except KeyboardInterrupt:
        console.print("Stopping.")
    else:
        raise RetryableError(f"the service has ended; {service.log} says why")
