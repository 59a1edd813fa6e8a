"""The listener: uvicorn in a thread of the role, with deadlines for slow clients."""

import asyncio
import contextlib
import socket
import threading
from typing import Any, Final

import h11
import uvicorn
from attrs import define, field
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

from qa_daemon.config.settings import WebSettings
from qa_daemon.errors import ConfigurationError

#: Between two requests of one connection; browsers open a new one at once.
KEEP_ALIVE_S: Final = 15
#: Head of a request: a URL with all filters and some cookies stay far below.
HEAD_BYTES_MAX: Final = 64 << 10
#: Who listens to events has nothing to say.
WEBSOCKET_BYTES_MAX: Final = 4096
START_TIMEOUT_S: Final = 30.0
BACKLOG: Final = 128


class _Punctual(H11Protocol):
    """Ends connections whose request does not come whole in time; uvicorn waits for ever."""

    request_timeout_s = 10.0

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for the first request."""
        super().connection_made(transport)
        self._watch()

    def data_received(self, data: bytes) -> None:
        """Take bytes of a request; once it is whole, the clock stops."""
        super().data_received(data)
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no more."""
        if self._deadline is not None:
            self._deadline.cancel()
        super().connection_lost(exc)

    def _watch(self) -> None:
        is_whole = self.conn.their_state not in {h11.IDLE, h11.SEND_BODY}
        if is_whole and self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
        elif not is_whole and self._deadline is None:
            self._deadline = self.loop.call_later(self.request_timeout_s, self._end)

    def _end(self) -> None:
        if not self.transport.is_closing():
            self.transport.abort()


@define
class Listener:
    """Serves an application until it is stopped."""

    _server: uvicorn.Server
    _socket: socket.socket
    _thread: threading.Thread = field(init=False)

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._socket.getsockname()[1])

    @property
    def is_alive(self) -> bool:
        """Whether it still serves."""
        return self._thread.is_alive()

    def start(self) -> None:
        """Begin to answer; return once it does.

        Raises
        ------
        ConfigurationError
            If it does not within `START_TIMEOUT_S`.
        """
        self._thread = threading.Thread(
            target=self._server.run, args=([self._socket],), name="web", daemon=True
        )
        self._thread.start()
        pause = threading.Event()
        for _ in range(int(START_TIMEOUT_S / 0.02)):
            if self._server.started:
                return
            if not self._thread.is_alive():
                break
            pause.wait(0.02)
        raise ConfigurationError("web: did not start to listen; the log says why")

    def stop(self) -> None:
        """Answer what was asked, then no more."""
        self._server.should_exit = True
        self._thread.join()


def listener(app: ASGIApp, settings: WebSettings, patience_s: float) -> Listener:
    """Bind the address of the settings.

    Parameters
    ----------
    patience_s
        How long answers that are under way (events without end) may go on when it stops.

    Raises
    ------
    ConfigurationError
        If another program listens there, or the certificate cannot be used.
    """
    protocol = type("Punctual", (_Punctual,), {"request_timeout_s": settings.request_timeout_s})
    config = uvicorn.Config(
        app,
        http=protocol,
        ws="wsproto",
        ws_max_size=WEBSOCKET_BYTES_MAX,
        loop="asyncio",
        lifespan="off",
        interface="asgi3",
        log_config=None,
        access_log=False,
        server_header=False,
        headers=[("Server", "qa-daemon")],
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=list(settings.trusted_proxies),
        limit_concurrency=settings.connections_max,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=max(1, int(patience_s)),
        h11_max_incomplete_event_size=HEAD_BYTES_MAX,
        **_tls(settings),
    )
    return Listener(uvicorn.Server(config), _bound(settings))


def _tls(settings: WebSettings) -> dict[str, Any]:
    tls = settings.tls
    if tls.certificate is None:
        return {}
    import ssl  # noqa: PLC0415  only with TLS

    given = {"ssl_certfile": str(tls.certificate), "ssl_keyfile": str(tls.private_key)}
    if tls.client_authorities is None:
        return given
    return {
        **given,
        "ssl_ca_certs": str(tls.client_authorities),
        "ssl_cert_reqs": ssl.CERT_REQUIRED,
    }


def _bound(settings: WebSettings) -> socket.socket:
    host, port = settings.host, settings.port
    with contextlib.ExitStack() as undone:
        try:
            family, kind, protocol, _, address = socket.getaddrinfo(
                host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
            )[0]
            made = undone.enter_context(socket.socket(family, kind, protocol))
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            made.bind(address)
            made.listen(BACKLOG)
        except OSError as error:
            raise ConfigurationError(
                f"web {host}:{port}: cannot listen there: {error.strerror}; "
                "set web.port to a free one"
            ) from error
        undone.pop_all()
    return made
