"""One engine for SQLite and PostgreSQL: transactions, and what their failures mean.

SQLite: WAL, `synchronous=FULL`, write transactions `BEGIN IMMEDIATE`, one writing thread at a time.
PostgreSQL: `lock_timeout` and `statement_timeout` on every connection.
"""

import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from typing import Any, Final, Self, TypeAlias, TypeVar

from sqlalchemy import URL, Connection, Engine, create_engine, event, exc, make_url, text

from qa_daemon.errors import ConfigurationError, QaDaemonError, RetryableError
from qa_daemon.store.tables import KEYS_PER_QUERY

T = TypeVar("T")

#: What `Store` gives; higher rooms hand it on and never look into it.
Transaction: TypeAlias = Connection

#: A statement that takes longer than this many lock timeouts is stuck; a batch takes under 1 s.
STATEMENT_PER_LOCK_TIMEOUT: Final = 6
#: Threads that may wait for a connection beside the index thread: metrics, health, associations.
POOL_SIZE: Final = 8
#: Names the advisory lock under which PostgreSQL records, judges and deletes, one at a time.
TURNS_LOCK: Final = 0x51AD_0001

_WRITES: Final = "qa_daemon_writes"

# Primary result codes of SQLite (sqlite.org/rescode.html) and classes of SQLSTATE.
_SQLITE_DAMAGED: Final = {11, 26}  # CORRUPT, NOTADB
_SQLITE_UNAVAILABLE: Final = {
    5,
    6,
    7,
    8,
    10,
    13,
    14,
}  # BUSY LOCKED NOMEM READONLY IOERR FULL CANTOPEN
_SQLSTATE_DAMAGED: Final = {"XX001", "XX002"}  # data_corrupted, index_corrupted
_SQLSTATE_READ_ONLY: Final = "25006"


class StoreUnavailable(RetryableError):  # noqa: N818  a state of the store, named so between rooms
    """Locked, full, unreachable or too slow: nothing of this transaction was written."""


class StoreDamaged(ConfigurationError):  # noqa: N818  a state of the store, named so between rooms
    """The database itself is broken; the spool can rebuild it."""


class Store:
    """The database. For all threads of a process; other processes open their own.

    Raises
    ------
    ConfigurationError
        If the URL names no database that we speak.
    """

    def __init__(self, url: str, lock_timeout_s: float) -> None:
        self._lock_timeout_s = lock_timeout_s
        self._engine = _engine(_checked(url), lock_timeout_s)
        self.is_postgresql = self._engine.dialect.name == "postgresql"
        # Threads queue here in turn; SQLite's own busy handler sleeps up to 100 ms between tries.
        self._writer = threading.Lock()

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Give one consistent view."""
        with _translated(), self._engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Give one transaction: all of it is durable at the end of the block, or none.

        Raises
        ------
        StoreUnavailable
            Try again later.
        StoreDamaged
            Rebuild.
        """
        with self._turn(), _translated(), self._engine.connect() as connection:
            writing = connection.execution_options(**{_WRITES: True})
            with writing.begin():
                yield writing

    @contextmanager
    def taking_turns(self) -> Iterator[Connection]:
        """Give a transaction beside which no other of this kind runs, here or elsewhere."""
        with self.writing() as connection:
            if self.is_postgresql:
                connection.execute(text(f"SELECT pg_advisory_xact_lock({TURNS_LOCK})"))
            yield connection

    def close(self) -> None:
        """Close the connections."""
        self._engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    @contextmanager
    def _turn(self) -> Iterator[None]:
        if self.is_postgresql:
            yield
            return
        if not self._writer.acquire(timeout=self._lock_timeout_s):
            raise StoreUnavailable("store: another thread has been writing too long; try again")
        try:
            yield
        finally:
            self._writer.release()


def parts(items: Iterable[T]) -> Iterator[list[T]]:
    """Cut what a query is asked for into pieces of `KEYS_PER_QUERY`."""
    remaining = iter(items)
    while part := list(islice(remaining, KEYS_PER_QUERY)):
        yield part


def _checked(text_url: str) -> URL:
    try:
        url = make_url(text_url)
    except exc.ArgumentError as error:
        raise ConfigurationError(
            "store.url: not a database URL; use sqlite:////folder/file or "
            "postgresql+psycopg://user@host/database"
        ) from error
    if url.get_backend_name() == "sqlite" and url.database not in {None, "", ":memory:"}:
        return url.set(drivername="sqlite")
    if url.get_backend_name() == "postgresql":
        return url.set(drivername="postgresql+psycopg")
    raise ConfigurationError(
        f"store.url: {url.get_backend_name()} is not served; use sqlite:////folder/file or "
        "postgresql+psycopg://user@host/database"
    )


def _engine(url: URL, lock_timeout_s: float) -> Engine:
    lock_ms = int(lock_timeout_s * 1000)
    if url.get_backend_name() == "sqlite":
        arguments: dict[str, Any] = {"timeout": lock_timeout_s, "check_same_thread": False}
    else:
        statement_ms = lock_ms * STATEMENT_PER_LOCK_TIMEOUT
        arguments = {
            "options": f"-c lock_timeout={lock_ms} -c statement_timeout={statement_ms}",
            "connect_timeout": max(2, int(lock_timeout_s)),
        }
    try:
        engine = create_engine(
            url, pool_size=POOL_SIZE, pool_timeout=lock_timeout_s, connect_args=arguments
        )
    except ModuleNotFoundError as error:
        raise ConfigurationError(
            "store.url: PostgreSQL needs its driver; pip install 'qa-daemon[postgresql]'"
        ) from error
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: Any, _record: object) -> None:
    # The driver would begin transactions by itself, deferred, and fail to upgrade them under load.
    connection.isolation_level = None
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get(_WRITES, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


@contextmanager
def _translated() -> Iterator[None]:
    """Turn what drivers raise into the error family; what only a bug raises passes unchanged."""
    try:
        yield
    except exc.TimeoutError as error:
        raise StoreUnavailable("store: all connections are in use; try again") from error
    except exc.DBAPIError as error:
        meaning = _meaning(error)
        if meaning is None:
            raise
        raise meaning from error


def _meaning(error: exc.DBAPIError) -> QaDaemonError | None:
    code = getattr(error.orig, "sqlite_errorcode", None)
    if code is not None:
        return _sqlite_meaning(code & 0xFF, str(error.orig))
    state = getattr(error.orig, "sqlstate", None)
    if state in _SQLSTATE_DAMAGED:
        return StoreDamaged(f"store: the database is damaged (SQLSTATE {state}); {REPAIR}")
    if isinstance(error, exc.OperationalError | exc.InterfaceError) or state == _SQLSTATE_READ_ONLY:
        return StoreUnavailable(
            f"store: PostgreSQL does not answer as it should (SQLSTATE {state}); "
            "look at the server and at store.url"
        )
    return None


#: What a site does with a broken database.
REPAIR: Final = "restore it from a backup, or make it anew from the spool: qa-daemon rebuild"


def _sqlite_meaning(code: int, reason: str) -> QaDaemonError | None:
    if code in _SQLITE_DAMAGED:
        return StoreDamaged(f"store: {reason}; {REPAIR}")
    if code in _SQLITE_UNAVAILABLE:
        return StoreUnavailable(f"store: {reason}; try again, and look at the disk and its rights")
    return None
