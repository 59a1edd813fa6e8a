"""`qa-daemon outbox`: what is to leave, what has left, and what was refused."""

import argparse
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

from rich.table import Table
from rich.text import Text

from qa_daemon.cli import tables
from qa_daemon.cli.opened import opened, operator, settings_of
from qa_daemon.cli.printable import printable
from qa_daemon.cli.queue import age
from qa_daemon.errors import ConfigurationError
from qa_daemon.records.change_set import EntryState
from qa_daemon.report.as_json import suggestion_as_json
from qa_daemon.store.database import Store
from qa_daemon.store.outbox import delivery_rows
from qa_daemon.store.outbox.delivery_rows import EntryRow

_STYLES: Final = {EntryState.REFUSED: "bold red", EntryState.SENT: "green"}


def list_entries(options: argparse.Namespace) -> int:
    """List entries of the outbox, the latest first."""
    states = () if options.in_state is None else (EntryState(options.in_state),)
    with opened(settings_of(options)) as store:
        rows = delivery_rows.entry_list(store, states, options.limit)
        trouble = delivery_rows.trouble(store)
    if options.json:
        print(json.dumps([_as_json(row) for row in rows]))
        return 0
    console = tables.screen()
    if not rows:
        console.print("The outbox is empty.")
        return 0
    grid = Table.grid(padding=(0, 2), expand=True)
    grid.add_column(style="bold", no_wrap=True, justify="right")
    grid.add_column(no_wrap=True)
    grid.add_column(ratio=1)
    now = datetime.now(UTC)
    for row in rows:
        state = Text(row.state.value, _STYLES.get(row.state, ""))
        grid.add_row(str(row.id), state, _summary(row, now))
    console.print(grid)
    if trouble.refused_count:
        parked = f"Parked: {trouble.refused_count:,}. qa-daemon outbox retry ID, or drop ID"
        console.print(Text(parked, "red"))
    return 0


def show(options: argparse.Namespace) -> int:
    """Show one entry with its change set."""
    with opened(settings_of(options)) as store:
        row = _named(store, options.id)
    if options.json:
        print(json.dumps(_as_json(row)))
        return 0
    said = row.change_set
    console = tables.screen()
    facts = Table.grid(padding=(0, 2), expand=True)
    facts.add_column(style="dim", no_wrap=True)
    facts.add_column(ratio=1, overflow="fold")
    for name, value in (
        ("state", row.state.value),
        ("place", row.channel),
        (
            "due",
            f"{row.due_at:%Y-%m-%d %H:%M:%S} UTC, tried {row.attempts} times",
        ),
        ("answer", row.answer),
        ("change set", said.uid),
        ("reverses", said.reverses),
        ("finding", f"{said.finding_id} ({said.rule})"),
        ("decided", f"{said.decided_at:%Y-%m-%d %H:%M:%S} UTC by {said.decided_by}"),
        ("series", said.series_instance_uid),
    ):
        if value:
            facts.add_row(name, printable(value))
    console.print(facts)
    console.print()
    console.print(tables.suggestion_block(said.suggestion, "to be written"))
    return 0


def retry(options: argparse.Namespace) -> int:
    """Try an entry again at once."""
    with opened(settings_of(options)) as store:
        _named(store, options.id)
        if not delivery_rows.retry(store, options.id, operator()):
            raise ConfigurationError(
                f"outbox {options.id}: it has not been tried in vain; see: qa-daemon outbox show "
                f"{options.id}"
            )
    print(f"outbox {options.id}: is tried again at once")
    return 0


def drop(options: argparse.Namespace) -> int:
    """Give up an entry."""
    with opened(settings_of(options)) as store:
        _named(store, options.id)
        if not delivery_rows.drop(store, options.id, operator()):
            raise ConfigurationError(f"outbox {options.id}: it has left, or is being sent")
    print(f"outbox {options.id}: dropped; what was decided stays")
    return 0


def _named(store: Store, number: int) -> EntryRow:
    row = delivery_rows.entry_row(store, number)
    if row is None:
        raise ConfigurationError(f"outbox {number}: there is none; see: qa-daemon outbox ls")
    return row


def _summary(row: EntryRow, now: datetime) -> Text:
    said = row.change_set
    changes = tables.counted(len(said.suggestion.changes), "change")
    facts = [said.kind.value, said.rule, f"finding {said.finding_id}", changes]
    if row.state is EntryState.QUEUED and row.due_at > now:
        facts.append(f"in {age(row.due_at - now)}")
    else:
        facts.append(f"{age(now - row.changed_at)} ago")
    if row.attempts > 1:
        facts.append(f"{row.attempts} tries")
    answer = f"\n{printable(row.answer)}" if row.answer else ""
    return Text.assemble(row.channel, answer, ("\n" + " · ".join(facts), "dim"))


def _as_json(row: EntryRow) -> Mapping[str, object]:
    said = row.change_set
    return {
        "id": row.id,
        "channel": row.channel,
        "state": row.state.value,
        "due_at": row.due_at.isoformat(),
        "attempts": row.attempts,
        "changed_at": row.changed_at.isoformat(),
        "answer": row.answer,
        "change_set": said.uid,
        "kind": said.kind.value,
        "reverses": said.reverses or None,
        "finding": said.finding_id,
        "rule": said.rule,
        "decided_by": said.decided_by,
        "decided_at": said.decided_at.isoformat(),
        "suggestion": suggestion_as_json(said.suggestion),
    }
