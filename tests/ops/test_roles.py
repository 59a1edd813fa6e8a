"""Each role starts on an empty state folder, says that it is ready, and ends on a signal."""

import os
import signal
import socket
import threading
from pathlib import Path

import pytest

from qa_daemon.errors import ConfigurationError
from qa_daemon.ops.roles import run
from qa_daemon.ops.supervise import Role
from tests.ops.conftest import Manager, Site, eventually


def end_when_ready(manager: Manager, *signals: signal.Signals) -> threading.Thread:
    """Send signals to this process as soon as the role is ready."""

    def watch() -> None:
        eventually(lambda: manager.hears("READY=1"), "ready")
        for number in signals:
            os.kill(os.getpid(), number)

    thread = threading.Thread(target=watch)
    thread.start()
    return thread


@pytest.mark.parametrize("role", list(Role))
def test_a_role_starts_and_ends(
    site: Site, manager: Manager, role: Role, capfd: pytest.CaptureFixture[str]
) -> None:
    site.configure({"receiver": {"port": 0}})
    watcher = end_when_ready(manager, signal.SIGHUP, signal.SIGTERM)
    assert run(role, site.load) == 0
    watcher.join()
    assert manager.hears(f"X_ROLE={role.value}")
    said = capfd.readouterr().err
    for event in ("role.started", "service.ready", "role.ended"):
        assert f'"event": "{event}"' in said
    assert '"bug"' not in said


def test_a_port_that_is_taken_is_named(site: Site) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        site.configure({"web": {"port": port}})
        with pytest.raises(ConfigurationError, match=f"web 127.0.0.1:{port}: cannot listen"):
            run(Role.WEB, site.load)
        site.configure({"receiver": {"port": port}})
        with pytest.raises(ConfigurationError, match=str(port)):
            run(Role.RECEIVER, site.load)


def test_a_store_that_is_away_is_waited_for(
    site: Site, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    place = tmp_path / "state" / "qa-daemon.sqlite"
    place.mkdir(parents=True)  # a folder in its place: it cannot be opened

    threading.Timer(0.5, os.kill, [os.getpid(), signal.SIGTERM]).start()
    assert run(Role.OUTBOUND, site.load) == 0
    assert '"role.waiting"' in capfd.readouterr().err
