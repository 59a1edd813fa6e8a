"""`serve` without a role: the roles as child processes, restarted with back-off.

The children tell their parent that they are ready, and that they live, in the words of
sd_notify(3) over a datagram socket of the parent; the parent tells systemd the same of itself.
"""

import contextlib
import os
import selectors
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from time import monotonic
from typing import Final

from attrs import define, field

from qa_daemon.telemetry.events import LogEvent

BACK_OFF_FIRST_S: Final = 0.5
BACK_OFF_MAX_S: Final = 30.0
# A child that lived this long is not the one that keeps failing: its back-off starts anew.
STEADY_S: Final = 60.0
# How often the parent looks at its children when nothing wakes it.
TICK_S: Final = 1.0
# The exit status of a role that the site has to mend: starting it again would not help.
STATUS_CONFIGURATION: Final = 2
MESSAGE_BYTES_MAX: Final = 4096


class Role(StrEnum):
    """What one process of the service does."""

    RECEIVER = "receiver"
    WORKER = "worker"
    OUTBOUND = "outbound"
    WEB = "web"


@define
class _Child:
    role: Role
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    restart: float = 0.0
    failures: int = 0
    is_ready: bool = False
    has_beaten: bool = False


@define
class Supervisor:
    """Keeps the roles running until it is told to stop.

    Attributes
    ----------
    command
        The arguments that start one role; the role is appended after `serve`.
    stop_timeout_s
        A child that has not ended by then is killed.
    notify
        Tells the service manager a line such as `READY=1`.
    log
        Takes the name of an event and its facts.
    """

    command: Callable[[Role], Sequence[str]]
    stop_timeout_s: float
    notify: Callable[[str], None]
    log: Callable[..., None]
    _children: list[_Child] = field(factory=list, init=False)
    _stop_at: float | None = field(default=None, init=False)
    _status: int = field(default=0, init=False)
    _announced: bool = field(default=False, init=False)

    def run(self, roles: Sequence[Role]) -> int:
        """Run until SIGTERM or SIGINT; return 0, or the status of a role that cannot start."""
        self._children = [_Child(role) for role in roles]
        with contextlib.ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="qa-daemon-")))
            ear = stack.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM))
            ear.bind(str(folder / "notify"))
            ear.settimeout(0)
            waker = stack.enter_context(_signals(self._on_signal))
            selector = stack.enter_context(selectors.DefaultSelector())
            selector.register(ear, selectors.EVENT_READ)
            selector.register(waker, selectors.EVENT_READ)
            environment = {**os.environ, "NOTIFY_SOCKET": str(folder / "notify")}
            environment.pop("WATCHDOG_PID", None)
            while not self._is_over():
                self._tend(environment)
                for key, _ in selector.select(TICK_S):
                    self._hear(ear) if key.fileobj is ear else _drain(waker)
        return self._status

    def _on_signal(self, number: int) -> None:
        if number == signal.SIGCHLD:
            return
        if number == signal.SIGHUP:
            self._forward(signal.SIGHUP)
        elif self._stop_at is None:
            self._stop(self._status)

    def _stop(self, status: int) -> None:
        self._status = status
        self._stop_at = monotonic() + self.stop_timeout_s
        self.notify("STOPPING=1")
        self._forward(signal.SIGTERM)

    def _forward(self, number: int) -> None:
        for child in self._children:
            if child.process is not None and child.process.poll() is None:
                child.process.send_signal(number)

    def _is_over(self) -> bool:
        return self._stop_at is not None and all(child.process is None for child in self._children)

    def _tend(self, environment: Mapping[str, str]) -> None:
        for child in self._children:
            if child.process is not None and child.process.poll() is not None:
                self._bury(child, child.process.returncode)
            if child.process is None and self._stop_at is None and monotonic() >= child.restart:
                # The command is our own interpreter with our own arguments.
                child.process = subprocess.Popen(  # noqa: S603
                    [sys.executable, "-m", "qa_daemon", *self.command(child.role)], env=environment
                )
                child.started = monotonic()
            elif child.process is not None and self._stop_at and monotonic() > self._stop_at:
                child.process.kill()

    def _bury(self, child: _Child, status: int) -> None:
        child.process, child.is_ready, child.has_beaten = None, False, False
        if self._stop_at is not None:
            return
        if status == STATUS_CONFIGURATION:
            self._stop(status)
            return
        now = monotonic()
        child.failures = 1 if now - child.started > STEADY_S else child.failures + 1
        pause = min(BACK_OFF_FIRST_S * 2 ** (child.failures - 1), BACK_OFF_MAX_S)
        child.restart = now + pause
        self.log(LogEvent.ROLE_ENDED, role=child.role.value, status=status, restart_s=pause)

    def _hear(self, ear: socket.socket) -> None:
        with contextlib.suppress(BlockingIOError):
            while True:
                message = ear.recv(MESSAGE_BYTES_MAX).decode("ascii", "replace")
                pairs = (line.partition("=") for line in message.splitlines())
                self._take({name: value for name, _, value in pairs})

    def _take(self, facts: Mapping[str, str]) -> None:
        for child in self._children:
            if child.role.value == facts.get("X_ROLE"):
                child.is_ready = child.is_ready or "READY" in facts
                child.has_beaten = child.has_beaten or "WATCHDOG" in facts
        if not self._announced and all(child.is_ready for child in self._children):
            self._announced = True
            self.notify("READY=1")
        # One that hangs silences all: then systemd ends the service and starts it anew.
        if all(child.has_beaten for child in self._children):
            for child in self._children:
                child.has_beaten = False
            self.notify("WATCHDOG=1")


@contextlib.contextmanager
def _signals(react: Callable[[int], None]) -> Iterator[socket.socket]:
    ours, theirs = socket.socketpair()
    ours.settimeout(0)
    theirs.settimeout(0)
    numbers = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD)
    before = {number: signal.signal(number, lambda got, _: react(got)) for number in numbers}
    descriptor = signal.set_wakeup_fd(theirs.fileno(), warn_on_full_buffer=False)
    try:
        yield ours
    finally:
        signal.set_wakeup_fd(descriptor)
        for number, handler in before.items():
            signal.signal(number, handler)
        ours.close()
        theirs.close()


def _drain(waker: socket.socket) -> None:
    with contextlib.suppress(BlockingIOError):
        while waker.recv(MESSAGE_BYTES_MAX):
            pass
