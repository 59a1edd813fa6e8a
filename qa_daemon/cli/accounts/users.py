"""`qa-daemon user`: who may sign in, and as what."""

import argparse
import getpass
import json
import sys
from datetime import datetime

from rich import box
from rich.table import Table

from qa_daemon.cli import tables
from qa_daemon.cli.opened import opened, operator, settings_of
from qa_daemon.cli.printable import printable
from qa_daemon.errors import InputError
from qa_daemon.queue.accounts import people
from qa_daemon.queue.accounts.passwords import LENGTH_MAX
from qa_daemon.queue.accounts.permissions import Role
from qa_daemon.store.accounts import user_rows
from qa_daemon.store.accounts.user_rows import UserRow


def add(options: argparse.Namespace) -> int:
    """Make a user; the password is asked for, or comes on standard input."""
    role = Role(options.role)
    new = people.new_local(options.name, _password(options), role, options.full_name)
    with opened(settings_of(options)) as store:
        made = user_rows.add(store, new, operator())
    print(f"{printable(made.name)} may sign in as {role.value}.")
    return 0


def list_users(options: argparse.Namespace) -> int:
    """List everybody, those who may not sign in any more, too."""
    with opened(settings_of(options)) as store:
        rows = user_rows.user_list(store)
    if options.json:
        print(json.dumps([_plain(row) for row in rows]))
        return 0
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold")
    for heading in ("Name", "Full name", "Role", "Signs in", "Since"):
        table.add_column(heading, overflow="fold")
    for row in rows:
        name, full_name = printable(row.name), printable(row.full_name)
        table.add_row(name, full_name, row.role, _way(row), f"{row.created_at:%F}")
    tables.screen().print(table)
    return 0


def disable(options: argparse.Namespace) -> int:
    """Let a user in no more."""
    with opened(settings_of(options)) as store:
        people.disable(store, people.named(store, options.name), operator())
    print(f"{printable(options.name)} may not sign in any more; sessions and tokens have ended.")
    return 0


def enable(options: argparse.Namespace) -> int:
    """Let a user in again."""
    with opened(settings_of(options)) as store:
        people.enable(store, people.named(store, options.name), operator())
    print(f"{printable(options.name)} may sign in again.")
    return 0


def passwd(options: argparse.Namespace) -> int:
    """Give a user another password."""
    with opened(settings_of(options)) as store:
        user = people.named(store, options.name)
        people.set_password(store, user, _password(options), operator())
    print(f"{printable(options.name)} has a new password; sessions with the old one have ended.")
    return 0


def role(options: argparse.Namespace) -> int:
    """Give a user another role."""
    with opened(settings_of(options)) as store:
        people.set_role(store, people.named(store, options.name), Role(options.role), operator())
    print(f"{printable(options.name)} is {options.role} now.")
    return 0


def _password(options: argparse.Namespace) -> str:
    """Return the password; never an argument, which other users of the machine could read.

    Raises
    ------
    InputError
        If it was typed differently the second time, or there is nobody to ask.
    """
    if options.password_stdin:
        return sys.stdin.readline(LENGTH_MAX + 2).rstrip("\r\n")
    if not sys.stdin.isatty():
        raise InputError("password: nobody is there to ask; give it by --password-stdin")
    first = getpass.getpass("Password: ")
    if getpass.getpass("The same again: ") != first:
        raise InputError("password: the two are not the same; try again")
    return first


def _way(row: UserRow) -> str:
    if row.disabled_at is not None:
        return "not any more"
    return "with a password" if row.password else "by the identity provider"


def _plain(row: UserRow) -> dict[str, object]:
    return {
        "name": row.name,
        "full_name": row.full_name,
        "role": row.role,
        "is_local": bool(row.password),
        "created_at": row.created_at.isoformat(),
        "disabled_at": _time(row.disabled_at),
        "locked_until": _time(row.locked_until),
    }


def _time(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()
