"""A receiver on real parts: spool and SQLite in a folder of the test, objects drawn by hand."""

import contextlib
import socket
import struct
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, Self

import pytest
from attrs import define, field

from qa_daemon.config.settings import FolderSettings, ReceiverSettings, SpoolSettings
from qa_daemon.dicom.header import read_instance
from qa_daemon.intake.admission import Room
from qa_daemon.intake.door import Door
from qa_daemon.intake.folder import Folder
from qa_daemon.intake.index import Index
from qa_daemon.intake.scp import Receiver
from qa_daemon.limits import Limits
from qa_daemon.records.instance import Instance
from qa_daemon.spool.spool import Spool
from qa_daemon.store import instance_rows, series_rows
from qa_daemon.store.database import Store
from qa_daemon.store.migrations import schema
from tests.programs import system_program

CT_IMAGE: Final = "1.2.840.10008.5.1.4.1.1.2"
EXPLICIT_LITTLE: Final = "1.2.840.10008.1.2.1"
DEADLINE_S: Final = 20.0


def element(group: int, number: int, vr: str, value: bytes) -> bytes:
    value += (b"\0" if vr in ("UI", "OW", "OB") else b" ") * (len(value) % 2)
    head = struct.pack("<HH2s", group, number, vr.encode())
    if vr in ("OW", "OB", "SQ", "UN"):
        return head + struct.pack("<HI", 0, len(value)) + value
    return head + struct.pack("<H", len(value)) + value


def data_set(instance: str = "1.2.3.1", series: str = "1.2.3", rows: int = 8) -> bytes:
    """Return a CT image as a bare data set, explicit VR little endian."""
    short = struct.Struct("<H").pack
    return b"".join(
        (
            element(0x0008, 0x0016, "UI", CT_IMAGE.encode()),
            element(0x0008, 0x0018, "UI", instance.encode()),
            element(0x0008, 0x0060, "CS", b"CT"),
            element(0x0010, 0x0010, "PN", b"Nobody^Drawn"),
            element(0x0010, 0x0020, "LO", b"4711"),
            element(0x0020, 0x000D, "UI", b"1.2"),
            element(0x0020, 0x000E, "UI", series.encode()),
            element(0x0020, 0x0013, "IS", b"1"),
            element(0x0020, 0x0032, "DS", b"0\\0\\0"),
            element(0x0020, 0x0037, "DS", b"1\\0\\0\\0\\1\\0"),
            element(0x0028, 0x0002, "US", short(1)),
            element(0x0028, 0x0004, "CS", b"MONOCHROME2"),
            element(0x0028, 0x0010, "US", short(rows)),
            element(0x0028, 0x0011, "US", short(8)),
            element(0x0028, 0x0030, "DS", b"1\\1"),
            element(0x0028, 0x0100, "US", short(16)),
            element(0x0028, 0x0101, "US", short(12)),
            element(0x0028, 0x0102, "US", short(11)),
            element(0x0028, 0x0103, "US", short(0)),
            element(0x7FE0, 0x0010, "OW", bytes(rows * 8 * 2)),
        )
    )


def part10(body: bytes, instance: str = "1.2.3.1") -> bytes:
    """Return a file around a data set."""
    meta = b"".join(
        (
            element(0x0002, 0x0001, "OB", b"\0\1"),
            element(0x0002, 0x0002, "UI", CT_IMAGE.encode()),
            element(0x0002, 0x0003, "UI", instance.encode()),
            element(0x0002, 0x0010, "UI", EXPLICIT_LITTLE.encode()),
            element(0x0002, 0x0012, "UI", b"1.2.3.4"),
        )
    )
    length = element(0x0002, 0x0000, "UL", struct.pack("<I", len(meta)))
    return bytes(128) + b"DICM" + length + meta + body


def slice_file(instance: str, series: str = "1.2.3") -> bytes:
    return part10(data_set(instance, series), instance)


def program(name: str, *arguments: str | Path, cwd: Path | None = None) -> tuple[int, str]:
    """Run a program of the system to its end; return its status and all that it said."""
    ended = subprocess.run(  # noqa: S603  our own arguments
        [system_program(name), *map(str, arguments)],
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        timeout=3 * DEADLINE_S,
        check=False,
        cwd=cwd,
    )
    return ended.returncode, ended.stdout + ended.stderr


def eventually(holds: Callable[[], bool], what: str, deadline_s: float = DEADLINE_S) -> None:
    """Wait for something that another process or thread brings about."""
    until = time.monotonic() + deadline_s
    while not holds():
        assert time.monotonic() < until, what
        threading.Event().wait(0.01)


class RawScu:
    """An SCU of bare bytes, which may break every rule."""

    def __init__(self, port: int, calling: str = "SCU", called: str = "QADAEMON") -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=DEADLINE_S)
        self.calling, self.called = calling, called

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.socket.close()

    def pdu(self, kind: int, body: bytes) -> None:
        self.socket.sendall(struct.pack(">BBL", kind, 0, len(body)) + body)

    def answer(self) -> tuple[int, bytes]:
        """Return type and body of the next PDU; type 0 at the end of the stream."""
        head = self._exactly(6)
        if not head:
            return 0, b""
        length = int.from_bytes(head[2:], "big")
        body = self._exactly(length)
        if len(head) < 6 or len(body) < length:
            raise ConnectionResetError("the stream ended within a PDU")
        return head[0], body

    def _exactly(self, size: int) -> bytes:
        parts = b""
        while len(parts) < size and (part := self.socket.recv(size - len(parts))):
            parts += part
        return parts

    def associate(self, sop_class: str = CT_IMAGE, syntax: str = EXPLICIT_LITTLE) -> int:
        """Propose one context with id 1; return the type of the answer."""
        abstract, transfer = _item(0x30, sop_class.encode()), _item(0x40, syntax.encode())
        context = _item(0x20, b"\1\0\0\0" + abstract + transfer)
        user = _item(0x50, _item(0x51, struct.pack(">L", 16384)) + _item(0x52, b"1.2.3.4"))
        titles = self.called.encode().ljust(16) + self.calling.encode().ljust(16)
        application = _item(0x10, b"1.2.840.10008.3.1.1.1")
        self.pdu(1, b"\0\1\0\0" + titles + bytes(32) + application + context + user)
        self.association = self.answer()
        return self.association[0]

    def fragment(self, control: int, content: bytes, context_id: int = 1) -> None:
        self.pdu(4, struct.pack(">LBB", len(content) + 2, context_id, control) + content)

    def command(self, sop_class: bytes | None, instance: bytes | None, data_set: int = 1) -> None:
        """Send a C-STORE-RQ; UIDs that are None are left out."""
        short = struct.Struct("<H").pack
        fields = [
            (0x0002, sop_class),
            (0x0100, short(1)),
            (0x0110, short(7)),
            (0x0700, short(0)),
            (0x0800, short(data_set)),
            (0x1000, instance),
        ]
        body = b"".join(
            struct.pack("<HHL", 0, number, len(value)) + value
            for number, value in fields
            if value is not None
        )
        self.fragment(3, struct.pack("<HHLL", 0, 0, 4, len(body)) + body)

    def status(self) -> tuple[int, str]:
        """Return status and error comment of the next response."""
        kind, body = self.answer()
        assert kind == 4, f"PDU of type {kind} in place of a response"
        values, content = {}, body[6:]
        while content:
            _, number, length = struct.unpack_from("<HHL", content)
            values[number], content = content[8 : 8 + length], content[8 + length :]
        assert values[0x0120] == b"\7\0"
        comment = values.get(0x0902, b"").decode().rstrip()
        return int.from_bytes(values[0x0900], "little"), comment

    def store(self, content: bytes, instance: bytes = b"1.2.3.1\0") -> int:
        """Send an object in fragments of 10,000 bytes; return the status."""
        self.command(CT_IMAGE.encode() + b"\0", instance)
        pieces = [content[at : at + 10_000] for at in range(0, len(content), 10_000)]
        for piece in pieces[:-1]:
            self.fragment(0, piece)
        self.fragment(2, pieces[-1])
        return self.status()[0]


def _item(kind: int, content: bytes) -> bytes:
    return struct.pack(">BBH", kind, 0, len(content)) + content


@define(slots=False)
class Service:
    """The receiving half of the product, built from real parts."""

    state: Path
    receiver_settings: ReceiverSettings = field(
        factory=lambda: ReceiverSettings(port=0, request_timeout_s=5.0)
    )
    folder_settings: FolderSettings = field(
        factory=lambda: FolderSettings(quiet_s=0.05, rescan_s=0.5)
    )
    spool_settings: SpoolSettings = field(factory=lambda: SpoolSettings(free_bytes_min=1))
    limits: Limits = field(factory=Limits)

    def __attrs_post_init__(self) -> None:
        self.state.mkdir(exist_ok=True)
        url = f"sqlite:///{self.state / 'store.sqlite'}"
        schema.prepare(url)
        self.store = Store(url, 5.0)
        self.spool = Spool(self.state / "spool", self.limits)
        self.spool.recover()
        self.index = Index(
            self.spool,
            self.store,
            lambda content, key: read_instance(content, self.limits, source=key),
            self.receiver_settings.index_lag_s,
        )
        room = Room(self.state / "spool", self.spool_settings, self.spool.used_bytes)
        self.door = Door(self.spool, self.index, room, self.receiver_settings, self.limits)
        self.index.adopt()
        self.index.start()
        self.incoming = self.state / "incoming"
        self.folder: Folder | None = None
        self.receiver: Receiver | None = None
        self.stack = contextlib.ExitStack()
        self.stack.callback(self.store.close)
        self.stack.callback(self.spool.close)
        self.stack.callback(self.index.stop, 5.0)

    def listen(self) -> int:
        """Start the receiver; return its port."""
        self.receiver = Receiver(self.receiver_settings, self.limits, self.door)
        self.receiver.start()
        self.stack.callback(self.receiver.stop, 2.0)
        return self.receiver.port

    def watch(self) -> Path:
        """Start the watched folder; return it."""
        self.folder = Folder(self.incoming, self.door, self.folder_settings, self.limits)
        self.incoming.mkdir(exist_ok=True)
        self.folder.start()
        self.stack.callback(self.folder.stop, 5.0)
        return self.incoming

    def rows(self) -> tuple[Instance, ...]:
        """Return the readable instances of all series."""
        found = series_rows.series_list(self.store, series_rows.SeriesFilter(), 10_000)
        return tuple(
            instance
            for row in found
            for instance in instance_rows.instances_of(self.store, row.series_key, row.revision)
        )

    def uids(self) -> list[str]:
        return sorted(row.sop_instance_uid for row in self.rows())

    def refusals(self) -> tuple[instance_rows.Refusal, ...]:
        return instance_rows.refusals(self.store, 100)

    def contents(self) -> dict[str, bytes]:
        """Return every object of the spool by its key."""
        return {key: self.spool.content(key) for key in list(self.spool.keys())}

    def close(self) -> None:
        self.stack.close()


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., Service]]:
    """Return a function that builds a service; all are closed at the end."""
    with contextlib.ExitStack() as stack:

        def build(**changed: object) -> Service:
            service = Service(tmp_path / "state", **changed)  # type: ignore[arg-type]  # by name
            stack.callback(service.close)
            return service

        yield build
