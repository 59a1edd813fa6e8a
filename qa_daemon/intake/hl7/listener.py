"""The MLLP listener: one message in, one answer out, once its orders are committed.

Framing is that of HL7's Minimal Lower Layer Protocol: VT, message, FS, CR.
"""

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from ipaddress import ip_address, ip_network
from socketserver import BaseRequestHandler, ThreadingTCPServer
from typing import Final

from attrs import define, field

from qa_daemon.config.settings import Hl7Settings
from qa_daemon.errors import ConfigurationError, InputError, RetryableError
from qa_daemon.orders.messages import MESSAGE_LENGTH_MAX, answer, orders_told, read_message
from qa_daemon.records.order import Order
from qa_daemon.telemetry.events import LogEvent
from qa_daemon.telemetry.log import log

_BEGIN: Final = b"\x0b"
_END: Final = b"\x1c\x0d"
_PIECE: Final = 65_536
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

    def stop(self) -> None:
        """Take no more; a message that is being kept gets its answer."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()

    def answered(self, content: bytes) -> bytes:
        """Keep what a message tells and return the answer to it."""
        now = datetime.now(UTC).strftime("%Y%m%d%H%M%S")
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
        self._free = threading.Semaphore(listener.settings.connections_max)
        super().__init__(place, _Connection)

    def verify_request(self, request: object, client_address: object) -> bool:  # noqa: ARG002  socketserver's signature
        """Admit addresses that may send, and as many at once as there is room for."""
        assert isinstance(client_address, tuple)
        allowed = self.listener.settings.addresses
        address = ip_address(str(client_address[0]))
        if allowed and not any(address in ip_network(each, strict=False) for each in allowed):
            return False
        return self._free.acquire(blocking=False)

    @contextlib.contextmanager
    def place(self) -> Iterator[None]:
        """Give the place of a connection free at its end."""
        try:
            yield
        finally:
            self._free.release()


class _Connection(BaseRequestHandler):
    server: _Server

    def handle(self) -> None:
        """Answer messages until the peer goes, or says nothing for too long."""
        peer = self.request
        assert isinstance(peer, socket.socket)
        listener = self.server.listener
        peer.settimeout(listener.settings.idle_timeout_s)
        with self.server.place(), contextlib.suppress(OSError):
            for content in _messages(peer):
                peer.sendall(_BEGIN + listener.answered(content) + _END)


def _messages(peer: socket.socket) -> Iterator[bytes]:
    """Yield each framed message; end at the end of the stream, or at what is no frame."""
    waiting = b""
    while True:
        begin = waiting.find(_BEGIN)
        end = waiting.find(_END, max(begin, 0))
        if begin >= 0 and end > begin:
            yield waiting[begin + 1 : end]
            waiting = waiting[end + len(_END) :]
            continue
        if len(waiting) > MESSAGE_LENGTH_MAX + len(_END) or (waiting and begin < 0):
            return
        piece = peer.recv(_PIECE)
        if not piece:
            return
        waiting += piece
