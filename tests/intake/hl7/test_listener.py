"""Order messages over MLLP, sent by a client of another maker."""

import contextlib
import re
import socket
from collections.abc import Iterator
from io import StringIO

import pytest
from attrs import define, field
from hl7.client import MLLPClient

from qa_daemon.config.settings import Hl7Settings
from qa_daemon.errors import ConfigurationError, RetryableError
from qa_daemon.intake.hl7 import listener as listening
from qa_daemon.intake.hl7.listener import Listener
from qa_daemon.records.order import Order
from qa_daemon.telemetry import log as telemetry
from qa_daemon.telemetry.facts import Pseudonyms

MESSAGE = (
    "MSH|^~\\&|RIS|HOSP|QA||20260301080000||ORM^O01|M{n}|P|2.3.1\r"
    "PID|||P1\rORC|NW||A{n}\rOBR||||X^Knie re.^99\r"
)


@define
class Keeper:
    """Keeps orders, or fails."""

    kept: list[str] = field(factory=list)
    failure: Exception | None = None

    def keep(self, told: tuple[Order, ...]) -> None:
        if self.failure is not None:
            raise self.failure
        self.kept += [order.key.accession_number for order in told]


@pytest.fixture
def keeper() -> Keeper:
    return Keeper()


@pytest.fixture
def listener(keeper: Keeper) -> Iterator[Listener]:
    made = Listener(Hl7Settings(enabled=True, port=0, idle_timeout_s=5.0), keeper.keep)
    made.start()
    yield made
    made.stop()


def sent(listener: Listener, *numbers: int) -> list[str]:
    """Return the codes of the answers."""
    with MLLPClient("127.0.0.1", listener.port) as client:
        answers = [client.send_message(MESSAGE.format(n=number)) for number in numbers]
    return [answer.split(b"MSA|")[1][:2].decode() for answer in answers]


def test_messages_are_answered_once_their_orders_are_kept(
    listener: Listener, keeper: Keeper
) -> None:
    assert sent(listener, 1, 2, 3) == ["AA", "AA", "AA"]
    assert keeper.kept == ["A1", "A2", "A3"]


def test_what_cannot_be_kept_is_to_be_sent_again(listener: Listener, keeper: Keeper) -> None:
    keeper.failure = RetryableError("the store is locked")
    assert sent(listener, 1) == ["AE"]
    keeper.failure = None
    assert sent(listener, 1) == ["AA"]
    assert keeper.kept == ["A1"]


def test_a_bug_is_answered_and_the_next_message_kept(listener: Listener, keeper: Keeper) -> None:
    keeper.failure = ZeroDivisionError()
    assert sent(listener, 1) == ["AE"]
    keeper.failure = None
    assert sent(listener, 2) == ["AA"]


def raw(listener: Listener, content: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", listener.port), timeout=5.0) as peer:
        peer.sendall(content)
        peer.shutdown(socket.SHUT_WR)
        said = b""
        while piece := peer.recv(4096):
            said += piece
    return said


def test_a_message_in_pieces_is_one_message(listener: Listener, keeper: Keeper) -> None:
    framed = b"\x0b" + MESSAGE.format(n=7).encode() + b"\x1c\r"
    with socket.create_connection(("127.0.0.1", listener.port), timeout=5.0) as peer:
        for place in range(0, len(framed), 7):
            peer.sendall(framed[place : place + 7])
        assert b"MSA|AA|M7" in peer.recv(4096)
    assert keeper.kept == ["A7"]


def test_each_message_of_a_batch_is_kept_and_answered(listener: Listener, keeper: Keeper) -> None:
    batch = "BHS|^~\\&|RIS\r" + MESSAGE.format(n=1) + MESSAGE.format(n=2) + "BTS|2\r"
    said = raw(listener, b"\x0b" + batch.encode() + b"\x1c\r")
    assert said.startswith(b"\x0bBHS")
    assert (said.count(b"MSA|AA|M1"), said.count(b"MSA|AA|M2")) == (1, 1)
    assert keeper.kept == ["A1", "A2"]


def test_what_is_wrong_with_one_message_of_a_batch_costs_the_others_nothing(
    listener: Listener, keeper: Keeper
) -> None:
    nobody = MESSAGE.format(n=1).replace("P1", "")
    batch = "BHS|^~\\&|RIS\r" + nobody + MESSAGE.format(n=2)
    said = raw(listener, b"\x0b" + batch.encode() + b"\x1c\r")
    assert (said.count(b"MSA|AR|M1"), said.count(b"MSA|AA|M2")) == (1, 1)
    assert keeper.kept == ["A2"]


def test_a_bug_tells_nothing_of_the_patient(listener: Listener, keeper: Keeper) -> None:
    keeper.failure = ZeroDivisionError("of patient P1, Knie re.")
    heard = StringIO()
    telemetry.start("info", "json", Pseudonyms(b"k" * 32), heard)
    try:
        assert b"MSA|AE|M1" in raw(listener, b"\x0b" + MESSAGE.format(n=1).encode() + b"\x1c\r")
    finally:
        telemetry.stop()
    said = heard.getvalue()
    assert "ZeroDivisionError" in said
    assert not {"P1", "Knie", "A1"} & set(re.findall(r"\w+", said))


def test_one_sender_does_not_take_all_places(keeper: Keeper) -> None:
    settings = Hl7Settings(
        enabled=True, host="127.0.0.1", port=0, connections_max=4, connections_per_address_max=2
    )
    made = Listener(settings, keeper.keep)
    made.start()
    with contextlib.ExitStack() as stack:
        for _ in range(2):
            taken = socket.create_connection(("127.0.0.1", made.port), timeout=5.0)
            stack.enter_context(taken)
            taken.sendall(b"\x0b" + MESSAGE.format(n=1).encode() + b"\x1c\r")
            assert b"MSA|AA" in taken.recv(4096)
        third = stack.enter_context(socket.create_connection(("127.0.0.1", made.port), timeout=5.0))
        assert third.recv(1) == b""
        other = socket.create_connection(
            ("127.0.0.1", made.port), timeout=5.0, source_address=("127.0.0.2", 0)
        )
        stack.enter_context(other).sendall(b"\x0b" + MESSAGE.format(n=9).encode() + b"\x1c\r")
        assert b"MSA|AA" in other.recv(4096)
    made.stop()


def test_what_is_no_order_is_refused(listener: Listener, keeper: Keeper) -> None:
    assert b"MSA|AR" in raw(listener, b"\x0bGET / HTTP/1.1\x1c\r")
    assert keeper.kept == []


def test_what_has_no_frame_gets_no_answer(listener: Listener) -> None:
    assert raw(listener, b"GET / HTTP/1.1\r\n\r\n") == b""


def test_a_message_without_end_is_cut_off(listener: Listener, keeper: Keeper) -> None:
    with contextlib.suppress(ConnectionError):  # closed while we were still sending
        assert raw(listener, b"\x0b" + b"x" * (3 << 20)) == b""
    assert keeper.kept == []


def test_only_addresses_that_are_named_may_send(keeper: Keeper) -> None:
    made = Listener(Hl7Settings(enabled=True, port=0, addresses=("10.0.0.0/8",)), keeper.keep)
    made.start()
    with contextlib.suppress(OSError):
        assert raw(made, b"\x0b" + MESSAGE.format(n=1).encode() + b"\x1c\r") == b""
    made.stop()
    assert keeper.kept == []


def test_a_revoked_address_sends_nothing_more_over_its_open_connection(
    listener: Listener, keeper: Keeper
) -> None:
    with MLLPClient("127.0.0.1", listener.port) as client:
        assert b"MSA|AA" in client.send_message(MESSAGE.format(n=1))
        listener.exchange(Hl7Settings(enabled=True, addresses=("10.0.0.0/8",)))
        assert client.send_message(MESSAGE.format(n=2)) == b""
    assert keeper.kept == ["A1"]


def test_new_settings_count_for_new_connections(listener: Listener, keeper: Keeper) -> None:
    listener.exchange(Hl7Settings(enabled=True, addresses=("10.0.0.0/8",)))
    with contextlib.suppress(OSError):
        assert raw(listener, b"\x0b" + MESSAGE.format(n=1).encode() + b"\x1c\r") == b""
    assert keeper.kept == []


def test_a_message_that_does_not_end_frees_its_place(
    keeper: Keeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listening, "MESSAGE_TIMEOUT_S", 0.5)
    settings = Hl7Settings(enabled=True, port=0, idle_timeout_s=30.0, connections_max=1)
    made = Listener(settings, keeper.keep)
    made.start()
    with socket.create_connection(("127.0.0.1", made.port), timeout=20.0) as slow:
        with pytest.raises(OSError, match=r"."):  # noqa: PT012  one byte more, until it is closed
            slow.sendall(b"\x0bMSH|")
            while True:
                slow.settimeout(0.1)
                with contextlib.suppress(TimeoutError):
                    if not slow.recv(1):
                        raise OSError("closed")
                slow.sendall(b"x")
        assert sent(made, 1) == ["AA"]
    made.stop()


def test_a_connection_that_is_open_at_the_end_is_closed(keeper: Keeper) -> None:
    made = Listener(Hl7Settings(enabled=True, port=0, idle_timeout_s=300.0), keeper.keep)
    made.start()
    with MLLPClient("127.0.0.1", made.port) as client:
        assert b"MSA|AA" in client.send_message(MESSAGE.format(n=1))
        made.stop()
        client.socket.settimeout(20.0)
        assert client.socket.recv(1) == b""


def test_a_taken_port_is_told(listener: Listener, keeper: Keeper) -> None:
    second = Listener(Hl7Settings(enabled=True, port=listener.port), keeper.keep)
    with pytest.raises(ConfigurationError, match=r"orders\.hl7\.port"):
        second.start()
