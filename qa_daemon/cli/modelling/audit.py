"""`qa-daemon queue list --audit`: series in which nothing was found, to be looked at blind.

What the service said of them is not shown, nor is it in the JSON.
"""

import argparse
import json
from typing import Final

from rich.table import Table
from rich.text import Text

from qa_daemon.cli import tables
from qa_daemon.cli.opened import opened, settings_of
from qa_daemon.cli.printable import printable
from qa_daemon.records.states import SeriesState
from qa_daemon.series.audit import is_audited
from qa_daemon.store import series_rows
from qa_daemon.store.series_rows import SeriesFilter

#: Clean series among which the sample is sought, the latest first.
SOUGHT_MAX: Final = 100_000


def list_sample(options: argparse.Namespace) -> int:
    """List the audit sample, the latest first."""
    settings = settings_of(options)
    share = settings.learning.audit_share
    with opened(settings) as store:
        wanted = SeriesFilter(states=(SeriesState.CLEAN,))
        clean = series_rows.series_list(store, wanted, SOUGHT_MAX)
    rows = [row for row in clean if is_audited(row.series_instance_uid, share)][: options.limit]
    if options.json:
        shown = ("series_key", "study_instance_uid", "series_instance_uid", "modality")
        print(json.dumps([{name: getattr(row, name) for name in shown} for row in rows]))
        return 0
    console = tables.screen()
    if not rows:
        found = tables.counted(len(clean), "clean series")
        console.print(f"Nothing to look at: none of {found} is in a sample of {share:.1%}.")
        return 0
    grid = Table.grid(padding=(0, 2), expand=True)
    grid.add_column(style="bold", no_wrap=True)
    grid.add_column(ratio=1, overflow="fold")
    for row in rows:
        images = tables.counted(row.instance_count, "instance")
        facts = f"{printable(row.modality)} · {images} · {printable(row.series_instance_uid)}"
        grid.add_row(row.series_key[:12], facts)
    console.print(grid)
    said = f"{share:.1%} of the series without a finding, to be judged without its predictions"
    console.print(Text(said, style="dim"))
    return 0
