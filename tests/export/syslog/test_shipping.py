"""The audit reaches a real TLS receiver, in order, whole, and again after it was away."""

import contextlib
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic
from typing import Final
from xml.etree import ElementTree as ET

import pytest
from attrs import define, field

from qa_daemon.config.settings import SyslogSettings
from qa_daemon.export.syslog.line import Header, line
from qa_daemon.export.syslog.shipping import shipping
from qa_daemon.queue.audit.message import Source
from qa_daemon.store.audit import entries
from qa_daemon.store.audit.entries import Deed, Operator
from qa_daemon.store.database import Store
from qa_daemon.store.migrations.schema import prepare
from qa_daemon.telemetry import log as telemetry
from tests.programs import system_program

NOON: Final = datetime(2026, 3, 1, 12, tzinfo=UTC)
SOURCE: Final = Source("QADAEMON")
DEADLINE_S: Final = 60.0


@define
class Receiver:
    """A TLS listener that keeps what it reads, one message an entry."""

    certificate: Path
    key: Path
    port: int = 0
    heard: list[bytes] = field(factory=list)
    _listening: socket.socket | None = None
    _open: list[ssl.SSLSocket] = field(factory=list)

    def start(self) -> None:
        made = socket.create_server(("127.0.0.1", self.port), reuse_port=False)
        self.port = made.getsockname()[1]
        self._listening = made
        threading.Thread(target=self._accept, args=(made,), daemon=True).start()

    def stop(self) -> None:
        assert self._listening is not None
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        for each in self._open:
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
        self._open.clear()

    def _accept(self, listening: socket.socket) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, self.key)
        while True:
            try:
                plain, _ = listening.accept()
            except OSError:
                return
            with contextlib.suppress(OSError), context.wrap_socket(plain, server_side=True) as one:
                self._open.append(one)
                self._read(one)

    def _read(self, one: ssl.SSLSocket) -> None:
        with one.makefile("rb") as stream:
            while True:
                digits = b""
                while (character := stream.read(1)) and character != b" ":
                    digits += character
                if not digits:
                    return
                self.heard.append(stream.read(int(digits)))


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("tls")
    certificate, key = folder / "c.pem", folder / "k.pem"
    subprocess.run(  # noqa: S603  openssl of the system
        [system_program("openssl"), "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
         "-keyout", key, "-out", certificate, "-subj", "/CN=repository",
         "-addext", "subjectAltName=IP:127.0.0.1"],
        check=True, capture_output=True,
    )  # fmt: skip
    return certificate, key


@pytest.fixture
def receiver(pair: tuple[Path, Path]) -> Iterator[Receiver]:
    made = Receiver(*pair)
    made.start()
    yield made
    with contextlib.suppress(OSError):
        made.stop()
    telemetry.stop()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    url = f"sqlite:///{tmp_path / 'qa.sqlite'}"
    prepare(url)
    with Store(url, 5.0) as made:
        yield made


def noted(store: Store, *subjects: str) -> None:
    for subject in subjects:
        entries.note(store, Operator("ana", NOON), Deed(action="view", subject=subject))


def subjects_in(heard: list[bytes]) -> list[str | None]:
    roots = [ET.fromstring(each[each.index(b"<Audit") :]) for each in list(heard)]  # noqa: S314  ours
    return [root.findtext(".//ParticipantObjectName") for root in roots]


def eventually(holds: list[str], receiver: Receiver) -> None:
    until = monotonic() + DEADLINE_S
    while (heard := list(dict.fromkeys(subjects_in(receiver.heard)))) != holds:
        assert monotonic() < until, heard
        threading.Event().wait(0.02)


def test_a_message_has_the_fields_of_the_standard() -> None:
    header = Header(at=NOON, host="ct\u00e9 1", process_id=7, has_failed=False)
    sent = line(header, b"<AuditMessage/>")
    length, _, rest = sent.partition(b" ")
    assert int(length) == len(rest)
    assert rest == (
        b"<85>1 2026-03-01T12:00:00.000+00:00 ct1 qa-daemon 7 DICOM+RFC3881 - "
        b"\xef\xbb\xbf<AuditMessage/>"
    )
    failed = Header(at=NOON, host="", process_id=7, has_failed=True)
    assert b" <84>1 2026-03-01T12:00:00.000+00:00 - " in line(failed, b"")


def test_what_is_noted_arrives_in_order_and_what_was_away_gets_the_rest(
    store: Store, receiver: Receiver, pair: tuple[Path, Path]
) -> None:
    settings = SyslogSettings(host="127.0.0.1", port=receiver.port, authorities=pair[0])
    noted(store, "1", "2")
    with shipping(store, settings, SOURCE):
        eventually(["1", "2"], receiver)
        noted(store, "3")
        eventually(["1", "2", "3"], receiver)
        receiver.stop()
        noted(store, "4", "5")
        receiver.start()
        eventually(["1", "2", "3", "4", "5"], receiver)
    noted(store, "6")
    with shipping(store, settings, SOURCE):
        eventually(["1", "2", "3", "4", "5", "6"], receiver)


def test_nothing_is_told_to_a_receiver_that_nobody_vouches_for(
    store: Store, receiver: Receiver, capfd: pytest.CaptureFixture[str]
) -> None:
    noted(store, "1", "2", "3")
    settings = SyslogSettings(host="127.0.0.1", port=receiver.port, backlog_max=2)
    until = monotonic() + DEADLINE_S
    said = ""
    with shipping(store, settings, SOURCE):
        while "audit.backlog" not in said:
            assert monotonic() < until, said
            said += capfd.readouterr().err
            threading.Event().wait(0.02)
    assert "audit.unsent" in said
    assert receiver.heard == []
    assert entries.shipped(store, "syslog") == 0


def test_without_a_host_nothing_is_sent(store: Store) -> None:
    noted(store, "1")
    with shipping(store, SyslogSettings(), SOURCE):
        assert entries.count_after(store, 0) == 1
