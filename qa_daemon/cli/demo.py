"""`qa-daemon demo`: the main job, once, on real images, in front of a new user."""

import argparse
import sys
import tempfile
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path

from rich.console import Console
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
from qa_daemon.records.finding import Severity
from qa_daemon.store.database import Store

STATUS_AS_PLANTED, STATUS_OTHERWISE = 0, 1


def demo(options: argparse.Namespace) -> int:
    """Run the demo; with `--exit` the status says whether everything was as planted."""
    console = Console(highlight=False)
    state = options.state or Path(tempfile.mkdtemp(prefix="qa-daemon-demo-"))
    planned = sendings()
    console.print(
        Text.assemble(
            ("qa-daemon demo", "bold"),
            f"  {len(planned)} series: pictures of the packages pydicom and pydicom-data, as "
            "published or made wrong on purpose, and series of a drawn (synthetic) phantom.",
        )
    )
    with services.running(state, options.port) as service:
        console.print(f"Service started: C-STORE on 127.0.0.1:{service.port} as QADAEMON, ")
        console.print(f"watched folder {service.incoming}")
        found = _run(service, planned)
        _show(console, found)
        picture = _draw(service, found)
        _say_where(console, service, picture)
        if not options.exit:
            _serve_on(console, service)
    return STATUS_AS_PLANTED if all(each.is_as_planted for each in found) else STATUS_OTHERWISE


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
            store, planned, lambda count: progress.update(judged, completed=count)
        )


def _sent(service: Service, planned: Sequence[Sending]) -> Iterator[Sending]:
    by_folder = [each for each in planned if each.by_folder]
    by_association = [each for each in planned if not each.by_folder]
    yield from chain(
        services.send_by_association(by_association, service.port),
        services.drop_in_folder(by_folder, service.incoming),
    )


def _show(console: Console, found: Sequence[Outcome]) -> None:
    table = Table(title="What was found", title_justify="left", title_style="bold", expand=True)
    table.add_column("picture", overflow="fold", ratio=4)
    table.add_column("came by")
    table.add_column("what was done to it", overflow="fold", ratio=4)
    table.add_column("found", overflow="fold", ratio=8)
    table.add_column("", no_wrap=True)
    for each in found:
        sending = each.sending
        table.add_row(
            sending.source + (" (synthetic)" if sending.is_synthetic else ""),
            "folder" if sending.by_folder else "C-STORE",
            Text(sending.done_to_it, style="" if sending.expected else "dim"),
            _findings(each),
            Text("as planted", style="green")
            if each.is_as_planted
            else Text("NOT AS PLANTED", style="bold red"),
        )
    console.print(table)
    for each in found:
        with_suggestions = [f for f in each.findings if f.suggestion is not None]
        for finding in with_suggestions[:1]:
            console.print(Text(f"{each.sending.source}, {each.sending.done_to_it}", style="bold"))
            console.print(tables.finding_block(finding))


def _findings(each: Outcome) -> Text:
    if not each.findings:
        return Text("nothing above info", style="dim")
    lines = []
    for finding in sorted(each.findings, key=lambda one: -one.severity):
        style = tables.STYLES[Severity(finding.severity)]
        lines.append(Text.assemble((finding.severity.word, style), " ", printable(finding.message)))
    return Text("\n").join(lines)


def _draw(service: Service, found: Sequence[Outcome]) -> Path | None:
    settings = load_settings(service.configuration)
    # A mirrored abdomen shows best what this is about.
    best = sorted(found, key=lambda each: "mirrored" not in each.sending.done_to_it)
    with Store(settings.store_url, settings.store.lock_timeout_s) as store:
        for each in best:
            drawn = outcomes.picture(store, each)
            if drawn is not None:
                path = service.state / "finding.png"
                path.write_bytes(drawn)
                return path
    return None


def _say_where(console: Console, service: Service, picture: Path | None) -> None:
    if picture is not None:
        console.print(f"One of them drawn:   {picture}")
    console.print(f"Reports:             {service.state / 'reports'}")
    console.print(f"Log:                 {service.log}")
    console.print(
        f"The queue:           qa-daemon queue list --config {service.configuration}",
        soft_wrap=True,
    )


def _serve_on(console: Console, service: Service) -> None:
    console.print(
        f"Serving on. Send more: storescu 127.0.0.1 {service.port} FILE, "
        f"or drop files into {service.incoming}. Ctrl-C ends it."
    )
    try:
        service.process.wait()
    except KeyboardInterrupt:
        console.print("Stopping.")
