"""The child process as its parent sees it: start, ask, and kill.

The child is started at the first question and kept for thousands of them. A question that it does
not answer in time, or over which it dies, is `TooMuch`; the next one goes to a new child.
"""

import os
import pickle
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from time import monotonic
from typing import Any, Final

from attrs import define, field

import qa_daemon
from qa_daemon.errors import RetryableError
from qa_daemon.limits import Limits
from qa_daemon.predict.catalog import ModelCard
from qa_daemon.predict.wire import STATUS_MEMORY, Broken, Message, receive, send

#: A cold disk and a busy machine: imports take 0.4 s, models 0.1 s at rest. Well below the watchdog
#: of the unit (60 s), as the worker waits for it.
START_DEADLINE_S: Final = 30.0
#: pydicom loads gdcm wherever it is installed, and gdcm aborts on malformed files: None refuses it.
_PROGRAM: Final = (
    "import sys; sys.modules['gdcm'] = None; from qa_daemon.predict.child import main; main()"
)
#: Nothing else of our environment, which may hold secrets, is the child's business.
_ENVIRONMENT: Final = ("PATH", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "TZ")
#: One thread for each library; threads cost address space and gain nothing at this size.
_SINGLE: Final = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "2"}


class TooMuch(Exception):  # noqa: N818  it says what the object is
    """An object cost more than its deadline or the child's memory."""


@define
class ChildProcess:
    """One child at a time.

    The kernel kills it when the thread that started it ends, so ask from a thread that stays.

    Attributes
    ----------
    memory_bytes
        What it may use on top of its needs at the start.
    deadline_s
        Per question, from its first byte sent to the last received.
    models
        Names of the models that it has loaded; None before the first start.
    refused
        Why it has not loaded the others, by name.
    """

    cards: tuple[ModelCard, ...]
    limits: Limits
    memory_bytes: int
    deadline_s: float
    models: frozenset[str] | None = None
    refused: Mapping[str, str] = field(factory=dict)
    _process: "subprocess.Popen[bytes] | None" = field(default=None, init=False)
    _connection: socket.socket | None = field(default=None, init=False)

    @property
    def pid(self) -> int | None:
        """The process id, None while there is none."""
        return self._process.pid if self._process is not None else None

    def ask(self, head: Mapping[str, Any], content: bytes, body_bytes_max: int = 0) -> Message:
        """Send one question and return its answer, whose body has at most so many bytes.

        Raises
        ------
        TooMuch
            If the object is too large, or the child hangs or dies over it and was killed.
        RetryableError
            If no child can be started.
        """
        most = self.limits.inference_object_bytes_max
        if len(content) > most:
            raise TooMuch(f"limit of memory: the object is larger than {most} bytes")
        connection = self.started()
        deadline = monotonic() + self.deadline_s
        try:
            send(connection, Message(head, content), deadline)
            return receive(connection, body_bytes_max, deadline)
        except TimeoutError as error:
            self.close()
            raise TooMuch(f"limit of time: {self.deadline_s:g} s") from error
        except Broken as error:
            raise TooMuch(self._buried()) from error

    def started(self) -> socket.socket:
        """Return the connection to a living child, after starting one if there is none."""
        if self._process is not None and self._process.poll() is not None:
            self.close()  # it died between two questions, by somebody else's hand
        if self._connection is None:
            self._start()
        assert self._connection is not None
        return self._connection

    def close(self) -> None:
        """Kill the child if there is one, and wait for its end."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def _start(self) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603  our own interpreter and program
                [sys.executable, "-P", "-c", _PROGRAM],
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,  # codecs print what they read
                cwd="/",
                env=_environment(),
            )
        self._connection = ours
        start = {
            "cards": self.cards,
            "limits": self.limits,
            "memory_bytes": self.memory_bytes,
            "parent": os.getpid(),
        }
        deadline = monotonic() + START_DEADLINE_S
        try:
            send(ours, Message({}, pickle.dumps(start)), deadline)
            head = receive(ours, 0, deadline).head
            self.models, self.refused = frozenset(head["ready"]), dict(head["refused"])
        except (TimeoutError, Broken) as error:
            how = self._buried()
            raise RetryableError(
                f"the inference child does not start ({how});"
                ' `python -c "import qa_daemon.predict.child"` may say why'
            ) from error
        except BaseException:
            self.close()
            raise

    def _buried(self) -> str:
        """End the child and say how it ended."""
        assert self._process is not None
        self._process.kill()
        status = self._process.wait()
        self.close()
        # A child that dies in the middle of its work ran into a limit or into a codec's abort.
        if status == STATUS_MEMORY:
            return f"limit of memory: {self.memory_bytes} bytes"
        if status < 0:
            return f"limit of time or memory: ended by {signal.Signals(-status).name}"
        return f"limit of time or memory: ended with status {status}"


def _environment() -> dict[str, str]:
    kept = {name: os.environ[name] for name in _ENVIRONMENT if name in os.environ}
    return kept | _SINGLE | {"PYTHONPATH": str(Path(qa_daemon.__file__).resolve().parents[1])}
