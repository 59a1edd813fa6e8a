"""Rules, models, configuration, database and installation, for those who run the service."""

import argparse
import os
import shutil
import sys
from datetime import UTC, datetime
from pathlib import Path

from qa_daemon.cli.opened import require_state, settings_of
from qa_daemon.config.load import load_settings, show
from qa_daemon.errors import ConfigurationError
from qa_daemon.store.migrations import schema


def check_configuration(options: argparse.Namespace) -> int:
    """Print all faults at once, those of the rules included; status 2 if there is one."""
    from qa_daemon.grounds.rulebook import rulebook, today  # noqa: PLC0415

    settings = settings_of(options)
    book = rulebook(settings, today())
    where = options.config or "the defaults"
    for ended in book.expired:
        print(f"{where}: {ended}; it does not count any more")
    print(f"{where}: no fault; {len(book.pack.enabled)} rules in force")
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
    from qa_daemon.grounds.rulebook import vocabulary_in_force  # noqa: PLC0415
    from qa_daemon.intake.index import Index, reader  # noqa: PLC0415  loads the receiver's rooms
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
