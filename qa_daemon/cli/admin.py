"""Rules, models, configuration, database and installation, for those who run the service."""

import argparse
import os
import shutil
import sys
from datetime import UTC, datetime
from pathlib import Path

from rich.table import Table
from rich.text import Text

from qa_daemon.cli import tables
from qa_daemon.cli.opened import require_state, settings_of
from qa_daemon.cli.printable import printable
from qa_daemon.config.load import load_settings, show
from qa_daemon.errors import ConfigurationError
from qa_daemon.store.migrations import schema


def list_rules(options: argparse.Namespace) -> int:
    """List the rules in force."""
    from qa_daemon.pipeline.rulebook import rules_in_force  # noqa: PLC0415  models are not needed

    pack = rules_in_force(settings_of(options))
    grid = Table.grid(padding=(0, 2), expand=True)
    grid.add_column(no_wrap=True, style="bold")
    grid.add_column(no_wrap=True, width=tables.BADGE_WIDTH)
    grid.add_column(ratio=1)
    for rule in (pack.rules[name] for name in sorted(pack.rules)):
        facts = f"\n{rule.topic.value}, level {rule.level.value}, {rule.status.value}"
        facts += ", quick" if rule.quick else ""
        title = Text.assemble(printable(rule.title), (facts, "dim"))
        grid.add_row(rule.id, tables.badge(rule.severity), title)
    console = tables.screen()
    console.print(grid)
    console.print(Text(f"{len(pack.enabled)} rules in force, digest {pack.digest[:12]}", "dim"))
    return 0


def test_rules(options: argparse.Namespace) -> int:
    """Run the cases that stand beside the rules; status 1 if one fails."""
    from qa_daemon.pipeline.rulebook import rules_in_force  # noqa: PLC0415  models are not needed
    from qa_daemon.rules.prove import prove  # noqa: PLC0415
    from qa_daemon.suggest.propose import propose  # noqa: PLC0415

    pack = rules_in_force(settings_of(options))
    failures = prove(pack, propose)
    for failure in failures:
        print(
            f"{failure.path}: {failure.rule}: case {failure.case!r}: "
            f"expected {failure.wanted}, got {failure.got}"
        )
    cases = sum(len(rule.cases) for rule in pack.rules.values())
    print(f"{cases} cases of {len(pack.rules)} rules: {len(failures)} failed")
    return 1 if failures else 0


def check_configuration(options: argparse.Namespace) -> int:
    """Print all faults at once, those of the rules included; status 2 if there is one."""
    from qa_daemon.pipeline.rulebook import rules_in_force  # noqa: PLC0415  models are not needed

    settings = settings_of(options)
    pack = rules_in_force(settings)
    where = options.config or "the defaults"
    print(f"{where}: no fault; {len(pack.enabled)} rules in force")
    return 0


def show_configuration(options: argparse.Namespace) -> int:
    """Print the configuration in force, secrets hidden."""
    print(show(settings_of(options)), end="")
    return 0


def upgrade_database(options: argparse.Namespace) -> int:
    """Bring the schema to this release."""
    settings = settings_of(options)
    require_state(settings)
    print(f"schema {schema.upgrade(settings.store_url, settings.store.lock_timeout_s)} in force")
    return 0


def rebuild(options: argparse.Namespace) -> int:
    """Set a database aside and make it anew from the spool; the service must not run."""
    from qa_daemon.intake.index import Index, reader  # noqa: PLC0415  loads the receiver's rooms
    from qa_daemon.pipeline.rulebook import vocabulary_in_force  # noqa: PLC0415
    from qa_daemon.spool.spool import Spool  # noqa: PLC0415
    from qa_daemon.store.database import Store  # noqa: PLC0415

    settings = settings_of(options)
    if not settings.spool_folder.is_dir():
        raise ConfigurationError(
            f"spool {settings.spool_folder}: there is none; name the state folder with --state"
        )
    with Spool(settings.spool_folder, settings.limits) as spool:
        spool.recover()  # fails while a receiver runs
        aside = schema.set_aside(settings.store_url, datetime.now(UTC))
        if aside is not None:
            print(f"the old database is kept as {aside}")
        schema.prepare(settings.store_url, settings.store.lock_timeout_s)
        with Store(settings.store_url, settings.store.lock_timeout_s) as store:
            read = reader(settings.limits, vocabulary_in_force(settings))
            count = Index(spool, store, read, settings.receiver.index_lag_s).adopt()
    print(f"{count} objects of the spool have their rows again; start the service to judge them")
    return 0


def install_service(options: argparse.Namespace) -> int:
    """Install the systemd service, or print what that would write."""
    from qa_daemon.ops.systemd import (  # noqa: PLC0415  only here
        CONFIGURATION,
        STATE,
        Installation,
        install,
        printed,
    )

    executable = shutil.which(sys.argv[0]) or sys.argv[0]
    configuration = (options.config or CONFIGURATION).absolute()
    installation = Installation(
        executable=Path(executable).absolute(),
        # What systemd will give the service, not what this user would get.
        settings=load_settings(
            configuration if options.config or configuration.exists() else None,
            {**os.environ, "STATE_DIRECTORY": str(STATE)},
            {"state": options.state},
        ),
        configuration=configuration,
    )
    if options.print:
        print(printed(installation), end="")
    else:
        print("\n".join(install(installation)))
    return 0
