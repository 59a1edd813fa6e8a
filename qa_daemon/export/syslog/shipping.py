"""Sends the audit to a syslog receiver over TLS, from where it stopped; the audit is the queue.

Nothing is queued beside the audit, which is durable: a row says how far it has gone. What was sent
but not noted when the process died is sent again, so the receiver may see an entry twice and never
misses one.
"""

import contextlib
import os
import socket
import ssl
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice
from typing import Final

from attrs import define, field

from qa_daemon.config.settings import SyslogSettings
from qa_daemon.errors import QaDaemonError
from qa_daemon.export.syslog.line import Header, line
from qa_daemon.queue.audit.message import Source, message
from qa_daemon.store.audit import entries
from qa_daemon.store.audit.chain import Sealed
from qa_daemon.store.database import Store
from qa_daemon.telemetry.events import LogEvent
from qa_daemon.telemetry.log import log

#: Entries sent before it is noted how far they went.
BATCH: Final = 100
#: How often the audit is looked at when all was sent.
POLL_S: Final = 1.0
#: Between two tries to reach the receiver; doubled up to the second.
RETRY_FIRST_S: Final = 1.0
RETRY_MAX_S: Final = 60.0
TIMEOUT_S: Final = 10.0
TARGET: Final = "syslog"


@define
class Shipping:
    """Runs beside the deliveries, on a thread of its own, until it is stopped."""

    store: Store
    settings: SyslogSettings
    source: Source
    _stopping: threading.Event = field(factory=threading.Event, init=False)
    _thread: threading.Thread | None = field(default=None, init=False)

    def start(self) -> None:
        """Begin."""
        self._thread = threading.Thread(target=self._run, name="syslog", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End after what is being sent."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join(TIMEOUT_S * 2)

    def _run(self) -> None:
        wait_s = RETRY_FIRST_S
        while not self._stopping.is_set():
            try:
                self._connected()
                wait_s = RETRY_FIRST_S
            except (OSError, QaDaemonError) as error:
                log.warning(LogEvent.AUDIT_UNSENT, cause=type(error).__name__, wait_s=wait_s)
                self._warn_of_backlog()
                self._stopping.wait(wait_s)
                wait_s = min(wait_s * 2, RETRY_MAX_S)

    def _connected(self) -> None:
        """Send over one connection until it breaks or it is time to end."""
        settings = self.settings
        address = (settings.host, settings.port)
        with (
            socket.create_connection(address, TIMEOUT_S) as plain,
            _context(settings).wrap_socket(plain, server_hostname=settings.host) as secured,
        ):
            while not self._stopping.is_set():
                if not self._send_some(secured):
                    self._stopping.wait(POLL_S)
                    _require_open(secured)

    def _send_some(self, secured: ssl.SSLSocket) -> bool:
        """Send one batch; whether there was something."""
        behind = entries.entries_after(self.store, entries.shipped(self.store, TARGET))
        batch = list(islice(behind, BATCH))
        for each in batch:
            secured.sendall(self._line(each))
        if batch:
            _require_open(secured)
            entries.note_shipped(self.store, TARGET, batch[-1].id, datetime.now(UTC))
        return bool(batch)

    def _line(self, each: Sealed) -> bytes:
        header = Header(
            at=each.entry.at,
            host=socket.gethostname(),
            process_id=os.getpid(),
            has_failed=each.entry.outcome > 0,
        )
        return line(header, message(each.entry, self.source))

    def _warn_of_backlog(self) -> None:
        with contextlib.suppress(QaDaemonError):
            behind = entries.count_after(self.store, entries.shipped(self.store, TARGET))
            if behind > self.settings.backlog_max:
                log.error(LogEvent.AUDIT_BACKLOG, count=behind)


@contextlib.contextmanager
def shipping(store: Store, settings: SyslogSettings, source: Source) -> Iterator[None]:
    """Send the audit for as long as the block lasts; without a host do nothing."""
    if not settings.host:
        yield
        return
    made = Shipping(store, settings, source)
    made.start()
    try:
        yield
    finally:
        made.stop()


def _context(settings: SyslogSettings) -> ssl.SSLContext:
    authorities = None if settings.authorities is None else str(settings.authorities)
    context = ssl.create_default_context(cafile=authorities)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if settings.certificate is not None and settings.private_key is not None:
        context.load_cert_chain(settings.certificate, settings.private_key)
    return context


def _require_open(secured: ssl.SSLSocket) -> None:
    """Raise OSError if the receiver has closed: it never speaks, so what can be read is its end."""
    secured.settimeout(0)
    try:
        if not secured.recv(1):
            raise ConnectionResetError
    except (ssl.SSLWantReadError, BlockingIOError):
        return
    finally:
        secured.settimeout(TIMEOUT_S)
