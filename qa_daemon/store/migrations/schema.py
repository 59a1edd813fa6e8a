"""Make the schema, check it, bring it up to date, or set a broken database aside."""

import contextlib
import os
from datetime import datetime
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, inspect, make_url, text

from qa_daemon.errors import ConfigurationError
from qa_daemon.store.database import Store

#: All revisions, the oldest first; the last is the one that this release speaks.
REVISIONS: Final = (
    *("0001", "0002", "0003", "0004", "0005", "0006", "0007", "0008", "0009", "0010", "0011"),
)
#: A migration may copy a large table; ordinary statements may not take that long.
MIGRATION_TIMEOUT_S: Final = 3600
LOCK_TIMEOUT_S: Final = 5.0


def prepare(url: str, lock_timeout_s: float = LOCK_TIMEOUT_S) -> None:
    """Make the schema if the database is empty; refuse any other than this release's.

    Several processes may do so at once.

    Raises
    ------
    ConfigurationError
        If the database was written by an older or a newer release, or holds something else.
    """
    _make_place(url)
    with Store(url, lock_timeout_s) as store:
        with store.reading() as connection:
            lying = _revision(connection)
        if lying is None:
            _migrate(store)
        elif lying != REVISIONS[-1]:
            raise ConfigurationError(_mismatch(lying))


def upgrade(url: str, lock_timeout_s: float = LOCK_TIMEOUT_S) -> str:
    """Bring the schema up to date and return its revision.

    Raises
    ------
    ConfigurationError
        If a newer release has written this database.
    """
    _make_place(url)
    with Store(url, lock_timeout_s) as store:
        _migrate(store)
    return REVISIONS[-1]


def set_aside(url: str, now: datetime) -> Path | None:
    """Rename the file of an SQLite database, so that `prepare` makes it anew; None if there is none.

    Raises
    ------
    ConfigurationError
        For PostgreSQL, whose administrator keeps or empties the database.
    """
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite":
        raise ConfigurationError(
            "store.url: a PostgreSQL database is not emptied from here; "
            "make a new one, or drop the schema, then rebuild"
        )
    file = Path(str(parsed.database))
    if not file.exists():
        return None
    mark = f".before-rebuild-{now:%Y%m%dT%H%M%S}"
    aside = file.with_name(file.name + mark)
    # The main file goes last: without its journal it would be opened as it stood before.
    for ending in ("-shm", "-wal", ""):
        part = file.with_name(file.name + ending)
        if part.exists():
            part.rename(aside.with_name(aside.name + ending))
    return aside


def _make_place(url: str) -> None:
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite" and parsed.database:
        file = Path(parsed.database)
        folder = file.parent
        try:
            folder.mkdir(mode=0o750, parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigurationError(
                f"store: folder {folder} cannot be made: {error.strerror}; "
                "let the service's user write there, or set store.url"
            ) from error
        # SQLite gives its journals the mode of the database; patients' names stand in both. If
        # this fails, opening the database says why.
        with contextlib.suppress(OSError):
            os.close(os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o640))


def _revision(connection: Connection) -> str | None:
    tables = set(inspect(connection).get_table_names())
    if "alembic_version" in tables:
        return str(connection.scalar(text("SELECT version_num FROM alembic_version")))
    if tables & {"series", "instances"}:
        raise ConfigurationError(
            "store: the database holds tables of something else; "
            "give store.url a database of its own"
        )
    return None


def _mismatch(lying: str) -> str:
    if lying in REVISIONS:
        return (
            f"store: the database has schema {lying}, this release needs {REVISIONS[-1]}; "
            "make a backup, then run: qa-daemon db upgrade"
        )
    return (
        f"store: the database has schema {lying}, written by a newer release (this one knows "
        f"{REVISIONS[-1]}); install that release again, or restore a backup"
    )


def _migrate(store: Store) -> None:
    # Imported here: it costs 0.3 s that a start on a current schema does not have.
    from alembic import command
    from alembic.config import Config

    # One at a time, so that processes that start together migrate once.
    with store.taking_turns() as connection:
        lying = _revision(connection)
        if lying is not None and lying not in REVISIONS:
            raise ConfigurationError(_mismatch(lying))
        if store.is_postgresql:
            connection.execute(text(f"SET LOCAL statement_timeout = '{MIGRATION_TIMEOUT_S}s'"))
        config = Config()
        config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
        config.set_main_option("path_separator", "os")
        config.attributes["connection"] = connection
        command.upgrade(config, REVISIONS[-1])
