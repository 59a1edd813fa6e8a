"""The bounded reader in front of pynetdicom (PS3.8 9).

One thread accepts connections and reads the first PDU of each; a thread pair exists only from a
whole, admitted A-ASSOCIATE-RQ on. From there `pdu.PduReader` vets what comes.
"""

import contextlib
import selectors
import socket
import ssl
import threading
import time
from collections import Counter
from collections.abc import Callable
from enum import StrEnum
from typing import Final

from attrs import define, field, frozen

from qa_daemon.intake.admission import Applicant, Rejection
from qa_daemon.intake.upper_layer.pdu import (
    CLOSE_WAIT_S,
    HEADER_LENGTH,
    AbortReason,
    abort_pdu,
    applicant,
    reject_pdu,
    request_fault,
)
from qa_daemon.limits import Limits
from qa_daemon.telemetry.events import LogEvent
from qa_daemon.telemetry.log import log

CHUNK: Final = 64 << 10
ACCEPT_PAUSE_S: Final = 0.2  # after accept() failed for want of descriptors


class _Stage(StrEnum):
    HANDSHAKE = "handshake"  # TLS
    REQUEST = "request"  # waits for a whole A-ASSOCIATE-RQ
    CLOSING = "closing"  # refused; what still comes is thrown away


@define(eq=False)
class _Visitor:
    """A connection without an association."""

    connection: socket.socket
    address: str
    deadline: float
    stage: _Stage
    received: bytearray = field(factory=bytearray)

    def missing(self) -> int:
        """Return how many bytes of the header or of the whole request are still to come."""
        if len(self.received) < HEADER_LENGTH:
            return HEADER_LENGTH - len(self.received)
        length = int.from_bytes(self.received[2:HEADER_LENGTH], "big")
        return HEADER_LENGTH + length - len(self.received)


@frozen
class Reception:
    """What becomes of a whole A-ASSOCIATE-RQ.

    Attributes
    ----------
    admit
        Returns the rejection, None if the association may begin.
    establish
        Takes the connection over, with the request's bytes and sender; must not block.
    """

    admit: Callable[[Applicant], Rejection | None]
    establish: Callable[[socket.socket, bytes, Applicant], None]


class Front:
    """Accepts connections, and hands those over that bring a whole, admitted A-ASSOCIATE-RQ."""

    def __init__(
        self,
        listener: socket.socket,
        reception: Reception,
        limits: Limits,
        *,
        request_timeout_s: float,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._listener = listener
        self._reception = reception
        self._limits = limits
        self._request_timeout_s = request_timeout_s
        self._tls = tls
        self._visitors: dict[int, _Visitor] = {}
        self._selector = selectors.DefaultSelector()
        self._waker, self._woken = socket.socketpair()
        self._is_stopping = False
        self._accepts_again_at: float | None = None
        self._thread = threading.Thread(target=self._run, name="front", daemon=True)

    def start(self) -> None:
        """Begin to accept."""
        self._listener.settimeout(0)
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._selector.register(self._woken, selectors.EVENT_READ)
        self._thread.start()

    def stop(self) -> None:
        """Stop to accept and close what waits; associations are not touched."""
        self._is_stopping = True
        self._waker.send(b"\0")
        self._thread.join()
        for opened in (self._listener, self._waker, self._woken):
            opened.close()
        self._selector.close()

    def _run(self) -> None:
        while not self._is_stopping:
            for key, _ in self._selector.select(self._patience_s()):
                if key.fileobj is self._listener:
                    self._accept()
                elif isinstance(key.data, _Visitor):
                    self._advance(key.data)
            self._expire()
        for visitor in list(self._visitors.values()):
            self._dismiss(visitor, abort_pdu(AbortReason.NOT_SPECIFIED))

    def _patience_s(self) -> float | None:
        deadlines = [visitor.deadline for visitor in self._visitors.values()]
        if self._accepts_again_at is not None:
            deadlines.append(self._accepts_again_at)
        return max(0.0, min(deadlines) - time.monotonic()) if deadlines else None

    def _expire(self) -> None:
        now = time.monotonic()
        for visitor in [each for each in self._visitors.values() if each.deadline <= now]:
            abort = b"" if visitor.stage is _Stage.CLOSING else abort_pdu(AbortReason.NOT_SPECIFIED)
            self._dismiss(visitor, abort)
        if self._accepts_again_at is not None and self._accepts_again_at <= now:
            self._accepts_again_at = None
            self._selector.register(self._listener, selectors.EVENT_READ)

    def _accept(self) -> None:
        try:
            connection, peer = self._listener.accept()
        except (BlockingIOError, InterruptedError, ConnectionAbortedError):
            return
        except OSError:  # no descriptors left: let some come free instead of spinning
            self._selector.unregister(self._listener)
            self._accepts_again_at = time.monotonic() + ACCEPT_PAUSE_S
            return
        try:
            self._welcome(connection, str(peer[0]))
        except OSError:  # gone again already
            connection.close()

    def _welcome(self, connection: socket.socket, address: str) -> None:
        self._make_room(address)
        connection.settimeout(0)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        stage = _Stage.REQUEST
        if self._tls is not None:
            stage = _Stage.HANDSHAKE
            connection = self._tls.wrap_socket(
                connection, server_side=True, do_handshake_on_connect=False
            )
        deadline = time.monotonic() + self._request_timeout_s
        visitor = _Visitor(connection, address, deadline, stage)
        self._visitors[connection.fileno()] = visitor
        self._selector.register(connection, selectors.EVENT_READ, visitor)

    def _make_room(self, address: str) -> None:
        """Send the oldest waiting connection away where there are too many.

        Not the newest: an honest peer sends its request at once, a silent one only grows older.
        """
        waiting = list(self._visitors.values())
        same = [visitor for visitor in waiting if visitor.address == address]
        if len(waiting) >= self._limits.connections_pending_max:
            crowded = Counter(visitor.address for visitor in waiting).most_common(1)[0][0]
            same = [visitor for visitor in waiting if visitor.address == crowded]
        elif len(same) < self._limits.connections_pending_per_address_max:
            return
        self._dismiss(same[0], abort_pdu(AbortReason.NOT_SPECIFIED))

    def _advance(self, visitor: _Visitor) -> None:
        if self._visitors.get(visitor.connection.fileno()) is not visitor:
            return  # sent away since `select` named it
        try:
            if visitor.stage is _Stage.HANDSHAKE:
                self._shake_hands(visitor)
            elif visitor.stage is _Stage.REQUEST:
                self._read_request(visitor)
            elif not visitor.connection.recv(CHUNK):
                self._dismiss(visitor)
        except (BlockingIOError, InterruptedError, ssl.SSLWantReadError):
            return
        except OSError:  # SSLError is one
            self._dismiss(visitor)

    def _shake_hands(self, visitor: _Visitor) -> None:
        assert isinstance(visitor.connection, ssl.SSLSocket)
        try:
            visitor.connection.do_handshake()
        except ssl.SSLWantWriteError:
            self._selector.modify(visitor.connection, selectors.EVENT_WRITE, visitor)
            return
        except ssl.SSLWantReadError:
            self._selector.modify(visitor.connection, selectors.EVENT_READ, visitor)
            return
        self._selector.modify(visitor.connection, selectors.EVENT_READ, visitor)
        visitor.stage = _Stage.REQUEST
        self._read_request(visitor)  # it may lie decrypted already, unseen by `select`

    def _read_request(self, visitor: _Visitor) -> None:
        length_max = self._limits.association_request_bytes_max
        while True:
            chunk = visitor.connection.recv(min(visitor.missing(), CHUNK))
            if not chunk:
                self._dismiss(visitor)
                return
            visitor.received += chunk
            fault = request_fault(visitor.received, length_max)
            if fault is not None:
                self._refuse(visitor, abort_pdu(fault))
                return
            if not visitor.missing():
                self._receive_request(visitor)
                return

    def _receive_request(self, visitor: _Visitor) -> None:
        request = bytes(visitor.received)
        sender = applicant(request, visitor.address)
        rejection = self._reception.admit(sender)
        if rejection is not None:
            self._refuse(visitor, reject_pdu(rejection))
            return
        self._release(visitor)
        try:
            self._reception.establish(visitor.connection, request, sender)
        except Exception as error:  # noqa: BLE001  the edge: a bug must not deafen the receiver
            log.bug(error)
            visitor.connection.close()

    def _refuse(self, visitor: _Visitor, answer: bytes) -> None:
        """Answer, and keep the connection until the peer has read it (PS3.8 9.1.5, Sta13)."""
        log.warning(LogEvent.CONNECTION_REFUSED, address=visitor.address, count=len(self._visitors))
        visitor.connection.send(answer)
        visitor.connection.shutdown(socket.SHUT_WR)
        visitor.stage = _Stage.CLOSING
        visitor.deadline = time.monotonic() + CLOSE_WAIT_S

    def _release(self, visitor: _Visitor) -> None:
        del self._visitors[visitor.connection.fileno()]
        self._selector.unregister(visitor.connection)

    def _dismiss(self, visitor: _Visitor, answer: bytes = b"") -> None:
        self._release(visitor)
        with contextlib.suppress(OSError):
            if answer and visitor.stage is _Stage.REQUEST:
                visitor.connection.send(answer)
        visitor.connection.close()
