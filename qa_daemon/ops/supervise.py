"""`serve` without a role: the roles as child processes, restarted with back-off.

The children tell their parent that they are ready, and that they live, in the words of
sd_notify(3) over a datagram socket of the parent; the parent tells systemd the same of itself.
A child whose parent is gone ends by itself, so that it holds no port and no lock for ever.
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
STATUS_NOT_STARTED: Final = 1
MESSAGE_BYTES_MAX: Final = 4096
NUMBERS: Final = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD)
#: Tells a child which process has to live as long as it does.
PARENT: Final = "QA_DAEMON_PARENT"


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
    was_ready: bool = False
    shall_reload: bool = False

    def is_alive(self) -> bool:
        """Whether its process runs."""
        return self.process is not None and self.process.poll() is None


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
            waker = stack.enter_context(signals(NUMBERS, self._on_signal))
            stack.callback(self._kill_all)
            selector = stack.enter_context(selectors.DefaultSelector())
            selector.register(ear, selectors.EVENT_READ)
            selector.register(waker, selectors.EVENT_READ)
            environment = {
                **os.environ,
                "NOTIFY_SOCKET": str(folder / "notify"),
                PARENT: str(os.getpid()),
            }
            environment.pop("WATCHDOG_PID", None)
            while not self._is_over():
                self._tend(environment)
                for key, _ in selector.select(TICK_S):
                    self._hear(ear) if key.fileobj is ear else drain(waker)
        return self._status

    def _on_signal(self, number: int) -> None:
        if number == signal.SIGCHLD:
            return
        if number == signal.SIGHUP:
            self._reload()
        elif self._stop_at is None:
            self._stop(self._status)

    def _stop(self, status: int) -> None:
        self._status = status
        self._stop_at = monotonic() + self.stop_timeout_s
        self.notify("STOPPING=1")
        self._forward(signal.SIGTERM)

    def _reload(self) -> None:
        """Tell every child; one that is starting may not take signals yet, and is told later."""
        for child in self._children:
            if child.is_ready and child.process is not None:
                child.process.send_signal(signal.SIGHUP)
            else:
                child.shall_reload = True

    def _forward(self, number: int) -> None:
        for child in self._children:
            if child.process is not None and child.is_alive():
                child.process.send_signal(number)

    def _kill_all(self) -> None:
        """Leave no child behind, whatever has ended the supervisor."""
        for child in self._children:
            if child.process is not None:
                child.process.kill()
                child.process.wait()

    def _is_over(self) -> bool:
        return self._stop_at is not None and all(child.process is None for child in self._children)

    def _tend(self, environment: Mapping[str, str]) -> None:
        for child in self._children:
            if child.process is not None and child.process.poll() is not None:
                self._bury(child, child.process.returncode)
            if child.process is None and self._stop_at is None and monotonic() >= child.restart:
                self._start(child, environment)
            elif child.process is not None and self._stop_at and monotonic() > self._stop_at:
                child.process.kill()

    def _start(self, child: _Child, environment: Mapping[str, str]) -> None:
        child.started = monotonic()
        try:
            # The command is our own interpreter with our own arguments.
            child.process = subprocess.Popen(  # noqa: S603
                [sys.executable, "-m", "qa_daemon", *self.command(child.role)], env=environment
            )
        except OSError:  # no process or memory to be had just now
            self._bury(child, STATUS_NOT_STARTED)

    def _bury(self, child: _Child, status: int) -> None:
        child.process, child.is_ready, child.has_beaten = None, False, False
        if self._stop_at is not None:
            return
        # What is wrong at the start is told at once. Later only the receiver ends the service with
        # it: while a site mends its rules, objects still come in.
        if status == STATUS_CONFIGURATION and (child.role is Role.RECEIVER or not child.was_ready):
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
                child.was_ready = child.was_ready or child.is_ready
                if child.is_ready and child.shall_reload and child.process is not None:
                    child.shall_reload = False
                    child.process.send_signal(signal.SIGHUP)
        if not self._announced and "EXTEND_TIMEOUT_USEC" in facts:
            self.notify(f"EXTEND_TIMEOUT_USEC={facts['EXTEND_TIMEOUT_USEC']}")
        if not self._announced and all(child.is_ready for child in self._children):
            self._announced = True
            self.notify("READY=1")
        # One that hangs silences all: then systemd ends the service and starts it anew. One that
        # is dead does not hang: it is about to be started.
        if all(child.has_beaten or not child.is_alive() for child in self._children):
            for child in self._children:
                child.has_beaten = False
            self.notify("WATCHDOG=1")


@contextlib.contextmanager
def signals(
    numbers: Sequence[signal.Signals], react: Callable[[int], None]
) -> Iterator[socket.socket]:
    """Take signals; yield a socket that is readable as soon as one has come.

    `react` runs in the main thread between any two of its instructions: it may set attributes, and
    take no lock (an `Event` has one).
    """
    ours, theirs = socket.socketpair()
    ours.settimeout(0)
    theirs.settimeout(0)
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


def drain(waker: socket.socket) -> None:
    """Empty the socket of `signals`."""
    with contextlib.suppress(BlockingIOError):
        while waker.recv(MESSAGE_BYTES_MAX):
            pass
