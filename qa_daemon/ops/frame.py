"""What every role has in common: settings, log, signals, readiness, the beat of the watchdog."""

import contextlib
import os
import select
import signal
import socket
from collections.abc import Callable, Iterator
from operator import attrgetter
from time import monotonic
from typing import Final

from attrs import define, field

from qa_daemon.config.settings import Settings
from qa_daemon.errors import ConfigurationError, RetryableError
from qa_daemon.ops import notify
from qa_daemon.ops.supervise import PARENT, Role, drain, signals
from qa_daemon.telemetry import log as telemetry
from qa_daemon.telemetry.events import LogEvent
from qa_daemon.telemetry.facts import Pseudonyms, SiteText
from qa_daemon.telemetry.log import log

# Without a watchdog the main thread still wakes this often.
BEAT_S: Final = 5.0
# A busy role takes a thousand turns a second, and its manager has other things to read.
BEAT_PAUSE_S: Final = 0.2
# Between two attempts to start on a store or spool that is away.
RETRY_S: Final = 2.0
# What a service manager is asked for beyond one attempt, which may wait for a lock.
ATTEMPT_S: Final = 60.0
NUMBERS: Final = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
# What is built into files, sockets and threads, and so only changes with a new start.
FIXED: Final = (
    *("state", "store", "spool.path", "folder", "limits", "web", "audit", "stop_timeout_s"),
    *(f"receiver.{name}" for name in ("ae_title", "host", "port", "tls", "acknowledge")),
    *(f"receiver.{name}" for name in ("pdu_length_max", "request_timeout_s", "index_lag_s")),
    *(f"orders.hl7.{name}" for name in ("enabled", "host", "port")),
)


@define
class Frame:
    """One running role.

    Attributes
    ----------
    settings
        In force; `reread` replaces them whole.
    """

    role: Role
    load: Callable[[], Settings]
    settings: Settings
    _pseudonyms: Pseudonyms
    # Plain attributes: a signal handler may come while this very thread holds the lock of an Event.
    _is_ending: bool = field(default=False, init=False)
    _shall_reread: bool = field(default=False, init=False)
    _beaten_at: float = field(default=float("-inf"), init=False)
    _waker: socket.socket | None = field(default=None, init=False)

    @property
    def is_ending(self) -> bool:
        """Whether SIGTERM or SIGINT has come, or the parent that started us is gone."""
        parent = os.environ.get(PARENT)
        return self._is_ending or (parent is not None and parent != str(os.getppid()))

    def ready(self) -> None:
        """Tell whoever started us."""
        log.info(LogEvent.SERVICE_READY, role=self.role.value)
        notify.notify(f"{notify.READY}\nX_ROLE={self.role}")

    def beat(self) -> None:
        """Tell that we live, not too often."""
        if monotonic() - self._beaten_at >= BEAT_PAUSE_S:
            self._beaten_at = monotonic()
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
        while not self.is_ending:
            if self.wants_rereading():
                self.reread(apply)
            self.beat()
            self.rest(turn())

    def persist(self, work: Callable[[], None]) -> None:
        """Do the work of the role; while store or spool are away, say so and try again.

        Restarting would not bring them back, and a person reads one reason instead of many starts.
        """
        while not self.is_ending:
            try:
                work()
            except RetryableError as error:
                message = SiteText(str(error))
                log.error(LogEvent.ROLE_WAITING, role=self.role.value, message=message)
                notify.notify(notify.more_time(RETRY_S + ATTEMPT_S))
                self.beat()
                self.rest(RETRY_S)
            else:
                return

    def rest(self, timeout_s: float = BEAT_S) -> None:
        """Wait for a signal, at most until the next beat is due."""
        assert self._waker is not None
        timeout_s = min(timeout_s, notify.watchdog_s() or BEAT_S, BEAT_S)
        if not (self._is_ending or self._shall_reread):
            select.select([self._waker], [], [], timeout_s)
        drain(self._waker)

    def wants_rereading(self) -> bool:
        """Whether SIGHUP has come since the last call."""
        asked, self._shall_reread = self._shall_reread, False
        return asked

    def reread(self, apply: Callable[[Settings], None]) -> None:
        """Load the configuration anew and apply it; whatever is wrong leaves the old in force."""
        notify.notify(notify.reloading())
        try:
            settings = self.load()
            _refuse_fixed(self.settings, settings)
            apply(settings)
        except ConfigurationError as error:
            log.error(
                LogEvent.CONFIGURATION_REJECTED,
                role=self.role.value,
                message=SiteText(str(error)),
            )
        else:
            self.settings = settings
            telemetry.start(settings.log.level, settings.log.format, self._pseudonyms)
            log.info(LogEvent.CONFIGURATION_RELOADED, role=self.role.value)
        notify.notify(notify.READY)

    def signalled(self, number: int) -> None:
        """Take a signal; the main thread acts on it."""
        if number == signal.SIGHUP:
            self._shall_reread = True
        else:
            self._is_ending = True


@contextlib.contextmanager
def framed(role: Role, load: Callable[[], Settings]) -> Iterator[Frame]:
    """Load the settings, direct the log, take the signals; undo it at the end."""
    settings = load()
    make_folder(settings)
    pseudonyms = Pseudonyms.kept_in(settings.state)
    telemetry.start(settings.log.level, settings.log.format, pseudonyms)
    frame = Frame(role, load, settings, pseudonyms)
    with signals(NUMBERS, frame.signalled) as waker:
        frame._waker = waker  # noqa: SLF001  its own
        log.info(LogEvent.ROLE_STARTED, role=role.value)
        try:
            yield frame
        finally:
            notify.notify(notify.STOPPING)
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


def _refuse_fixed(old: Settings, new: Settings) -> None:
    changed = [name for name in FIXED if attrgetter(name)(old) != attrgetter(name)(new)]
    if changed:
        raise ConfigurationError(
            f"{', '.join(changed)}: can only change with a new start; "
            "until then the old configuration stays in force, all of it"
        )
