"""The bounded reader, seen from real sockets."""

import contextlib
import resource
import socket
import struct
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from attrs import define, evolve, field
from hypothesis import given, settings
from hypothesis import strategies as st

from qa_daemon.intake.admission import TOO_MANY, Applicant, Rejection
from qa_daemon.intake.upper_layer.front import Front, Reception
from qa_daemon.intake.upper_layer.pdu import (
    AbortReason,
    PduReader,
    PduViolationError,
    abort_pdu,
    applicant,
    header_fault,
    reject_pdu,
)
from qa_daemon.limits import Limits

DEADLINE_S = 5.0


def item(kind: int, content: bytes) -> bytes:
    return struct.pack(">BBH", kind, 0, len(content)) + content


def context(number: int) -> bytes:
    return item(0x20, bytes((number, 0, 0, 0)) + item(0x30, b"1.2.840.10008.1.1"))


ONE_CONTEXT = item(0x10, b"1.2.840.10008.3.1.1.1") + context(1)

LONG = ONE_CONTEXT + item(0x50, b"x" * 1000)


def request_pdu(calling: str = "SCU", called: str = "QADAEMON", tail: bytes = ONE_CONTEXT) -> bytes:
    titles = called.ljust(16).encode() + calling.ljust(16).encode()
    body = b"\0\1\0\0" + titles + bytes(32) + tail
    return struct.pack(">BBL", 1, 0, len(body)) + body


@define
class Hall:
    """A front whose associations only lie in a list."""

    port: int
    established: list[tuple[socket.socket, bytes, Applicant]] = field(factory=list)
    rejection: Rejection | None = None
    is_broken: bool = False
    arrived: threading.Event = field(factory=threading.Event)

    def admit(self, _applicant: Applicant) -> Rejection | None:
        return self.rejection

    def establish(self, connection: socket.socket, request: bytes, sender: Applicant) -> None:
        if self.is_broken:
            raise RuntimeError("a bug")
        self.established.append((connection, request, sender))
        self.arrived.set()

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=DEADLINE_S)


@contextlib.contextmanager
def open_hall(limits: Limits, request_timeout_s: float = DEADLINE_S) -> Iterator[Hall]:
    listener = socket.create_server(("127.0.0.1", 0), backlog=128)
    hall = Hall(listener.getsockname()[1])
    front = Front(
        listener,
        Reception(hall.admit, hall.establish),
        limits,
        request_timeout_s=request_timeout_s,
    )
    front.start()
    try:
        yield hall
    finally:
        front.stop()
        for connection, _, _ in hall.established:
            connection.close()


@pytest.fixture
def hall() -> Iterator[Hall]:
    with open_hall(Limits()) as opened:
        yield opened


def all_of(connection: socket.socket) -> bytes:
    """Read to the end of the stream."""
    parts = []
    with contextlib.suppress(ConnectionResetError):
        while part := connection.recv(4096):
            parts.append(part)
    return b"".join(parts)


def test_a_whole_request_is_handed_over_with_its_sender(hall: Hall) -> None:
    with hall.connect() as peer:
        peer.sendall(request_pdu(calling="../../ETC", tail=LONG))
        assert hall.arrived.wait(DEADLINE_S)
    _, request, sender = hall.established[0]
    assert request == request_pdu(calling="../../ETC", tail=LONG)
    assert sender == Applicant("127.0.0.1", "../../ETC", "QADAEMON")


def test_a_request_may_come_in_single_bytes(hall: Hall) -> None:
    with hall.connect() as peer:
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in request_pdu():
            peer.sendall(bytes((byte,)))
        assert hall.arrived.wait(DEADLINE_S)


def test_bytes_behind_the_request_stay_for_the_association(hall: Hall) -> None:
    with hall.connect() as peer:
        peer.sendall(request_pdu() + b"next")
        assert hall.arrived.wait(DEADLINE_S)
        connection, request, _ = hall.established[0]
        connection.settimeout(DEADLINE_S)
        assert request == request_pdu()
        assert connection.recv(10) == b"next"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", AbortReason.UNRECOGNIZED_PDU),
        (b"\x16\x03\x01\x02\x00\x01\x00", AbortReason.UNRECOGNIZED_PDU),
        (b"\x04\0\0\0\0\x0a", AbortReason.UNEXPECTED_PDU),
        (b"\x05\0\0\0\0\x04\0\0\0\0", AbortReason.UNEXPECTED_PDU),
        (b"\x01\0\xff\xff\xff\xff", AbortReason.INVALID_PARAMETER_VALUE),
        (b"\x01\0\0\0\0\x43", AbortReason.INVALID_PARAMETER_VALUE),
        *(
            (request_pdu(tail=tail), AbortReason.INVALID_PARAMETER_VALUE)
            for tail in (
                b"",
                item(0x50, b""),
                context(2),
                context(1) + context(1),
                context(1) + context(0),
                item(0x20, b""),
                context(1)[:-1],
                b"\x20\0",
            )
        ),
    ],
)
def test_anything_but_a_request_is_answered_by_an_abort(
    hall: Hall, content: bytes, reason: AbortReason
) -> None:
    with hall.connect() as peer:
        peer.sendall(content)
        assert all_of(peer) == abort_pdu(reason)
    assert not hall.established


def test_a_rejection_reaches_the_peer(hall: Hall) -> None:
    hall.rejection = TOO_MANY
    with hall.connect() as peer:
        peer.sendall(request_pdu())
        assert all_of(peer) == reject_pdu(TOO_MANY) == b"\3\0\0\0\0\4\0\2\3\2"


def test_a_silent_connection_is_aborted_at_its_deadline() -> None:
    with open_hall(Limits(), request_timeout_s=0.1) as hall, hall.connect() as peer:
        assert all_of(peer) == abort_pdu(AbortReason.NOT_SPECIFIED)


def test_a_request_that_trickles_in_is_aborted_at_its_deadline() -> None:
    with open_hall(Limits(), request_timeout_s=0.3) as hall, hall.connect() as peer:
        begun = time.monotonic()
        peer.settimeout(0.05)
        heard = b""
        for byte in request_pdu() * 10:
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                peer.sendall(bytes((byte,)))
            try:
                heard = peer.recv(100)
            except TimeoutError:
                continue
            except ConnectionResetError:
                break
            break
        assert time.monotonic() - begun < DEADLINE_S
        assert heard in (b"", abort_pdu(AbortReason.NOT_SPECIFIED))
        assert not hall.established


def test_a_flood_of_silent_connections_does_not_keep_an_honest_peer_out() -> None:
    limits = evolve(Limits(), connections_pending_max=32, connections_pending_per_address_max=16)
    with open_hall(limits) as hall, contextlib.ExitStack() as flood:
        threads = threading.active_count()
        silent = [flood.enter_context(hall.connect()) for _ in range(300)]
        with hall.connect() as honest:
            honest.sendall(request_pdu())
            assert hall.arrived.wait(DEADLINE_S)
        assert threading.active_count() == threads
        # the oldest gave way, with a word
        assert silent[0].recv(100) == abort_pdu(AbortReason.NOT_SPECIFIED)


def test_the_most_crowded_address_gives_way_when_all_places_are_taken() -> None:
    limits = evolve(Limits(), connections_pending_max=3, connections_pending_per_address_max=3)
    with open_hall(limits) as hall, contextlib.ExitStack() as stack:
        silent = [stack.enter_context(hall.connect()) for _ in range(4)]
        assert all_of(silent[0]) == abort_pdu(AbortReason.NOT_SPECIFIED)
        silent[3].sendall(request_pdu())
        assert hall.arrived.wait(DEADLINE_S)


def test_an_association_that_cannot_be_begun_does_not_deafen_the_front() -> None:
    with open_hall(Limits()) as hall:
        hall.is_broken = True
        with hall.connect() as peer:
            peer.sendall(request_pdu())
            assert all_of(peer) == b""
        hall.is_broken = False
        with hall.connect() as peer:
            peer.sendall(request_pdu())
            assert hall.arrived.wait(DEADLINE_S)


def test_a_connection_that_is_reset_at_once_does_no_harm(hall: Hall) -> None:
    for content in (b"", b"\1\0", request_pdu()[:50]):
        peer = hall.connect()
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        peer.sendall(content)
        peer.close()
    with hall.connect() as peer:
        peer.sendall(request_pdu())
        assert hall.arrived.wait(DEADLINE_S)


def test_when_descriptors_run_out_the_front_waits_for_some_to_come_free() -> None:
    with contextlib.ExitStack() as stack:
        hall = stack.enter_context(open_hall(Limits()))
        used = len(list(Path("/proc/self/fd").iterdir()))
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        peers = [socket.socket() for _ in range(3)]
        for peer in peers:
            stack.callback(peer.close)
            peer.settimeout(DEADLINE_S)
        resource.setrlimit(resource.RLIMIT_NOFILE, (used + 4, hard))
        try:
            for peer in peers:
                peer.connect(("127.0.0.1", hall.port))
                peer.sendall(request_pdu())
            assert hall.arrived.wait(DEADLINE_S)
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        until = time.monotonic() + DEADLINE_S
        while len(hall.established) < len(peers):
            assert time.monotonic() < until, "the front accepts no more"
            threading.Event().wait(0.01)


def test_stopping_closes_what_waits() -> None:
    with contextlib.ExitStack() as stack:
        with open_hall(Limits()) as hall:
            peer = stack.enter_context(hall.connect())
            served = stack.enter_context(hall.connect())
            served.sendall(request_pdu())
            assert hall.arrived.wait(DEADLINE_S)
        assert all_of(peer) == abort_pdu(AbortReason.NOT_SPECIFIED)


def p_data(length: int) -> bytes:
    return struct.pack(">BBL", 4, 0, length) + bytes(length)


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    theirs.settimeout(DEADLINE_S)
    with ours, theirs:
        yield ours, theirs


Pair = tuple[socket.socket, socket.socket]


def test_the_request_is_read_again_from_what_was_read_ahead(pair: Pair) -> None:
    reader = PduReader(pair[0], bytearray(request_pdu()), length_max=100, timeout_s=1)
    header = reader.read_header()
    assert bytes(header) + bytes(reader.read(len(request_pdu()) - 6)) == request_pdu()
    assert not reader.read_ahead


def test_a_pdu_of_the_announced_length_passes(pair: Pair) -> None:
    reader = PduReader(pair[0], bytearray(), length_max=100, timeout_s=1)
    pair[1].sendall(p_data(100))
    assert bytes(reader.read_header()) == p_data(100)[:6]
    assert bytes(reader.read(100)) == bytes(100)


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        (struct.pack(">BBL", 4, 0, 101), AbortReason.INVALID_PARAMETER_VALUE),
        (struct.pack(">BBL", 7, 0, 1 << 30), AbortReason.INVALID_PARAMETER_VALUE),
        (struct.pack(">BBL", 2, 0, 4), AbortReason.UNEXPECTED_PDU),
        (struct.pack(">BBL", 0, 0, 4), AbortReason.UNRECOGNIZED_PDU),
    ],
)
def test_a_header_against_the_rules_is_aborted(
    pair: Pair, header: bytes, reason: AbortReason
) -> None:
    reader = PduReader(pair[0], bytearray(), length_max=100, timeout_s=1)
    pair[1].sendall(header)
    with pytest.raises(PduViolationError):
        reader.read_header()
    assert all_of(pair[1]) == abort_pdu(reason)


def test_a_pdu_that_stops_halfway_is_aborted_at_its_deadline(pair: Pair) -> None:
    reader = PduReader(pair[0], bytearray(), length_max=100, timeout_s=0.1)
    pair[1].sendall(p_data(50)[:20])
    reader.read_header()
    with pytest.raises(PduViolationError):
        reader.read(50)
    assert all_of(pair[1]) == abort_pdu(AbortReason.NOT_SPECIFIED)


def test_a_pdu_past_its_deadline_is_aborted_even_if_bytes_keep_coming(pair: Pair) -> None:
    reader = PduReader(pair[0], bytearray(), length_max=100, timeout_s=0.1)
    pair[1].sendall(p_data(50)[:20])
    reader.read_header()
    ended = threading.Event()
    until = time.monotonic() + 0.2
    assert not ended.wait(until - time.monotonic())
    with pytest.raises(PduViolationError):
        reader.read(50)


def test_the_end_of_the_stream_gives_what_there_is(pair: Pair) -> None:
    reader = PduReader(pair[0], bytearray(), length_max=100, timeout_s=1)
    pair[1].sendall(b"\4\0\0")
    pair[1].shutdown(socket.SHUT_WR)
    assert bytes(reader.read_header()) == b"\4\0\0"


@given(st.binary(min_size=6, max_size=6), st.integers(1, 1 << 20))
def test_no_header_passes_that_announces_more_than_its_bound(header: bytes, bound: int) -> None:
    if header_fault(header, bound) is None:
        assert header[0] in (4, 5, 6, 7)
        assert int.from_bytes(header[2:], "big") <= max(bound, 64)


@settings(max_examples=50)
@given(st.binary(min_size=32, max_size=32))
def test_titles_of_any_bytes_become_text(titles: bytes) -> None:
    sender = applicant(struct.pack(">BBL4x", 1, 0, 68) + titles + bytes(32), "10.0.0.1")
    assert sender.calling_ae_title.isascii()
    assert sender.called_ae_title.isascii()
