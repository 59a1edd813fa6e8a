"""What the service manager hears, on a real socket."""

import os
import re
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from qa_daemon.ops import notify as words
from qa_daemon.ops.notify import more_time, notify, reloading, status, watchdog_s


@pytest.fixture(params=["path", "abstract"])
def manager(
    request: pytest.FixtureRequest, tmp_path: Path
) -> Iterator[tuple[socket.socket, dict[str, str]]]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ear:
        ear.settimeout(5)
        if request.param == "path":
            ear.bind(str(tmp_path / "notify"))
            yield ear, {"NOTIFY_SOCKET": str(tmp_path / "notify")}
        else:
            ear.bind(f"\0qa-daemon-{os.getpid()}")
            yield ear, {"NOTIFY_SOCKET": f"@qa-daemon-{os.getpid()}"}


def test_the_manager_hears_what_is_said(manager: tuple[socket.socket, dict[str, str]]) -> None:
    ear, environment = manager
    for message in (words.READY, words.ALIVE, words.STOPPING, status("a\nb  c"), more_time(1.5)):
        assert notify(message, environment)
        assert ear.recv(4096).decode() == message


def test_a_status_is_one_line_and_more_time_is_in_microseconds() -> None:
    assert status("a\nREADY=1") == "STATUS=a READY=1"
    assert more_time(1.5) == "EXTEND_TIMEOUT_USEC=1500000"
    assert re.fullmatch(r"RELOADING=1\nMONOTONIC_USEC=\d+", reloading())


@pytest.mark.parametrize("address", ["", "relative", "/nowhere/notify", "vsock:1:2"])
def test_without_a_manager_nothing_happens(address: str) -> None:
    assert not notify(words.READY, {"NOTIFY_SOCKET": address})
    assert not notify(words.READY, {})


def test_the_environment_of_the_process_counts_unless_another_is_given(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    monkeypatch.setenv("WATCHDOG_USEC", "4000000")
    monkeypatch.delenv("WATCHDOG_PID", raising=False)
    assert not notify(words.READY)
    assert watchdog_s() == 2.0


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, None),
        ({"WATCHDOG_USEC": "60000000"}, 30.0),
        ({"WATCHDOG_USEC": "60000000", "WATCHDOG_PID": str(os.getpid())}, 30.0),
        ({"WATCHDOG_USEC": "60000000", "WATCHDOG_PID": "1"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
    ],
)
def test_the_watchdog_is_fed_twice_as_often_as_asked(
    environment: dict[str, str], expected: float | None
) -> None:
    assert watchdog_s(environment) == expected


def test_a_manager_that_reads_nothing_holds_nobody_up(
    manager: tuple[socket.socket, dict[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(words, "SEND_TIMEOUT_S", 0.01)
    _, environment = manager
    for _ in range(10_000):  # more than any queue of datagrams holds
        if not notify(words.ALIVE, environment):
            return
    pytest.fail("the queue took everything")
