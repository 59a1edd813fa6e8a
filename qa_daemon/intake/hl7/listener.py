"""The MLLP listener: one message in, one answer out, once its orders are committed.

Framing is that of HL7's Minimal Lower Layer Protocol: VT, message, FS, CR.
"""

import contextlib
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from ipaddress import ip_address, ip_network
from socketserver import BaseRequestHandler, ThreadingTCPServer
from time import monotonic
from typing import Final

from attrs import define, field

from qa_daemon.config.settings import Hl7Settings
from qa_daemon.errors import ConfigurationError, InputError, RetryableError
from qa_daemon.orders.messages.answer import answer, batched
from qa_daemon.orders.messages.imaging import orders_told
from qa_daemon.orders.messages.syntax import (
    MESSAGE_LENGTH_MAX,
    is_batch,
    messages_of,
    read_message,
)
from qa_daemon.records.order import Order
from qa_daemon.telemetry.events import LogEvent
from qa_daemon.telemetry.log import log

_BEGIN: Final = b"\x0b"
_END: Final = b"\x1c\x0d"
_PIECE: Final = 65_536
#: From the first byte of a message to its last; `idle_timeout_s` counts between messages only, or a
#: peer that sends one byte now and then would keep its place for ever.
MESSAGE_TIMEOUT_S: Final = 30.0
#: What keeps orders; returns when they are committed.
Keep = Callable[[tuple[Order, ...]], None]


@define
class Listener:
    """Takes order messages in, on threads of its own."""

    settings: Hl7Settings
    keep: Keep
    _server: "_Server | None" = field(default=None, init=False)

    @property
    def port(self) -> int:
        """The port that it listens on."""
        assert self._server is not None
        return int(self._server.server_address[1])

    def start(self) -> None:
        """Listen.

        Raises
        ------
        ConfigurationError
            If the port is taken.
        """
        place = (self.settings.host, self.settings.port)
        try:
            self._server = _Server(place, self)
        except OSError as error:
            raise ConfigurationError(
                f"orders.hl7 {place[0]}:{place[1]}: cannot listen there: {error.strerror}; "
                "set orders.hl7.port to a free one"
            ) from error
        threading.Thread(target=self._server.serve_forever, name="hl7", daemon=True).start()

    def exchange(self, settings: Hl7Settings) -> None:
        """Take in force who may send, how many at once and how long a peer may rest.

        That counts for open connections too, from their next message on: they last for weeks.
        """
        self.settings = settings

    def stop(self) -> None:
        """Take no more; a message that is being kept gets its answer."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server.hang_up()

    def admits(self, address: str) -> bool:
        """Whether an address may send."""
        allowed, peer = self.settings.addresses, ip_address(address)
        return not allowed or any(peer in ip_network(each, strict=False) for each in allowed)

    def answered(self, content: bytes) -> bytes:
        """Keep what a frame tells and return the answer; each message of a batch has its own."""
        now = datetime.now(UTC).strftime("%Y%m%d%H%M%S")
        try:
            messages = messages_of(content)
        except InputError as error:
            log.warning(LogEvent.ORDER_MESSAGE_REFUSED, cause=type(error).__name__)
            return answer(None, "AR", str(error), now)
        answers = [self._answered(each, now) for each in messages]
        return batched(answers, now) if is_batch(content) else b"".join(answers)

    def _answered(self, content: bytes, now: str) -> bytes:
        message = None
        try:
            message = read_message(content)
            told = orders_told(message)
            if told:
                self.keep(told)
        except InputError as error:
            log.warning(LogEvent.ORDER_MESSAGE_REFUSED, cause=type(error).__name__)
            return answer(message, "AR", str(error), now)
        except RetryableError as error:
            log.warning(LogEvent.ORDER_MESSAGE_REFUSED, cause=type(error).__name__)
            return answer(message, "AE", "not kept; send it again", now)
        except Exception as error:  # noqa: BLE001  the edge: one odd message must not end the rest
            log.bug(error)
            return answer(message, "AE", "internal error", now)
        log.info(LogEvent.ORDERS_TOLD, count=len(told), kind="hl7")
        return answer(message, "AA", "", now)


class _Server(ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False

    def __init__(self, place: tuple[str, int], listener: Listener) -> None:
        self.listener = listener
        self._open = dict[object, str]()
        self._changing = threading.Lock()
        super().__init__(place, _Connection)

    def verify_request(self, request: object, client_address: object) -> bool:
        """Admit addresses that may send, and as many at once as there is room for."""
        assert isinstance(client_address, tuple)
        address, settings = str(client_address[0]), self.listener.settings
        with self._changing:
            own = sum(each == address for each in self._open.values())
            has_room = len(self._open) < settings.connections_max
            # Or one sender that never closes keeps all others out.
            has_own_room = own < settings.connections_per_address_max
            if has_room and has_own_room and self.listener.admits(address):
                self._open[request] = address
                return True
            count = len(self._open)
        log.warning(LogEvent.CONNECTION_REFUSED, address=address, kind="hl7", count=count)
        return False

    def shutdown_request(self, request: "socket.socket | tuple[bytes, socket.socket]") -> None:
        """Close a connection, whatever has ended it; its place is free."""
        with self._changing:
            self._open.pop(request, None)
        super().shutdown_request(request)

    def handle_error(self, request: object, client_address: object) -> None:  # noqa: ARG002  socketserver's signature
        """Tell a bug in the log; socketserver would print it."""
        error = sys.exception()
        if isinstance(error, Exception):
            log.bug(error, kind="hl7")

    def hang_up(self) -> None:
        """Read no further message."""
        with self._changing:
            for connection in self._open:
                assert isinstance(connection, socket.socket)
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RD)


class _Connection(BaseRequestHandler):
    server: _Server

    def handle(self) -> None:
        """Answer messages until the peer goes, or says nothing for too long."""
        peer = self.request
        assert isinstance(peer, socket.socket)
        listener = self.server.listener
        with contextlib.suppress(OSError):
            for content in _messages(peer, listener):
                if not listener.admits(self.client_address[0]):
                    return
                peer.sendall(_BEGIN + listener.answered(content) + _END)


def _messages(peer: socket.socket, listener: Listener) -> Iterator[bytes]:
    """Yield each framed message; end at the end of the stream, or at what is no frame.

    Raises
    ------
    TimeoutError
        If the peer rests too long, or does not come to the end of a message.
    """
    waiting, looked_at, until = bytearray(), 0, 0.0
    while True:
        begin = waiting.find(_BEGIN)
        end = waiting.find(_END, max(begin, looked_at, 0))
        if begin >= 0 and end > begin:
            yield bytes(waiting[begin + 1 : end])
            del waiting[: end + len(_END)]
            looked_at, until = 0, monotonic() + MESSAGE_TIMEOUT_S
            continue
        if len(waiting) > MESSAGE_LENGTH_MAX + len(_END) or (waiting and begin < 0):
            return
        looked_at = max(len(waiting) - 1, 0)  # a message is looked through once, however it comes
        if waiting and monotonic() > until:
            raise TimeoutError
        peer.settimeout(
            max(until - monotonic(), 0.001) if waiting else listener.settings.idle_timeout_s
        )
        piece = peer.recv(_PIECE)
        if not piece:
            return
        if not waiting:
            until = monotonic() + MESSAGE_TIMEOUT_S
        waiting += piece
