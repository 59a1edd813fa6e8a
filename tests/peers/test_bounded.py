"""A hostile archive: it takes the association and the query, and then misbehaves inside a PDU."""

import contextlib
import socket
import threading
from collections.abc import Iterator
from itertools import repeat
from time import monotonic
from typing import Any

import pytest
from pynetdicom import AE, evt
from pynetdicom.events import Event

from qa_daemon.errors import RetryableError
from qa_daemon.peers.archive import STUDY_ROOT_FIND, studies_archived
from qa_daemon.peers.association import Peer
from qa_daemon.peers.bounded import RECEIVED_BYTES_MAX

PDU_BYTES = 3 << 30
DEADLINE_S = 3.0
#: pynetdicom takes a little to shut an association down, and the machine may be busy.
GRACE_S = 12.0


def sent(pieces: Iterator[bytes], wire: socket.socket) -> int:
    """Send the head of a huge PDU and pieces of it until the peer has had enough."""
    count = 0
    with contextlib.suppress(OSError):
        wire.sendall(b"\x04\x00" + PDU_BYTES.to_bytes(4, "big"))
        for piece in pieces:
            wire.sendall(piece)
            count += len(piece)
    return count


def asked(pieces: Iterator[bytes]) -> tuple[float, int]:
    """Ask an archive that sends these; return how long that took, and what it got rid of."""
    counts: list[int] = []
    is_over = threading.Event()

    def answer(event: Event) -> Iterator[tuple[int, None]]:
        transport: Any = event.assoc.dul.socket
        counts.append(sent(pieces, transport.socket))
        is_over.wait(DEADLINE_S + GRACE_S)
        yield 0x0000, None

    entity = AE("HOSTILE")
    entity.add_supported_context(STUDY_ROOT_FIND)
    server = entity.start_server(
        ("127.0.0.1", 0), block=False, evt_handlers=[(evt.EVT_C_FIND, answer)]
    )
    assert server is not None
    port = server.server_address[1]
    peer = Peer(ae_title="HOSTILE", host="127.0.0.1", port=port, deadline_s=DEADLINE_S)
    failures: list[RetryableError] = []

    def ask() -> None:
        try:
            studies_archived(peer, "P1", "20260301")
        except RetryableError as error:
            failures.append(error)

    # On a thread, so that a query without end fails this test and does not stop all.
    begun, asking = monotonic(), threading.Thread(target=ask, daemon=True)
    asking.start()
    asking.join(DEADLINE_S + GRACE_S)
    took_s = monotonic() - begun
    is_over.set()
    server.shutdown()
    assert not asking.is_alive()
    assert len(failures) == 1
    return took_s, sum(counts)


@pytest.mark.parametrize("pieces", [b"", b"abc"])
def test_a_pdu_without_end_ends_the_query_in_time(pieces: bytes) -> None:
    took_s, _ = asked(iter([pieces]))
    assert took_s < DEADLINE_S + GRACE_S


def test_a_flood_is_cut_off_long_before_memory_is_full() -> None:
    _, count = asked(repeat(bytes(1 << 20)))
    assert count < 2 * RECEIVED_BYTES_MAX
