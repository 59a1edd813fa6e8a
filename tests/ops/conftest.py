"""A service manager that listens, and a configuration on disk."""

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import pytest
import yaml
from attrs import define, field

from qa_daemon.config.load import load_settings
from qa_daemon.config.settings import Settings
from qa_daemon.telemetry import log as telemetry

DEADLINE_S: Final = 60.0


def eventually(holds: Callable[[], bool], what: str) -> None:
    """Wait for something that another thread or process brings about."""
    until = time.monotonic() + DEADLINE_S
    while not holds():
        assert time.monotonic() < until, what
        threading.Event().wait(0.01)


@define
class Manager:
    """Hears what a service tells by sd_notify(3)."""

    place: Path
    _socket: socket.socket
    heard: list[str] = field(factory=list)

    def hears(self, word: str) -> bool:
        """Whether `word` has come by now."""
        with contextlib.suppress(BlockingIOError):
            while True:
                self.heard += self._socket.recv(4096).decode().splitlines()
        return any(line.startswith(word) for line in self.heard)


@pytest.fixture
def manager(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Manager]:
    place = tmp_path / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(place))
        listener.settimeout(0)
        monkeypatch.setenv("NOTIFY_SOCKET", str(place))
        yield Manager(place, listener)


@define
class Site:
    """service.yaml and a state folder."""

    folder: Path

    @property
    def configuration(self) -> Path:
        return self.folder / "service.yaml"

    def configure(self, changes: Mapping[str, Any]) -> None:
        given = {"state": str(self.folder / "state"), "web": {"port": 0}, "log": {"format": "json"}}
        self.configuration.write_text(yaml.safe_dump({**given, **changes}))

    def load(self) -> Settings:
        return load_settings(self.configuration, {}, {})


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    made = Site(tmp_path)
    made.configure({})
    yield made
    telemetry.stop()
