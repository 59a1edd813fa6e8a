"""Health over HTTP on loopback: `/healthz` (the process lives) and `/readyz` (it can work)."""

import http.server
import json
import threading
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from attrs import define, field, frozen

from qa_daemon.errors import ConfigurationError, RetryableError
from qa_daemon.telemetry.events import LogEvent
from qa_daemon.telemetry.log import log

if TYPE_CHECKING:
    from qa_daemon.store.database import Store

# A request is one short line; who is slower than this is no health check.
REQUEST_TIMEOUT_S: Final = 5.0


@frozen
class Readiness:
    """Whether the service can work, and what was looked at; counts only, no patient's value."""

    is_ready: bool
    facts: Mapping[str, object]


@define
class StoreReadiness:
    """Looks into the store, which is opened by the first look: it takes 0.3 s to load."""

    url: str
    lock_timeout_s: float
    _store: "Store | None" = field(default=None, init=False)
    _lock: threading.Lock = field(factory=threading.Lock, init=False)

    def look(self) -> Readiness:
        """Return whether the store answers, and what it holds."""
        from qa_daemon.store import series_rows  # noqa: PLC0415  see above

        try:
            counted = series_rows.counts(self._opened())
        except (RetryableError, ConfigurationError) as error:
            log.error(LogEvent.STORE_LOST, cause=type(error).__name__)
            return Readiness(is_ready=False, facts={"status": "store unavailable"})
        facts = {
            "status": "ready",
            "series": {state.value: count for state, count in counted.series.items()},
            "instances": counted.instances,
            "unreadable": counted.unreadable,
            "repeats": counted.repeats,
        }
        return Readiness(is_ready=True, facts=facts)

    def close(self) -> None:
        """Close the store."""
        with self._lock:
            if self._store is not None:
                self._store.close()
                self._store = None

    def _opened(self) -> "Store":
        from qa_daemon.store.database import Store  # noqa: PLC0415  see above
        from qa_daemon.store.migrations.schema import prepare  # noqa: PLC0415

        with self._lock:
            if self._store is None:
                prepare(self.url, self.lock_timeout_s)
                self._store = Store(self.url, self.lock_timeout_s)
            return self._store


class HealthServer(http.server.ThreadingHTTPServer):
    """Serves both answers until it is closed.

    Parameters
    ----------
    readiness
        Looked at for every request of `/readyz`.
    """

    daemon_threads = True

    def __init__(self, address: tuple[str, int], readiness: Callable[[], Readiness]) -> None:
        self.readiness = readiness
        super().__init__(address, _Handler)
        self._thread = threading.Thread(target=self.serve_forever, name="health", daemon=True)

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    def stop(self) -> None:
        """Answer no more."""
        self.shutdown()
        self.server_close()


class _Handler(http.server.BaseHTTPRequestHandler):
    timeout = REQUEST_TIMEOUT_S
    server: HealthServer

    def do_GET(self) -> None:
        if self.path == "/healthz":
            self._answer(HTTPStatus.OK, {"status": "alive"})
        elif self.path == "/readyz":
            said = self.server.readiness()
            status = HTTPStatus.OK if said.is_ready else HTTPStatus.SERVICE_UNAVAILABLE
            self._answer(status, said.facts)
        else:
            self._answer(HTTPStatus.NOT_FOUND, {"error": "use /healthz or /readyz"})

    def _answer(self, status: HTTPStatus, facts: Mapping[str, object]) -> None:
        body = json.dumps(dict(facts)).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(body)

    def version_string(self) -> str:
        return "qa-daemon"

    def log_message(self, *_words: object) -> None:
        """Say nothing: a health check every second is not worth a line."""
