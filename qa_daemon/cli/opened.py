"""The store and the spool for commands that look at a service's state, running or not."""

import argparse
import contextlib
import getpass
import os
from collections.abc import Iterator
from datetime import UTC, datetime

from qa_daemon.config.load import load_settings
from qa_daemon.config.settings import Settings
from qa_daemon.errors import ConfigurationError
from qa_daemon.store.audit.entries import Operator
from qa_daemon.store.database import Store
from qa_daemon.store.migrations.schema import prepare
from qa_daemon.store.series_rows import SeriesRow, series_row


def settings_of(options: argparse.Namespace) -> Settings:
    """Return the configuration that the options name."""
    return load_settings(options.config, overrides={"state": options.state})


def require_state(settings: Settings) -> None:
    """Refuse a state folder that does not exist: a misspelt one must not come into being.

    Raises
    ------
    ConfigurationError
        If there is none; a database of its own (PostgreSQL) needs none.
    """
    if settings.store_url.startswith("sqlite:") and not settings.state.is_dir():
        raise ConfigurationError(
            f"state {settings.state}: no service has run here; name its folder with --state, "
            "or its service.yaml with --config"
        )


@contextlib.contextmanager
def opened(settings: Settings) -> Iterator[Store]:
    """Open the database of a configuration.

    Raises
    ------
    ConfigurationError
        If no service has ever run there.
    """
    require_state(settings)
    prepare(settings.store_url, settings.store.lock_timeout_s)
    with Store(settings.store_url, settings.store.lock_timeout_s) as store:
        yield store


def operator() -> Operator:
    """Return who does it, for the audit."""
    try:
        name = getpass.getuser()
    except (KeyError, OSError):  # no account of that number
        name = f"uid {os.getuid()}"
    return Operator(name, datetime.now(UTC))


def named_series(store: Store, key: str) -> SeriesRow:
    """Return the series that a person named.

    Raises
    ------
    ConfigurationError
        If there is none, or several begin like this.
    """
    row = series_row(store, key) if key else None
    if row is None:
        raise ConfigurationError(
            f"series {key!r}: no key, or more than one, begins like this; "
            "see: qa-daemon series list"
        )
    return row
