"""The log: structlog to standard error, JSON for journald, colour on a terminal.

`log` may be used before `start`: it then writes warnings and worse, through the same filter, under
a hash key of its own. Libraries log through `logging` and `warnings`, and their words may quote a
data set: of their lines only the place is kept.
"""

import contextlib
import logging
import os
import sys
import threading
import traceback
from collections import Counter
from collections.abc import Mapping, MutableMapping
from types import TracebackType
from typing import Final, TextIO

import structlog
from attrs import define, field
from structlog.typing import FilteringBoundLogger, Processor

from qa_daemon.telemetry.events import LogEvent
from qa_daemon.telemetry.facts import Pseudonyms, allowed

LEVELS: Final = {"debug": 10, "info": 20, "warning": 30, "error": 40}
FORMATS: Final = ("auto", "json", "console")
# Priorities of syslog, which journald takes from the start of a line (sd-daemon(3)).
_PRIORITIES: Final = {"debug": 7, "info": 6, "warning": 4, "error": 3}
# A library may warn once per element: a place is logged when it first speaks, then every 1000th
# time, and beyond this many places nothing new is.
LIBRARY_REPEATS: Final = 1000
LIBRARY_PLACES_MAX: Final = 1000
FRAMES_MAX: Final = 20


class Log:
    """Says one event with its facts (`telemetry.facts` lists the keys that pass)."""

    def debug(self, event: LogEvent, /, **facts: object) -> None:
        """Say what only somebody who looks for a fault wants to read."""
        _say("debug", event, facts)

    def info(self, event: LogEvent, /, **facts: object) -> None:
        """Say what was done."""
        _say("info", event, facts)

    def warning(self, event: LogEvent, /, **facts: object) -> None:
        """Say what a person should look at some time."""
        _say("warning", event, facts)

    def error(self, event: LogEvent, /, **facts: object) -> None:
        """Say what a person has to mend."""
        _say("error", event, facts)

    def bug(self, error: BaseException, /, **facts: object) -> None:
        """Say that an exception came which nobody foresaw, and from where; never its message."""
        _say("error", LogEvent.BUG, {**facts, "error": type(error).__name__}, _frames(error))


log: Final = Log()


@define
class _Outlet:
    """Where this process's lines go, as standard error one per process; only `start` sets it."""

    logger: FilteringBoundLogger | None = None


_outlet: Final = _Outlet()


def start(level: str, style: str, pseudonyms: Pseudonyms, stream: TextIO | None = None) -> None:
    """Direct the log of this process, libraries and uncaught exceptions included.

    Parameters
    ----------
    level
        The least that is written: one of `LEVELS`.
    style
        One of `FORMATS`; `auto` is `console` on a terminal, else `json`.
    pseudonyms
        The keyed hash of this installation.
    stream
        Standard error unless a test says otherwise.
    """
    _outlet.logger = _logger(level, style, pseudonyms, stream or sys.stderr)
    root = logging.getLogger()
    for handler in [handler for handler in root.handlers if isinstance(handler, _Foreign)]:
        root.removeHandler(handler)
    root.addHandler(_Foreign())
    root.setLevel(logging.WARNING)
    logging.captureWarnings(capture=True)
    sys.excepthook = _on_uncaught
    threading.excepthook = _on_uncaught_in_thread


def stop() -> None:
    """Undo `start`; for a process that goes on with something else, as a test run does."""
    _outlet.logger = None
    root = logging.getLogger()
    for handler in [handler for handler in root.handlers if isinstance(handler, _Foreign)]:
        root.removeHandler(handler)
    logging.captureWarnings(capture=False)
    sys.excepthook = sys.__excepthook__
    threading.excepthook = threading.__excepthook__


def _say(
    method: str, event: LogEvent, facts: Mapping[str, object], frames: list[str] | None = None
) -> None:
    logger = _outlet.logger or _logger("warning", "auto", Pseudonyms(), sys.stderr)
    # A log that cannot be written (disk full, reader gone) must not stop what it tells of.
    with contextlib.suppress(OSError, ValueError):
        getattr(logger, method)(event, facts=facts, frames=frames)


def _logger(level: str, style: str, pseudonyms: Pseudonyms, stream: TextIO) -> FilteringBoundLogger:
    is_console = style == "console" or (style == "auto" and stream.isatty())
    processors: list[Processor] = [
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _Filter(pseudonyms),
    ]
    if is_console:
        processors.append(structlog.dev.ConsoleRenderer(colors=stream.isatty(), pad_event_to=24))
    else:
        processors.append(structlog.processors.JSONRenderer())
        if _is_journal(stream):
            processors.append(_with_priority)
    wrapped: FilteringBoundLogger = structlog.wrap_logger(
        # One write per line: the roles share one standard error, and lines must not run together.
        structlog.WriteLogger(stream),
        processors=processors,
        wrapper_class=structlog.make_filtering_bound_logger(LEVELS[level]),
    )
    return wrapped


@define
class _Filter:
    """The processor between what the code says and what is written."""

    pseudonyms: Pseudonyms

    def __call__(
        self, _logger: object, method: str, line: MutableMapping[str, object]
    ) -> MutableMapping[str, object]:
        event, facts, frames = line["event"], line["facts"], line["frames"]
        assert isinstance(facts, Mapping)
        said: dict[str, object] = {
            "timestamp": line["timestamp"],
            "level": method,
            "event": event.value if isinstance(event, LogEvent) else "unknown",
            **allowed(facts, self.pseudonyms),
        }
        return {**said, "frames": frames} if frames else said


def _with_priority(_logger: object, method: str, line: object) -> str:
    return f"<{_PRIORITIES[method]}>{line}"


def _is_journal(stream: TextIO) -> bool:
    """Say whether `stream` is the one that systemd connected to the journal (systemd.exec(5))."""
    with contextlib.suppress(OSError, ValueError):
        status = os.fstat(stream.fileno())
        return os.environ.get("JOURNAL_STREAM") == f"{status.st_dev}:{status.st_ino}"
    return False


def _frames(error: BaseException) -> list[str]:
    """Return the places that an exception passed, causes first, each list ending in its class."""
    places: list[str] = []
    cause: BaseException | None = error
    while cause is not None and len(places) < FRAMES_MAX:
        frames = traceback.extract_tb(cause.__traceback__)
        own = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]
        places = [*own, type(cause).__name__, *places]
        cause = cause.__cause__ or cause.__context__
    return places[-FRAMES_MAX:]


@define(eq=False)
class _Foreign(logging.Handler):
    """Takes what libraries log: who spoke and where, never what was said."""

    _seen: Counter[tuple[str, str, int]] = field(factory=Counter, init=False)

    def __attrs_pre_init__(self) -> None:
        super().__init__(logging.WARNING)

    def emit(self, record: logging.LogRecord) -> None:
        """Log the place of `record`."""
        place = (record.name, record.pathname, record.lineno)
        if place not in self._seen and len(self._seen) >= LIBRARY_PLACES_MAX:
            return
        self._seen[place] += 1
        if self._seen[place] % LIBRARY_REPEATS == 1:
            say = log.error if record.levelno >= logging.ERROR else log.warning
            facts = {"logger": record.name, "line": record.lineno, "count": self._seen[place]}
            say(LogEvent.LIBRARY_WARNED, **facts)


def _on_uncaught(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, trace)
    else:
        log.bug(error)


def _on_uncaught_in_thread(arguments: threading.ExceptHookArgs) -> None:
    if arguments.exc_value is not None and not issubclass(arguments.exc_type, SystemExit):
        log.bug(arguments.exc_value)
