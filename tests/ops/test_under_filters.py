"""The product itself, command and roles, under the system call filters of its unit."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from time import monotonic

import pytest
from pydicom.data import get_testdata_file

from qa_daemon.config.settings import Settings
from qa_daemon.ops.systemd import Installation, rendered_units

UNDER_FILTERS = Path(__file__).with_name("under_filters.py")


@pytest.fixture
def filtered(tmp_path: Path) -> list[str]:
    """Return how a command line begins that runs `qa-daemon` under the filters."""
    unit = tmp_path / "unit"
    texts = rendered_units(Installation(Path("/bin/true"), Settings()))
    unit.write_text(next(text for path, text in texts.items() if path.name == "qa-daemon.service"))
    python = sys.executable
    return [python, str(UNDER_FILTERS), str(unit), python, "-m", "qa_daemon"]


def is_ready(ear: socket.socket, process: subprocess.Popen[bytes]) -> bool:
    """Listen until the process says that it is ready, at most a minute; False if it ends first."""
    deadline = monotonic() + 60
    while process.poll() is None and monotonic() < deadline:
        with suppress(TimeoutError):
            if b"READY=1" in ear.recv(4096).splitlines():
                return True
    return False


@contextmanager
def served(filtered: list[str], role: str, state: Path, *arguments: str) -> Iterator[int]:
    """Run a role until it has said that it is ready; end it, and hold it to a clean end."""
    address = state.with_name("notify")
    with (
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ear,
        state.with_name("log").open("w+", encoding="utf-8") as log,
    ):
        ear.bind(str(address))
        ear.settimeout(1)
        command = [*filtered, "serve", role, "--state", str(state), *arguments]
        environment = {**os.environ, "NOTIFY_SOCKET": str(address)}
        with subprocess.Popen(command, env=environment, stderr=log) as process:  # noqa: S603  ours
            try:
                assert is_ready(ear, process), state.with_name("log").read_text()
                yield process.pid
            finally:
                process.send_signal(signal.SIGTERM)
                status = process.wait(timeout=60)
        log.seek(0)
        said = [json.loads(line) for line in log]
    assert status == 0
    assert [line for line in said if line["level"] == "error"] == []


def test_a_file_is_checked_with_predictions(filtered: list[str], tmp_path: Path) -> None:
    file = str(get_testdata_file("CT_small.dcm"))
    command = [*filtered, "check", "--json", "--state", str(tmp_path / "state"), file]
    ran = subprocess.run(  # noqa: S603  ours
        command, capture_output=True, text=True, check=False, timeout=120
    )
    assert ran.returncode in {0, 1}, ran.stderr
    (series,) = json.loads(ran.stdout)["series"]
    predicted = {said["target"]: said for said in series["predictions"]}
    assert predicted["axial_orientation"]["probability"] is not None


def test_the_receiver_answers_and_ends(filtered: list[str], tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as finder:
        port = str(finder.getsockname()[1])
    file = str(get_testdata_file("CT_small.dcm"))
    with served(filtered, "receiver", tmp_path / "state", "--port", port):
        sent = subprocess.run(  # noqa: S603
            ["storescu", "-aec", "QADAEMON", "127.0.0.1", port, file],  # noqa: S607
            capture_output=True, text=True, check=False, timeout=60,
        )  # fmt: skip
        assert (sent.returncode, sent.stderr) == (0, "")


def test_the_worker_starts_and_ends(filtered: list[str], tmp_path: Path) -> None:
    with served(filtered, "worker", tmp_path / "state") as process:
        assert process > 0
