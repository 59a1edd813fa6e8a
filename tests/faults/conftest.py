"""The real service in processes of its own, to be killed, starved and stopped; and its senders."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Self

import pytest
import yaml
from attrs import define, field, frozen

from qa_daemon.limits import Limits
from qa_daemon.records.instance import Instance
from qa_daemon.spool.spool import Spool
from qa_daemon.store import instance_rows, series_rows
from qa_daemon.store.database import Store
from qa_daemon.store.series_rows import SeriesFilter, SeriesRow
from tests.intake.conftest import element, part10
from tests.programs import system_program

ROOT: Final = Path(__file__).parents[2]
#: Everything that is waited for comes within this, on a machine that does ten other things too.
DEADLINE_S: Final = 90.0
CT_IMAGE: Final = "1.2.840.10008.5.1.4.1.1.2"
EDGE: Final = 64  # rows and columns


# --- objects -------------------------------------------------------------------------------------


def data_set(series: str, number: int) -> bytes:
    """Return one of the slices of a CT series; no two have the same pixels."""
    short = EDGE.to_bytes(2, "little")
    ramp = bytes((row * column + number) & 0x7F for row in range(EDGE) for column in range(EDGE))
    picture = b"".join(bytes((value, number & 3)) for value in ramp)
    return b"".join(
        (
            element(0x0008, 0x0016, "UI", CT_IMAGE.encode()),
            element(0x0008, 0x0018, "UI", f"{series}.{number}".encode()),
            element(0x0008, 0x0020, "DA", b"20260301"),
            element(0x0008, 0x0030, "TM", b"120000"),
            element(0x0008, 0x0050, "SH", b"4711"),
            element(0x0008, 0x0060, "CS", b"CT"),
            element(0x0008, 0x0070, "LO", b"Drawn"),
            element(0x0008, 0x0090, "PN", b""),
            element(0x0010, 0x0010, "PN", b"Nobody^Drawn"),
            element(0x0010, 0x0020, "LO", b"4711"),
            element(0x0010, 0x0030, "DA", b"19700101"),
            element(0x0010, 0x0040, "CS", b"O"),
            element(0x0018, 0x0015, "CS", b"ABDOMEN"),
            element(0x0018, 0x0050, "DS", b"2"),
            element(0x0018, 0x5100, "CS", b"HFS"),
            element(0x0020, 0x000D, "UI", series.rpartition(".")[0].encode()),
            element(0x0020, 0x000E, "UI", series.encode()),
            element(0x0020, 0x0010, "SH", b"1"),
            element(0x0020, 0x0011, "IS", b"1"),
            element(0x0020, 0x0013, "IS", str(number).encode()),
            element(0x0020, 0x0032, "DS", f"-100\\-100\\{number * 2}".encode()),
            element(0x0020, 0x0037, "DS", b"1\\0\\0\\0\\1\\0"),
            element(0x0020, 0x0052, "UI", f"{series}.0.1".encode()),
            element(0x0028, 0x0002, "US", b"\1\0"),
            element(0x0028, 0x0004, "CS", b"MONOCHROME2"),
            element(0x0028, 0x0010, "US", short),
            element(0x0028, 0x0011, "US", short),
            element(0x0028, 0x0030, "DS", b"3\\3"),
            element(0x0028, 0x0100, "US", b"\x10\0"),
            element(0x0028, 0x0101, "US", b"\x0c\0"),
            element(0x0028, 0x0102, "US", b"\x0b\0"),
            element(0x0028, 0x0103, "US", b"\0\0"),
            element(0x0028, 0x1052, "DS", b"-1024"),
            element(0x0028, 0x1053, "DS", b"1"),
            element(0x7FE0, 0x0010, "OW", picture),
        )
    )


@frozen
class Drawn:
    """A series that lies in files.

    Attributes
    ----------
    bodies
        Per SOP Instance UID the bytes of its data set.
    files
        Per SOP Instance UID its file.
    """

    series: str
    bodies: Mapping[str, bytes]
    files: Mapping[str, Path]


def drawn(folder: Path, series: str, count: int, first: int = 1) -> Drawn:
    """Write `count` slices of a series into a folder of their own."""
    place = folder / series
    place.mkdir(parents=True, exist_ok=True)
    bodies, files = {}, {}
    for number in range(first, first + count):
        uid = f"{series}.{number}"
        bodies[uid] = data_set(series, number)
        files[uid] = place / f"{number:05}.dcm"
        files[uid].write_bytes(part10(bodies[uid], uid))
    return Drawn(series, bodies, files)


# --- the service ---------------------------------------------------------------------------------


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def eventually(holds: Callable[[], bool], what: str, deadline_s: float = DEADLINE_S) -> None:
    """Wait for something that another process brings about."""
    until = time.monotonic() + deadline_s
    while not holds():
        assert time.monotonic() < until, what
        threading.Event().wait(0.02)


def merged(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """Return both configurations in one, the other's values before the first's."""
    both = dict(one)
    for key, value in other.items():
        both[key] = merged(both.get(key, {}), value) if isinstance(value, Mapping) else value
    return both


@define
class Daemon:
    """`qa-daemon serve` on a state folder; started and ended many times."""

    folder: Path
    settings: dict[str, Any]
    roles: tuple[str, ...] = ()
    process: "subprocess.Popen[bytes] | None" = None
    environment: dict[str, str] = field(factory=dict)
    _ear: socket.socket | None = None

    @property
    def state(self) -> Path:
        return Path(self.settings["state"])

    @property
    def configuration(self) -> Path:
        return self.folder / "service.yaml"

    @property
    def log_file(self) -> Path:
        return self.folder / "log"

    @property
    def port(self) -> int:
        return int(self.settings["receiver"]["port"])

    @property
    def store_url(self) -> str:
        url = self.settings.get("store", {}).get("url")
        return str(url or f"sqlite:///{self.state / 'qa-daemon.sqlite'}")

    def configure(self, **changes: Any) -> None:
        """Write the configuration anew; a running service has to be told."""
        self.settings = merged(self.settings, changes)
        self.configuration.write_text(yaml.safe_dump(self.settings))

    def spawn(self) -> None:
        """Start it in a process group of its own."""
        place = self.folder / "notify"
        place.unlink(missing_ok=True)
        if self._ear is not None:
            self._ear.close()
        self._ear = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._ear.bind(str(place))
        told = ["--config", str(self.configuration)]
        with self.log_file.open("ab") as log:
            self.process = subprocess.Popen(  # noqa: S603  our own interpreter and module
                [sys.executable, "-m", "qa_daemon", "serve", *self.roles, *told],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                cwd=ROOT,
                env={**os.environ, "NOTIFY_SOCKET": str(place), **self.environment},
            )

    def await_ready(self) -> None:
        """Wait until the service says that it is ready."""
        assert self._ear is not None
        assert self.process is not None
        self._ear.settimeout(0.2)
        until = time.monotonic() + DEADLINE_S
        while True:
            with contextlib.suppress(TimeoutError):
                if b"READY=1" in self._ear.recv(4096).splitlines():
                    return
            assert self.process.poll() is None, f"it ended: {self.log()[-2000:]}"
            assert time.monotonic() < until, f"it is not ready: {self.log()[-2000:]}"

    def start(self) -> None:
        self.spawn()
        self.await_ready()

    def kill(self) -> None:
        """End every process of the service at once, without a word."""
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def signal(self, number: signal.Signals) -> None:
        assert self.process is not None
        self.process.send_signal(number)

    def ended(self, deadline_s: float = DEADLINE_S) -> int:
        """Wait for its end; return its status."""
        assert self.process is not None
        return self.process.wait(deadline_s)

    def terminate(self, deadline_s: float = DEADLINE_S) -> int:
        self.signal(signal.SIGTERM)
        return self.ended(deadline_s)

    def log(self) -> str:
        return self.log_file.read_text(errors="replace") if self.log_file.exists() else ""

    def says(self, *words: str) -> bool:
        """Whether one line of the log holds all these words."""
        return self.count(*words) > 0

    def count(self, *words: str) -> int:
        """Return how many lines of the log hold all these words."""
        lines = self.log().splitlines()
        return sum(all(word in line for word in words) for line in lines)

    def children(self) -> dict[str, int]:
        """Return the process of each role."""
        assert self.process is not None
        found = {}
        for pid in descendants(self.process.pid)[:50]:
            with contextlib.suppress(OSError):
                words = Path(f"/proc/{pid}/cmdline").read_bytes().decode().split("\0")
                if "serve" in words:
                    found[words[words.index("serve") + 1]] = pid
        return found

    def store(self) -> Store:
        return Store(self.store_url, 10.0)

    def series(self) -> tuple[SeriesRow, ...]:
        with self.store() as store:
            return series_rows.series_list(store, SeriesFilter(), 1000)

    def judged(self, count: int = 1) -> bool:
        """Whether so many series exist, and a verdict was reached on each."""
        rows = self.series()
        states = {row.state.value for row in rows}
        return len(rows) == count and states <= {"clean", "waiting"}

    def instances(self) -> tuple[Instance, ...]:
        with self.store() as store:
            rows = series_rows.series_list(store, SeriesFilter(), 1000)
            return tuple(
                each
                for row in rows
                for each in instance_rows.instances_of(store, row.series_key, row.revision)
            )

    def __enter__(self) -> Self:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.configure()
        return self

    def __exit__(self, *_exception: object) -> None:
        self.kill()
        if self._ear is not None:
            self._ear.close()


def descendants(pid: int) -> list[int]:
    """Return the processes below one, nearest first."""
    found: list[int] = []
    waiting = [pid]
    while waiting:
        one = waiting.pop(0)
        with contextlib.suppress(OSError):
            told = Path(f"/proc/{one}/task/{one}/children").read_text().split()
            found += map(int, told)
            waiting += map(int, told)
    return found


def settings_for(folder: Path) -> dict[str, Any]:
    return {
        "state": str(folder / "state"),
        "receiver": {"host": "127.0.0.1", "port": free_port()},
        "folder": {"quiet_s": 0.3},
        "assembly": {"quiet_s": 1},
        "spool": {"free_bytes_min": 0},
        "worker": {"poll_s": 0.1, "lease_s": 3, "attempts_max": 50, "decode_deadline_s": 30},
        "web": {"port": 0},
        "log": {"format": "json"},
        "stop_timeout_s": 20,
    }


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Callable[..., Daemon]]:
    """Return a function that makes a service, not yet started; all are killed at the end."""
    with contextlib.ExitStack() as stack:

        def make(*roles: str, name: str = "service", **changes: Any) -> Daemon:
            folder = tmp_path / name
            made = Daemon(folder, merged(settings_for(folder), changes), roles)
            return stack.enter_context(made)

        yield make


# --- what must hold ------------------------------------------------------------------------------


def check_kept(daemon: Daemon, acknowledged: set[str], bodies: Mapping[str, bytes]) -> int:
    """Hold that what was acknowledged is there, byte for byte and once; return how much is there.

    The service must not run.
    """
    rows = daemon.instances()
    times = Counter(row.sop_instance_uid for row in rows)
    assert acknowledged <= set(times), f"lost: {sorted(acknowledged - set(times))[:5]}"
    assert set(times.values()) <= {1}, f"twice: {[uid for uid in times if times[uid] > 1][:5]}"
    spool_folder = Path(daemon.settings["spool"].get("path") or daemon.state / "spool")
    with Spool(spool_folder, Limits()) as spool:
        for row in rows:
            spool.verify(row.source)
            offset = spool.envelope(row.source).data_set_offset
            assert spool.content(row.source)[offset:] == bodies[row.sop_instance_uid]
        assert sorted(spool.keys()) == sorted(row.source for row in rows)
    return len(rows)


def check_judged_once(daemon: Daemon) -> None:
    """Hold that every series has a verdict on its last revision, and no revision has two."""
    from sqlalchemy import text  # noqa: PLC0415  a look behind the store's back

    with daemon.store() as store, store.reading() as connection:
        series = connection.execute(text("SELECT series_key, state, revision FROM series")).all()
        results = connection.execute(
            text("SELECT series_key, revision, count(*) FROM results GROUP BY 1, 2")
        ).all()
    counted = {(key, revision): count for key, revision, count in results}
    assert series
    for key, state, revision in series:
        assert state in {"clean", "waiting"}
        assert counted[key, revision] == 1
    assert set(counted.values()) == {1}


# --- senders -------------------------------------------------------------------------------------


@define
class StoreScu:
    """dcmtk's storescu, as modalities run it: it says of each file how it was answered."""

    port: int
    drawn: Drawn
    acknowledged: set[str]
    on_success: Callable[[], None] = lambda: None
    statuses: Counter[str] = field(factory=Counter)
    _process: "subprocess.Popen[str] | None" = None
    _thread: threading.Thread | None = None

    def start(self, uids: Sequence[str]) -> None:
        """Begin to send these."""
        program = system_program("storescu")
        files = [str(self.drawn.files[uid]) for uid in uids]
        self._process = subprocess.Popen(  # noqa: S603  our own arguments
            [program, "-v", "-nh", "-aec", "QADAEMON", "127.0.0.1", str(self.port), *files],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
        self._thread = threading.Thread(target=self._listen)
        self._thread.start()

    def _listen(self) -> None:
        assert self._process is not None
        assert self._process.stdout is not None
        named = {str(path): uid for uid, path in self.drawn.files.items()}
        sending = ""
        for line in self._process.stdout:
            if "Sending file: " in line:
                sending = line.partition("Sending file: ")[2].strip()
            elif "Received Store Response (" in line:
                status = line.partition("Received Store Response (")[2].partition(")")[0]
                self.statuses[status] += 1
                if status == "Success":
                    self.acknowledged.add(named[sending])
                    self.on_success()

    def wait(self) -> int:
        assert self._process is not None
        assert self._thread is not None
        try:
            status = self._process.wait(DEADLINE_S)
            self._thread.join(DEADLINE_S)
        finally:
            self._process.kill()
        assert self._process.stdout is not None
        self._process.stdout.close()
        return status


def send(port: int, of: Drawn, uids: Sequence[str] = ()) -> StoreScu:
    """Send what is drawn, or part of it, to the end."""
    scu = StoreScu(port, of, set())
    scu.start(uids or list(of.files))
    scu.wait()
    return scu
