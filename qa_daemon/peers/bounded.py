"""A socket on which a peer can neither dawdle nor pour without end.

pynetdicom waits for the rest of a PDU for ever, whatever length the peer has announced, and keeps
all that comes meanwhile; its timeouts count between PDUs and fragments only. So the bounds are held
below it, where every byte passes.
"""

import socket
from time import monotonic
from typing import Final

from attrs import frozen
from pynetdicom.events import Event

#: A study or worklist entry has some 2 KB, and a conversation at most 10,000 of them per query.
RECEIVED_BYTES_MAX: Final = 64 << 20
#: A timeout of 0 would make the socket non-blocking.
_SHORTEST_S: Final = 0.001


class BoundedSocket(socket.socket):
    """A connected socket whose reads end at a point of time, and after so many bytes.

    Attributes
    ----------
    until
        By the monotonic clock.
    left
        Bytes that may still come.
    """

    until: float = 0.0
    left: int = RECEIVED_BYTES_MAX

    def recv(self, bufsize: int, flags: int = 0, /) -> bytes:
        """Receive as any socket does.

        Raises
        ------
        TimeoutError
            At the point of time.
        OSError
            If the peer has sent too much.
        """
        rest_s = self.until - monotonic()
        if rest_s <= 0:
            raise TimeoutError("the peer takes too long")
        self.settimeout(max(rest_s, _SHORTEST_S))
        content = super().recv(bufsize, flags)
        self.left -= len(content)
        if self.left < 0:
            raise OSError("the peer sends too much")
        return content


@frozen
class Bounds:
    """Bounds every association that it is told of (`EVT_CONN_OPEN`)."""

    until: float

    def hold(self, event: Event) -> None:
        """Put the bounded socket in the place of the one that pynetdicom has connected."""
        transport = event.assoc.dul.socket
        assert transport is not None
        assert transport.socket is not None
        bounded = BoundedSocket(fileno=transport.socket.detach())
        bounded.until = self.until
        bounded.settimeout(max(self.until - monotonic(), _SHORTEST_S))
        transport.socket = bounded
