"""What every role has in common: settings, log, signals, readiness, the beat of the watchdog."""

import contextlib
import os
import signal
import threading
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Final

from attrs import define, field

from qa_daemon.config.settings import Settings
from qa_daemon.errors import ConfigurationError
from qa_daemon.ops import notify
from qa_daemon.ops.supervise import Role
from qa_daemon.telemetry import log as telemetry
from qa_daemon.telemetry.events import LogEvent
from qa_daemon.telemetry.facts import Pseudonyms, SiteText
from qa_daemon.telemetry.log import log

# Without a watchdog the main thread still wakes this often.
BEAT_S: Final = 5.0


@define
class Frame:
    """One running role.

    Attributes
    ----------
    stop
        Set by SIGTERM and SIGINT.
    settings
        In force; `reread` replaces them whole.
    """

    role: Role
    load: Callable[[], Settings]
    settings: Settings
    stop: threading.Event = field(factory=threading.Event)
    _reread: threading.Event = field(factory=threading.Event, init=False)
    _wake: threading.Event = field(factory=threading.Event, init=False)

    def ready(self) -> None:
        """Tell whoever started us."""
        notify.notify(f"{notify.READY}\nX_ROLE={self.role}")
        log.info(LogEvent.SERVICE_READY, role=self.role.value)

    def beat(self) -> None:
        """Tell that we live, and read the configuration again if SIGHUP asked for it."""
        notify.notify(f"{notify.ALIVE}\nX_ROLE={self.role}")

    def loop(self, turn: Callable[[], float], apply: Callable[[Settings], None]) -> None:
        """Take turns until a signal ends it.

        Parameters
        ----------
        turn
            Does what is due and returns how many seconds to rest.
        apply
            Takes new settings in force; raises ConfigurationError if they do not fit.
        """
        while not self.stop.is_set():
            if self.wants_rereading():
                self.reread(apply)
            self.beat()
            self.rest(turn())

    def rest(self, timeout_s: float = BEAT_S) -> None:
        """Wait for a signal, at most until the next beat is due."""
        self._wake.wait(min(timeout_s, notify.watchdog_s() or BEAT_S, BEAT_S))
        self._wake.clear()

    def wants_rereading(self) -> bool:
        """Whether SIGHUP has come since the last call."""
        asked = self._reread.is_set()
        self._reread.clear()
        return asked

    def reread(self, apply: Callable[[Settings], None]) -> None:
        """Load the configuration anew and apply it; whatever is wrong leaves the old in force."""
        notify.notify(notify.reloading())
        try:
            settings = self.load()
            apply(settings)
        except ConfigurationError as error:
            log.error(
                LogEvent.CONFIGURATION_REJECTED,
                role=self.role.value,
                message=SiteText(str(error)),
            )
        else:
            self.settings = settings
            log.info(LogEvent.CONFIGURATION_RELOADED, role=self.role.value)
        notify.notify(notify.READY)

    def signalled(self, number: int, _frame: FrameType | None) -> None:
        """Take a signal; the main thread acts on it."""
        if number == signal.SIGHUP:
            self._reread.set()
        else:
            self.stop.set()
        self._wake.set()


@contextlib.contextmanager
def framed(role: Role, load: Callable[[], Settings]) -> Iterator[Frame]:
    """Load the settings, direct the log, take the signals; undo it at the end."""
    settings = load()
    make_folder(settings)
    telemetry.start(settings.log.level, settings.log.format, Pseudonyms.kept_in(settings.state))
    frame = Frame(role, load, settings)
    numbers = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
    before = {number: signal.signal(number, frame.signalled) for number in numbers}
    log.info(LogEvent.ROLE_STARTED, role=role.value)
    try:
        yield frame
    finally:
        notify.notify(notify.STOPPING)
        for number, handler in before.items():
            signal.signal(number, handler)
        log.info(LogEvent.ROLE_ENDED, role=role.value)


def make_folder(settings: Settings) -> None:
    """Make the state folder, so that only the service's user reads it.

    Raises
    ------
    ConfigurationError
        If it cannot be made or written.
    """
    try:
        settings.state.mkdir(mode=0o750, parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigurationError(
            f"state {settings.state}: cannot be made: {error.strerror}; "
            "name another folder with --state, or let this user write there"
        ) from error
    if not os.access(settings.state, os.W_OK | os.X_OK):
        raise ConfigurationError(
            f"state {settings.state}: this user may not write there; "
            "name another folder with --state, or change its owner"
        )
