"""Both engines, a fresh database per test, and receipts to record."""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Final

import attrs
import psycopg
import pytest

from qa_daemon.records.element import Element
from qa_daemon.records.finding import Rejection
from qa_daemon.records.instance import Instance
from qa_daemon.records.receipt import Envelope, Receipt, SpoolRecord
from qa_daemon.store.database import Store
from qa_daemon.store.migrations import schema
from qa_daemon.store.migrations.everything import metadata

NOON: Final = datetime(2026, 3, 1, 12, tzinfo=UTC)
CT_IMAGE: Final = "1.2.840.10008.5.1.4.1.1.2"
EXPLICIT_LITTLE: Final = "1.2.840.10008.1.2.1"


# --- engines -------------------------------------------------------------------------------------


class Cluster:
    """A private PostgreSQL, reached through a socket in its own folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._numbers = count()

    def url(self, database: str) -> str:
        return f"postgresql+psycopg://postgres@/{database}?host={self._folder}"

    def execute(self, statement: str, database: str = "postgres") -> None:
        told = f"host={self._folder} user=postgres dbname={database}"
        with psycopg.connect(told, autocommit=True) as connection:
            connection.execute(statement.encode("ascii"))

    @contextmanager
    def empty(self) -> Iterator[str]:
        """Give a database without tables for a while."""
        name = f"test_{next(self._numbers)}"
        self.execute(f"CREATE DATABASE {name} TEMPLATE template0")
        yield self.url(name)
        self.execute(f"DROP DATABASE {name} WITH (FORCE)")

    def prepared(self) -> str:
        """Empty the tables of the one database that has them: 40 times faster than a new one."""
        names = ", ".join(table.name for table in metadata.sorted_tables)
        self.execute(f"TRUNCATE {names}", "prepared")
        return self.url("prepared")


def _programs() -> Path:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    here = shutil.which("initdb")
    assert found or here, "these tests need PostgreSQL: apt install postgresql"
    return found[-1].parent if found else Path(str(here)).parent


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """Start a cluster that keeps nothing: it is thrown away with its folder."""
    programs, folder = _programs(), Path(tempfile.mkdtemp(prefix="qa-daemon-pg-"))
    as_user: list[str] = []
    if os.geteuid() == 0:  # PostgreSQL refuses to run as root
        user = pwd.getpwnam("postgres")
        os.chown(folder, user.pw_uid, user.pw_gid)
        as_user = ["runuser", "-u", "postgres", "--"]

    def run(*command: str) -> None:
        with (folder.parent / f"{folder.name}.log").open("ab") as log:
            subprocess.run(  # noqa: S603  programs of the distribution
                [*as_user, *command], check=True, cwd="/", stdout=log, stderr=log
            )

    data = str(folder / "data")
    run(str(programs / "initdb"), "-D", data, "-U", "postgres", "-A", "trust", "--no-sync")
    options = f"-k {folder} -c listen_addresses= -c fsync=off -c shared_buffers=16MB"
    run(str(programs / "pg_ctl"), "-D", data, "-w", "-o", options, "start")
    try:
        started = Cluster(folder)
        started.execute("CREATE DATABASE prepared")
        schema.prepare(started.url("prepared"))
        yield started
    finally:
        run(str(programs / "pg_ctl"), "-D", data, "-m", "immediate", "stop")
        shutil.rmtree(folder)
        (folder.parent / f"{folder.name}.log").unlink()


@pytest.fixture(scope="session")
def prepared_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("prepared") / "qa.sqlite"
    schema.prepare(f"sqlite:///{file}")
    return file


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database without tables, on either engine."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'empty.sqlite'}"
        return
    cluster: Cluster = request.getfixturevalue("cluster")
    with cluster.empty() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path, prepared_sqlite: Path) -> str:
    """A database with the schema and nothing in it, on either engine."""
    if request.param == "sqlite":
        return f"sqlite:///{shutil.copy(prepared_sqlite, tmp_path / 'qa.sqlite')}"
    cluster: Cluster = request.getfixturevalue("cluster")
    return cluster.prepared()


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    with Store(url, lock_timeout_s=5.0) as store:
        yield store


# --- values --------------------------------------------------------------------------------------


class Sender:
    """Makes receipts as the receiver would, one second apart."""

    def __init__(self) -> None:
        self._numbers = count(1)

    def receipt(
        self,
        series: str = "1.2.3.1",
        *,
        study: str = "1.2.3",
        uid: str = "",
        digest: str = "",
        ae: str = "CT1",
        association: str = "a1",
        syntax: str = EXPLICIT_LITTLE,
    ) -> Receipt:
        number = next(self._numbers)
        uid = uid or f"{series}.{number}"
        digest = digest or f"{number:064x}"
        key = f"{number:032x}"
        return Receipt(
            record=SpoolRecord(key, 1000 + number, digest),
            envelope=Envelope(
                received_at=NOON + timedelta(seconds=number),
                calling_ae=ae,
                association_id=association,
                sop_instance_uid=uid,
            ),
            instance=Instance(
                study, series, uid, CT_IMAGE, syntax, {"Modality": Element("CS", ("CT",))}
            ),
        )

    def unreadable(self, uid: str = "1.9", digest: str = "") -> Receipt:
        receipt = self.receipt(uid=uid, digest=digest)
        rejection = Rejection(receipt.record.key, "truncated", "ends early", "end-missing")
        return attrs.evolve(receipt, instance=None, rejection=rejection)

    def receipts(self, number: int, series: str = "1.2.3.1") -> Sequence[Receipt]:
        return [self.receipt(series) for _ in range(number)]


@pytest.fixture
def sender() -> Sender:
    return Sender()


@pytest.fixture
def at() -> Callable[[float], datetime]:
    """Return the time so many seconds after noon."""
    return lambda seconds: NOON + timedelta(seconds=seconds)
