"""`qa-daemon token`: what programs show instead of signing in."""

import argparse
import json
from datetime import UTC, datetime

from rich import box
from rich.table import Table

from qa_daemon.cli import tables
from qa_daemon.cli.opened import opened, operator, settings_of
from qa_daemon.cli.printable import printable
from qa_daemon.errors import InputError
from qa_daemon.queue.accounts import people, tokens
from qa_daemon.queue.accounts.tokens import Scope, Wanted
from qa_daemon.store.accounts import token_rows
from qa_daemon.store.accounts.token_rows import TokenRow


def add(options: argparse.Namespace) -> int:
    """Make a token and print it: the only time that it is shown."""
    scopes = tuple(dict.fromkeys(Scope(name) for name in options.scope))
    wanted = Wanted(label=options.label, scopes=scopes, days=options.days)
    with opened(settings_of(options)) as store:
        user = people.named(store, options.user)
        print(tokens.issue(store, user, wanted, operator()))
    return 0


def list_tokens(options: argparse.Namespace) -> int:
    """List all tokens; what they are is kept nowhere."""
    with opened(settings_of(options)) as store:
        rows = token_rows.token_list(store)
    now = datetime.now(UTC)
    if options.json:
        print(json.dumps([_plain(row, now) for row in rows]))
        return 0
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold")
    for heading in ("Id", "For", "User", "Scopes", "In force", "Used last"):
        table.add_column(heading, overflow="fold")
    for row in rows:
        used = "never" if row.used_at is None else f"{row.used_at:%F %R}"
        force = tokens.in_force(row, now)
        scopes, user = ", ".join(row.scopes), printable(row.user.name)
        table.add_row(str(row.id), printable(row.label), user, scopes, force, used)
    tables.screen().print(table)
    return 0


def revoke(options: argparse.Namespace) -> int:
    """End a token at once."""
    with opened(settings_of(options)) as store:
        if not token_rows.revoke(store, options.id, operator()):
            raise InputError(f"token {options.id}: none of that number is in force")
    print(f"Token {options.id} works no more.")
    return 0


def _plain(row: TokenRow, now: datetime) -> dict[str, object]:
    return {
        "id": row.id,
        "label": row.label,
        "user": row.user.name,
        "scopes": list(row.scopes),
        "in_force": tokens.in_force(row, now),
        "created_at": row.created_at.isoformat(),
    }
