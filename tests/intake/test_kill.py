"""The receiver is killed while it receives: whatever it acknowledged is there, whole and once."""

import contextlib
import random
import select
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from attrs import define, field

from qa_daemon.config.settings import Acknowledge
from tests.intake.conftest import CT_IMAGE, DEADLINE_S, RawScu, Service, data_set

ROOT = Path(__file__).parents[2]
CHILD = """
import sys, resource, signal
from pathlib import Path
from qa_daemon.config.settings import Acknowledge, ReceiverSettings
from tests.intake.conftest import Service
state, acknowledge, file_size = sys.argv[1:]
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])  # before there are threads
if file_size != "0":
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(file_size), int(file_size)))
settings = ReceiverSettings(port=0, acknowledge=Acknowledge(acknowledge))
service = Service(Path(state), settings)
print(service.listen(), flush=True)
signal.sigwait([signal.SIGTERM])
service.close()
"""


@contextlib.contextmanager
def child(
    state: Path, acknowledge: Acknowledge, file_size_max: int = 0
) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """Run a receiver in a process of its own; yield it and its port."""
    arguments = [str(state), acknowledge.value, str(file_size_max)]
    with subprocess.Popen(  # noqa: S603  our own arguments
        [sys.executable, "-c", CHILD, *arguments], stdout=subprocess.PIPE, text=True, cwd=ROOT
    ) as process:
        try:
            assert process.stdout is not None
            ready, _, _ = select.select([process.stdout], [], [], DEADLINE_S)
            assert ready, "the receiver did not start"
            yield process, int(process.stdout.readline())
        finally:
            process.kill()


def body(uid: str) -> bytes:
    return data_set(uid, rows=8 + int(uid.rpartition(".")[2]) % 100)


@define
class Senders:
    """Two modalities that send until all is acknowledged, or the receiver dies."""

    kill_after: int
    kill: Callable[[], None]
    acknowledged: set[str] = field(factory=set)
    lock: threading.Lock = field(factory=threading.Lock)

    def send(self, port: int, uids: list[str]) -> None:
        with contextlib.suppress(ConnectionError), RawScu(port) as scu:
            assert scu.associate() == 2
            for uid in uids:
                scu.command(
                    CT_IMAGE.encode() + b"\0", uid.encode().ljust(len(uid) + len(uid) % 2, b"\0")
                )
                scu.fragment(2, body(uid))
                kind, answer = scu.answer()
                if kind != 4:
                    return
                assert answer[6:].find(b"\0\0\0\x09\2\0\0\0\0\0") >= 0, "not acknowledged as stored"
                with self.lock:
                    self.acknowledged.add(uid)
                    if len(self.acknowledged) == self.kill_after:
                        self.kill()

    def send_all(self, port: int, wanted: list[str]) -> None:
        """Send what is not acknowledged yet, half by each."""
        left = [uid for uid in wanted if uid not in self.acknowledged]
        threads = [
            threading.Thread(target=self.send, args=(port, left[start::2])) for start in (0, 1)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(3 * DEADLINE_S)


def check(state: Path, acknowledged: set[str]) -> None:
    """Hold that every acknowledged object has its row and its bytes, and nothing lies twice."""
    service = Service(state)
    try:
        rows = service.rows()
        times = Counter(row.sop_instance_uid for row in rows)
        assert acknowledged <= set(times)
        assert set(times.values()) <= {1}
        for row in rows:
            service.spool.verify(row.source)
            offset = service.spool.envelope(row.source).data_set_offset
            assert service.spool.content(row.source)[offset:] == body(row.sop_instance_uid)
        assert sorted(service.spool.keys()) == sorted(row.source for row in rows)
    finally:
        service.close()


def killed_and_restarted(state: Path, acknowledge: Acknowledge, kills: list[int]) -> None:
    """Send 2 x 50 objects to receivers that are killed after so many acknowledgements."""
    wanted = [f"1.2.3.{number}" for number in range(100)]
    acknowledged: set[str] = set()
    for kill_after in [*kills, 0]:
        with child(state, acknowledge) as (process, port):
            senders = Senders(kill_after, process.kill, acknowledged)
            senders.send_all(port, wanted)
    assert acknowledged == set(wanted)
    check(state, acknowledged)


@pytest.mark.parametrize("acknowledge", list(Acknowledge))
def test_nothing_acknowledged_is_lost_when_the_receiver_is_killed(
    tmp_path: Path, acknowledge: Acknowledge
) -> None:
    killed_and_restarted(tmp_path / "state", acknowledge, [1, 20, 61])


@pytest.mark.long
@pytest.mark.parametrize("acknowledge", list(Acknowledge))
@pytest.mark.parametrize("seed", range(25))
def test_nothing_acknowledged_is_lost_at_any_moment(
    tmp_path: Path, acknowledge: Acknowledge, seed: int
) -> None:
    moments = random.Random(seed)  # noqa: S311  a repeatable choice
    kills = sorted(moments.sample(range(1, 100), 3))
    killed_and_restarted(tmp_path / "state", acknowledge, kills)


def test_a_disk_without_room_is_told_and_smaller_objects_still_come(tmp_path: Path) -> None:
    state = tmp_path / "state"
    with child(state, Acknowledge.SPOOL, file_size_max=3 << 20) as (process, port):
        with RawScu(port) as scu:
            scu.associate()
            assert scu.store(bytes(4 << 20), b"1.2.3.5\0") == 0xA700
            assert scu.store(body("1.2.3.1")) == 0x0000
            assert scu.store(bytes(4 << 20), b"1.2.3.6\0") == 0xA700
        process.send_signal(signal.SIGTERM)
        assert process.wait(DEADLINE_S) == 0
    assert not list((state / "spool" / "partial").iterdir())
    check(state, {"1.2.3.1"})
