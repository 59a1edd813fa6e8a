"""`kill -9` while order messages come: whatever was answered with AA is in the store, once."""

import contextlib
import random
import socket
import threading
from collections.abc import Callable
from pathlib import Path

from qa_daemon.store import result_rows
from qa_daemon.store.result_rows import FindingFilter
from qa_daemon.store.visits import order_rows
from tests.faults.conftest import DEADLINE_S, Daemon, StoreScu, drawn, eventually, free_port

MESSAGE = (
    "\x0bMSH|^~\\&|RIS|HOSP|QA||20260301080000||ORM^O01|M{n}|P|2.3.1\r"
    "PID|||P1\rORC|NW||A{n}||||^^^20260301083000\rOBR||||X^Knie re.^99\r\x1c\r"
)
KILLS = 4


def send(
    port: int,
    numbers: range,
    accepted: set[int],
    answered: threading.Semaphore,
    text: str = MESSAGE,
) -> None:
    """Send messages one after the other until the service is gone; note those that it accepted."""
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 5.0) as peer:
        peer.settimeout(DEADLINE_S)
        for number in numbers:
            peer.sendall(text.format(n=number).encode())
            said = b""
            while not said.endswith(b"\x1c\r"):
                piece = peer.recv(4096)
                if not piece:
                    return
                said += piece
            if b"MSA|AA|" in said:
                accepted.add(number)
                answered.release()


def test_a_killed_receiver_has_all_orders_that_it_accepted(
    daemon: Callable[..., Daemon],
) -> None:
    port = free_port()
    made = daemon("receiver", orders={"hl7": {"enabled": True, "port": port}})
    chance, accepted = random.Random(11), set[int]()  # noqa: S311  a repeatable choice
    for kill in range(KILLS):
        made.start()
        answered = threading.Semaphore(0)
        numbers = range(kill * 1000, kill * 1000 + 1000)
        sender = threading.Thread(target=send, args=(port, numbers, accepted, answered))
        sender.start()
        for _ in range(chance.randint(1, 15)):
            assert answered.acquire(timeout=DEADLINE_S)
        made.kill()
        sender.join(DEADLINE_S)
        assert not sender.is_alive()
    made.start()
    with made.store() as store:
        told = order_rows.orders_of(store, "P1", "20260301")
    kept = [int(each.order.key.accession_number[1:]) for each in told]
    assert accepted
    assert accepted <= set(kept)
    assert len(kept) == len(set(kept))
    # What was under way when it died may be kept, too: it is sent again, and changes nothing.
    assert len(set(kept) - accepted) <= KILLS


def test_orders_that_come_after_the_images_have_the_visit_judged_again(
    tmp_path: Path, daemon: Callable[..., Daemon]
) -> None:
    port = free_port()
    made = daemon(orders={"hl7": {"enabled": True, "port": port}})
    made.start()
    sender = StoreScu(made.port, drawn(tmp_path, "1.2.3.1", 3), set(), lambda: None)
    sender.start(list(sender.drawn.files))
    sender.wait()
    eventually(made.judged, "a verdict")
    accepted = set[int]()
    # another order of the same patient and day, which has no images
    text = MESSAGE.replace("P1", "4711")
    send(port, range(1, 2), accepted, threading.Semaphore(0), text)
    assert accepted == {1}

    def is_missed() -> bool:
        with made.store() as store:
            rows = result_rows.finding_list(store, FindingFilter(rule="ORDER-022"), 10)
        return len(rows) == 1

    eventually(is_missed, "the order without images")
    assert made.terminate() == 0
