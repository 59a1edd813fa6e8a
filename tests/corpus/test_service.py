"""The hostile corpus through the whole running service, by folder and by C-STORE."""

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from time import monotonic
from typing import Any

import pytest
import yaml
from attrs import frozen

from qa_daemon.config.load import load_settings
from qa_daemon.records.states import SeriesState
from qa_daemon.store import series_rows
from qa_daemon.store.database import Store
from tests.corpus.conftest import MIB
from tests.corpus.test_nasty import SECONDS_MAX, TRACE, cases, files_of
from tests.intake.conftest import RawScu
from tests.intake.test_nasty import answered, sent

pytestmark = pytest.mark.shared

MEMORY_MAX = 1024 * MIB
DEADLINE_S = 180.0
ROLES = ("receiver", "worker", "outbound", "web")
AT_WORK = (SeriesState.RECEIVING, SeriesState.SETTLED, SeriesState.PREDICTED)


@frozen
class Running:
    """A service as systemd or a person would run it."""

    process: "subprocess.Popen[bytes]"
    state: Path
    port: int

    @property
    def incoming(self) -> Path:
        return self.state / "incoming"

    def processes(self) -> dict[int, str]:
        """Return all processes of the service by id, with their command lines."""
        found = {}
        for entry in Path("/proc").iterdir():
            with contextlib.suppress(OSError, ValueError):
                if os.getsid(int(entry.name)) == self.process.pid:
                    words = (entry / "cmdline").read_bytes().split(b"\0")
                    found[int(entry.name)] = b" ".join(words).decode()
        return found

    def roles(self) -> dict[str, int]:
        """Return the process of each role."""
        lines = self.processes().items()
        return {role: pid for role in ROLES for pid, line in lines if f"serve {role}" in line}

    def most_memory(self) -> int:
        """Return the most that any process has had resident, in bytes."""
        most = 0
        for pid in self.processes():
            with contextlib.suppress(OSError):
                for line in Path(f"/proc/{pid}/status").read_text().splitlines():
                    if line.startswith("VmHWM:"):
                        most = max(most, int(line.split()[1]) * 1024)
        return most

    def events(self) -> list[dict[str, Any]]:
        """Return the log."""
        lines = (self.state / "log").read_text().splitlines()
        return [json.loads(line) for line in lines if line.startswith("{")]

    def is_ready(self) -> bool:
        """Whether all roles are ready, which the supervisor says, and the folder is watched."""
        said = [each for each in self.events() if each["event"] == "service.ready"]
        return any("role" not in each for each in said) and self.incoming.is_dir()

    def states(self) -> dict[SeriesState, int]:
        """Return how many series are in each state."""
        url = load_settings(None, overrides={"state": self.state}).store_url
        with Store(url, 5.0) as store:
            return dict(series_rows.counts(store).series)


def eventually(holds: Callable[[], bool], what: str) -> None:
    until = monotonic() + DEADLINE_S
    pause = threading.Event()
    while not holds():
        assert monotonic() < until, what
        pause.wait(0.1)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Running]:
    state = tmp_path / "state"
    state.mkdir()
    port = free_port()
    configuration = {
        "state": str(state),
        "receiver": {"port": port, "private_sop_classes": True},
        "folder": {"quiet_s": 0.2, "rescan_s": 1},
        "assembly": {"quiet_s": 1},
        "web": {"port": free_port()},
        "log": {"format": "json"},
    }
    (state / "service.yaml").write_text(yaml.safe_dump(configuration))
    with (state / "log").open("wb") as log:
        process = subprocess.Popen(  # noqa: S603  our own command
            [sys.executable, "-m", "qa_daemon", "serve", "--config", str(state / "service.yaml")],
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    running = Running(process, state, port)
    try:
        eventually(running.is_ready, "it did not start")
        yield running
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(DEADLINE_S)
    assert process.returncode == 0


def holds_up(service: Running, before: dict[str, int]) -> None:
    """Wait until everything is judged; nothing may have died, grown, hung or leaked a trace."""
    eventually(lambda: bool(service.states()), "nothing came in")
    eventually(lambda: not any(service.states().get(state) for state in AT_WORK), "series are left")
    assert service.roles() == before
    assert service.most_memory() < MEMORY_MAX
    events = service.events()
    slow = [event for event in events if event.get("duration_s", 0.0) > SECONDS_MAX]
    assert slow == []
    wrong = [event for event in events if event["event"] in ("bug", "rule.fault")]
    assert wrong == []
    assert not TRACE.search((service.state / "log").read_text())


def test_the_corpus_through_the_watched_folder_is_judged_to_the_last(
    service: Running, nasty: Path, tmp_path: Path
) -> None:
    before = service.roles()
    assert set(before) == set(ROLES)
    taken = [case for case in cases(nasty) if case["folder"]["outcome"] != "n/a"]
    copied = shutil.copytree(
        nasty, tmp_path / "copy", symlinks=True,
        ignore=shutil.ignore_patterns("special", "manifest.json"),
    )  # fmt: skip
    copied.rename(service.incoming / "corpus")
    paths = [
        service.incoming / "corpus" / file
        for case in taken
        if case["group"] != "special"
        for file in files_of(case)
    ]
    eventually(lambda: not any(map(os.path.lexists, paths)), "files are left")
    holds_up(service, before)
    assert sum(service.states().values()) > 80


def test_the_corpus_through_c_store_is_judged_to_the_last(service: Running, nasty: Path) -> None:
    before = service.roles()
    slow = []
    with contextlib.ExitStack() as stack:
        peers: dict[str, RawScu] = {}
        for case in cases(nasty):
            if case["cstore"].get("status") is None:
                continue
            for file in files_of(case):
                syntax, sop_class, instance, body = sent(nasty / file)
                if syntax not in peers:
                    peers[syntax] = stack.enter_context(RawScu(service.port))
                    assert peers[syntax].associate(syntax=syntax) == 2
                begun = monotonic()
                status = answered(peers[syntax], sop_class, instance, body)
                assert status in (0x0000, 0xC000), case["id"]
                if monotonic() - begun > SECONDS_MAX:
                    slow.append(case["id"])
    assert slow == []
    holds_up(service, before)
    assert sum(service.states().values()) > 60
