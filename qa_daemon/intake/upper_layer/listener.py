"""The listening socket and its TLS (PS3.15 B.9)."""

import socket
import ssl
from typing import Final

from qa_daemon.config.settings import ReceiverSettings, Tls
from qa_daemon.errors import ConfigurationError

BACKLOG: Final = 128


def listen(settings: ReceiverSettings) -> socket.socket:
    """Return a listening socket.

    Raises
    ------
    ConfigurationError
        If the address is not ours or the port is taken.
    """
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        return socket.create_server((settings.host, settings.port), family=family, backlog=BACKLOG)
    except OSError as error:
        raise ConfigurationError(
            f"receiver: cannot listen on {settings.host} port {settings.port}: {error.strerror}; "
            "set receiver.host and receiver.port to an address of this machine and a free port"
        ) from error


def tls_context(tls: Tls) -> ssl.SSLContext | None:
    """Return what TLS needs (PS3.15 B.9), None where the settings leave it off.

    Raises
    ------
    ConfigurationError
        If a file is missing or does not hold what it should.
    """
    if tls.certificate is None and tls.private_key is None:
        if tls.client_authorities is not None:
            raise ConfigurationError(
                "receiver.tls: client_authorities is set without certificate and private_key; "
                "set all three, or none"
            )
        return None
    if tls.certificate is None or tls.private_key is None:
        raise ConfigurationError("receiver.tls: set certificate and private_key both, or neither")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(tls.certificate, tls.private_key)
        if tls.client_authorities is not None:
            context.load_verify_locations(tls.client_authorities)
            context.verify_mode = ssl.CERT_REQUIRED
    except OSError as error:  # SSLError is one
        raise ConfigurationError(
            f"receiver.tls: {error.strerror or error}; give PEM files that this service may read"
        ) from error
    return context
