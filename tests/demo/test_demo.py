"""The demo as a new user runs it."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from time import monotonic

import pytest
from PIL import Image

DEADLINE_S = 180.0


def started(*arguments: str | Path) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "qa_daemon", "demo", *map(str, arguments)]
    environment = {**os.environ, "COLUMNS": "100"}
    return subprocess.Popen(  # noqa: S603  our own command
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def is_ours(entry: Path, state: Path) -> bool:
    try:
        return str(state).encode() in (entry / "cmdline").read_bytes()
    except OSError:
        return False


def processes_of(state: Path) -> list[str]:
    """Return the processes that were started with this state folder."""
    entries = [entry for entry in Path("/proc").iterdir() if entry.name.isdigit()]
    return [entry.name for entry in entries if is_ours(entry, state)]


@pytest.fixture
def state(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "state"
    assert processes_of(tmp_path / "state") == [], "the demo left its service running"


def test_the_demo_finds_every_planted_error_and_no_other(state: Path) -> None:
    with started("--exit", "--state", state) as demo:
        out, err = demo.communicate(timeout=DEADLINE_S)
    assert demo.returncode == 0, out + err
    assert "All 16 are as planted." in out
    assert err == ""
    for promised in ("synthetic", "C-STORE", "folder", str(state / "reports"), "queue list"):
        assert promised in out
    assert len(list((state / "reports").rglob("*.json"))) == 16
    with Image.open(state / "finding.png") as picture:
        assert picture.width > 800
    assert "Traceback" not in (state / "service.log").read_text()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interrupted_demo_is_no_success_and_ends_its_service(
    state: Path, number: signal.Signals
) -> None:
    with started("--exit", "--state", state) as demo:
        assert demo.stdout is not None
        said = ""
        while "Service started" not in said:
            said += demo.stdout.readline()
        demo.send_signal(number)
        out, err = demo.communicate(timeout=DEADLINE_S)
    assert demo.returncode == 130
    assert ("as planted" in out, err) == (False, "")


def test_the_demo_serves_on_until_it_is_told_to_end(state: Path) -> None:
    with started("--state", state) as demo:
        assert demo.stdout is not None
        said = ""
        until = monotonic() + DEADLINE_S
        while "Ctrl-C ends it." not in said:
            assert monotonic() < until
            said += demo.stdout.readline()
        assert processes_of(state)
        demo.send_signal(signal.SIGINT)
        out, err = demo.communicate(timeout=DEADLINE_S)
    assert "Stopping." in out
    assert (demo.returncode, err) == (0, "")


def failed(*arguments: str | Path) -> str:
    with started("--exit", *arguments) as demo:
        out, err = demo.communicate(timeout=DEADLINE_S)
    assert demo.returncode == 2
    assert "Traceback" not in out + err
    return err


def test_a_folder_that_is_no_demos_is_left_alone(state: Path) -> None:
    state.mkdir()
    (state / "service.yaml").write_text("state: .\n")
    assert "no demo's" in failed("--state", state)
    assert (state / "service.yaml").read_text() == "state: .\n"
    assert len(list(state.iterdir())) == 1


def test_a_file_in_place_of_the_folder_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert "cannot be used" in failed("--state", tmp_path / "file")


def test_a_port_that_is_taken_is_told_at_once(state: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = str(other.getsockname()[1])
        assert f"--port {port}" in failed("--port", port, "--state", state)
