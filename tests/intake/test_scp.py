"""The receiver, seen from real peers."""

import contextlib
import ssl
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from attrs import evolve
from pynetdicom import AE

from qa_daemon.config.settings import Acknowledge, ReceiverSettings, SpoolSettings, Tls
from qa_daemon.errors import ConfigurationError
from qa_daemon.limits import Limits
from tests.intake.conftest import (
    CT_IMAGE,
    DEADLINE_S,
    EXPLICIT_LITTLE,
    RawScu,
    Service,
    data_set,
    eventually,
    program,
    slice_file,
)

Serve = Callable[..., Service]
SETTINGS = ReceiverSettings(port=0, request_timeout_s=5.0, pdu_timeout_s=5.0)
CLASS = CT_IMAGE.encode() + b"\0"


def storescu(port: int, *arguments: str | Path) -> int:
    return program("storescu", "127.0.0.1", str(port), "-aec", "QADAEMON", *arguments)[0]


def test_echo_is_answered(serve: Serve) -> None:
    status, said = program("echoscu", "-v", "127.0.0.1", str(serve().listen()))
    assert status == 0
    assert "Received Echo Response (Success)" in said


def test_a_folder_sent_by_storescu_lies_in_spool_and_store(serve: Serve, tmp_path: Path) -> None:
    service = serve()
    port = service.listen()
    for number in range(20):
        (tmp_path / f"{number}.dcm").write_bytes(slice_file(f"1.2.3.{number}"))
    assert storescu(port, "-aet", "CT1", *sorted(tmp_path.glob("*.dcm"))) == 0
    eventually(lambda: len(service.rows()) == 20, "rows are missing")
    assert service.uids() == sorted(f"1.2.3.{number}" for number in range(20))
    contents = service.contents()
    for row in service.rows():
        content = contents[row.source]
        offset = service.spool.envelope(row.source).data_set_offset
        assert content[offset:] == data_set(row.sop_instance_uid)
        assert content[128:132] == b"DICM"
        assert b"CT1" in content[:offset]
        assert service.spool.envelope(row.source).calling_ae == "CT1"


def test_a_repeated_object_is_kept_once_and_one_with_other_bytes_besides(serve: Serve) -> None:
    service = serve()
    port = service.listen()
    with RawScu(port) as scu:
        assert scu.associate() == 2
        assert scu.store(data_set()) == 0x0000
        assert scu.store(data_set()) == 0x0000
        assert scu.store(data_set(rows=16)) == 0x0000
    eventually(lambda: service.index.lag_s() == 0.0, "the index is late")
    kept = [row.source for row in service.rows()]
    assert len(kept) == 2
    assert sorted(service.contents()) == sorted(kept)


@pytest.mark.parametrize(
    ("sop_class", "instance", "status"),
    [
        (None, b"1.2.3.1\0", 0xC000),
        (CLASS, None, 0xC000),
        (CLASS, b"", 0xC000),
        (CLASS, b"1." * 32 + b"11", 0xC000),
        (CLASS, b"1" * 64_000, 0xC000),
        (CLASS, b"1." * 31 + b"11", 0x0000),
        (CLASS, b"../../../../tmp/x\0", 0x0000),
        (CLASS, b"\xff\0\n\\-rf", 0x0000),
        (b"no uid", b"1.2.3.1\0", 0x0000),
    ],
)
def test_what_cannot_be_named_is_refused_and_set_aside(
    serve: Serve, sop_class: bytes | None, instance: bytes | None, status: int
) -> None:
    service = serve()
    with RawScu(service.listen()) as scu:
        scu.associate()
        scu.command(sop_class, instance)
        scu.fragment(2, data_set())
        assert scu.status()[0] == status
        scu.command(CLASS, b"1.2.3.9\0")  # the association lives on
        scu.fragment(2, data_set("1.2.3.9"))
        assert scu.status() == (0, "")
    eventually(lambda: service.index.lag_s() == 0.0, "the index is late")
    aside = list((service.state / "spool" / "quarantine").glob("*.part"))
    assert len(aside) == (status != 0)
    assert len(service.refusals()) == (status != 0)
    assert len(service.contents()) == 1 + (status == 0)
    assert all(data_set() in copy.read_bytes() for copy in aside)


def test_an_empty_data_set_is_refused_whether_announced_or_not(serve: Serve) -> None:
    service = serve()
    with RawScu(service.listen()) as scu:
        scu.associate()
        scu.command(CLASS, b"1.2.3.1\0", data_set=0x0101)
        assert scu.status()[0] == 0xC000
        scu.command(CLASS, b"1.2.3.1\0")
        scu.fragment(2, b"")
        assert scu.status()[0] == 0xC000
    assert not service.contents()


def test_an_object_over_the_bound_is_refused_and_its_first_part_kept(serve: Serve) -> None:
    service = serve(limits=Limits(object_bytes_max=50_000, quarantine_bytes_max=20_000))
    with RawScu(service.listen()) as scu:
        scu.associate()
        assert scu.store(bytes(49_000)) == 0x0000
        assert scu.store(bytes(60_000)) == 0xC001
    (aside,) = (service.state / "spool" / "quarantine").glob("*.part")
    assert aside.stat().st_size == 20_000


@pytest.mark.parametrize("content", [b"garbage", data_set()[:-50], bytes(10_000), data_set("9.9")])
def test_whatever_else_comes_is_stored_as_it_is(serve: Serve, content: bytes) -> None:
    service = serve()
    with RawScu(service.listen()) as scu:
        scu.associate()
        assert scu.store(content) == 0x0000
    eventually(lambda: service.index.lag_s() == 0.0, "the index is late")
    ((key, kept),) = service.contents().items()
    assert kept[service.spool.envelope(key).data_set_offset :] == content


@pytest.mark.parametrize("syntax", ["1.2.840.10008.1.2.2", "1.2.840.113619.5.2", "1.2.3.4.5"])
def test_every_transfer_syntax_is_taken_as_it_is_proposed(serve: Serve, syntax: str) -> None:
    service = serve()
    with RawScu(service.listen()) as scu:
        scu.associate(syntax=syntax)
        assert scu.store(b"whatever this is") == 0x0000
    (key,) = service.contents()
    assert service.spool.envelope(key).transfer_syntax_uid == syntax


@pytest.mark.parametrize(
    ("sop_class", "changed", "is_taken"),
    [
        ("1.2.840.10008.5.1.4.1.1.3", {}, True),
        ("1.2.840.10008.5.1.4.1.1.3", {"retired_sop_classes": False}, False),
        ("1.3.12.2.1107.5.9.1", {}, False),
        ("1.3.12.2.1107.5.9.1", {"private_sop_classes": True}, True),
        ("1.2.840.10008.1.20.1", {}, False),
        ("1.2.840.10008.1.3.10", {}, False),
        ("1.2.840.10008.5.1.4.1.2.1.1", {"private_sop_classes": True}, False),
    ],
)
def test_classes_are_taken_by_dictionary_and_setting(
    serve: Serve, sop_class: str, changed: dict[str, bool], *, is_taken: bool
) -> None:
    settings = evolve(SETTINGS, **changed)  # type: ignore[arg-type]  # one field per case
    with RawScu(serve(receiver_settings=settings).listen()) as scu:
        assert scu.associate(sop_class=sop_class) == 2
        result = scu.association[1].index(b"\x21\0")
        assert (scu.association[1][result + 6] == 0) == is_taken


def test_a_denied_class_is_refused_by_status(serve: Serve) -> None:
    settings = evolve(SETTINGS, denied_sop_classes=(CT_IMAGE,))
    with RawScu(serve(receiver_settings=settings).listen()) as scu:
        scu.associate()
        assert scu.store(data_set()) == 0x0124


@pytest.mark.parametrize(
    ("instance", "body", "status"),
    [
        (b"1.2.3.1\0", data_set(), 0x0000),
        (b"1.2.3.2\0", data_set(), 0xA900),
        (b"1.02.3\0\0", data_set(), 0x0117),
        (b"1.2.3.1\0", b"garbage", 0x0000),
    ],
)
def test_a_strict_site_refuses_uids_that_differ_or_are_none(
    serve: Serve, instance: bytes, body: bytes, status: int
) -> None:
    service = serve(receiver_settings=evolve(SETTINGS, strict=True))
    with RawScu(service.listen()) as scu:
        scu.associate()
        assert scu.store(body, instance) == status
    assert len(service.contents()) == (status == 0)


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"calling_ae_titles": ("CT1",)}, b"\1\1\3"),
        ({"calling_addresses": ("10.0.0.0/8",)}, b"\1\1\3"),
        ({"check_called_ae_title": True, "ae_title": "OTHER"}, b"\1\1\7"),
    ],
)
def test_an_association_is_refused_with_its_reason(
    serve: Serve, changed: dict[str, object], reason: bytes
) -> None:
    settings = evolve(SETTINGS, **changed)  # type: ignore[arg-type]  # one field per case
    with RawScu(serve(receiver_settings=settings).listen()) as scu:
        assert scu.associate() == 3
        assert scu.association[1][1:] == reason


def test_a_place_is_free_again_when_an_association_ends(serve: Serve) -> None:
    settings = evolve(SETTINGS, associations_per_address_max=1)
    service = serve(receiver_settings=settings)
    port = service.listen()
    receiver = service.receiver
    assert receiver is not None
    for ending in (b"\0\0\0\0", None):
        with RawScu(port) as first, RawScu(port) as second:
            assert first.associate() == 2
            assert second.associate() == 3
            if ending is not None:
                first.pdu(5, ending)
                assert first.answer()[0] == 6
        eventually(lambda: not receiver.addresses(), "the place is not free")


def test_no_room_is_told_before_anything_is_written(serve: Serve) -> None:
    service = serve(spool_settings=SpoolSettings(free_bytes_min=1 << 60))
    with RawScu(service.listen()) as scu:
        scu.associate()
        scu.command(CLASS, b"1.2.3.1\0")
        scu.fragment(2, data_set())
        assert scu.status() == (0xA700, "no room left in the spool")
    assert not service.contents()


def test_with_acknowledge_database_the_row_is_there_at_the_answer(serve: Serve) -> None:
    service = serve(receiver_settings=evolve(SETTINGS, acknowledge=Acknowledge.DATABASE))
    with RawScu(service.listen()) as scu:
        scu.associate()
        for number in range(5):
            uid = f"1.2.3.{number}"
            assert scu.store(data_set(uid), uid.encode() + b"\0") == 0
            assert uid in service.uids()


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (4, b"\0\0\0\2\1\2"),  # a data set without a command
        (4, b"\0\0\0\1\1"),  # no control byte
        (4, b"\0\0\0\x0a\1\3garbage!"),  # no command set
        (4, b"\xff\xff\xff\xff\1\3"),  # length beyond the PDU
        (1, bytes(68)),  # a second request
        (2, bytes(68)),  # an answer
        (9, b""),
    ],
)
def test_a_breach_of_protocol_ends_the_association_and_nothing_else(
    serve: Serve, kind: int, body: bytes, capfd: pytest.CaptureFixture[str]
) -> None:
    service = serve()
    port = service.listen()
    with RawScu(port) as scu:
        scu.associate()
        scu.pdu(kind, body)
        assert scu.answer()[0] in (7, 0)
    with RawScu(port) as scu:
        scu.associate()
        assert scu.store(data_set()) == 0
    assert '"bug"' not in "".join(capfd.readouterr())  # what a peer does wrong is none of ours


def test_a_command_within_a_data_set_is_a_breach(serve: Serve) -> None:
    service = serve()
    with RawScu(service.listen()) as scu:
        scu.associate()
        scu.command(CLASS, b"1.2.3.1\0")
        scu.fragment(0, data_set())
        scu.command(CLASS, b"1.2.3.1\0")
        assert scu.answer()[0] == 7
    assert not service.contents()
    assert not list((service.state / "spool" / "partial").iterdir())


def test_a_command_set_without_end_is_a_breach(serve: Serve) -> None:
    with RawScu(serve().listen()) as scu:
        scu.associate()
        with contextlib.suppress(ConnectionError):
            for _ in range(20):
                scu.fragment(1, bytes(10_000))
        assert scu.answer()[0] == 7


def test_an_object_whose_sender_leaves_halfway_is_not_kept(serve: Serve) -> None:
    service = serve()
    port = service.listen()
    receiver = service.receiver
    assert receiver is not None
    with RawScu(port) as scu:
        scu.associate()
        scu.command(CLASS, b"1.2.3.1\0")
        scu.fragment(0, data_set())
    eventually(lambda: not receiver.addresses(), "the association did not end")
    assert not service.contents()
    assert not list((service.state / "spool" / "partial").iterdir())


def test_requests_sent_without_waiting_are_all_answered(serve: Serve) -> None:
    service = serve()
    with RawScu(service.listen()) as scu:
        scu.associate()
        for number in range(30):
            scu.command(CLASS, f"1.2.3.{number}".encode().ljust(8, b"\0"))
            scu.fragment(2, data_set(f"1.2.3.{number}"))
        assert [scu.status()[0] for _ in range(30)] == [0] * 30
    assert len(service.contents()) == 30


def test_objects_of_pynetdicom_are_taken(serve: Serve, tmp_path: Path) -> None:
    service = serve()
    port = service.listen()
    (tmp_path / "a.dcm").write_bytes(slice_file("1.2.3.1"))
    scu = AE("PYNETDICOM")
    scu.add_requested_context(CT_IMAGE, EXPLICIT_LITTLE)
    scu.add_requested_context("1.2.840.10008.1.1")
    association = scu.associate("127.0.0.1", port, ae_title="QADAEMON")
    try:
        assert association.is_established
        assert association.send_c_echo().Status == 0
        assert association.send_c_store(tmp_path / "a.dcm").Status == 0
        assert association.send_c_store(tmp_path / "a.dcm").Status == 0
    finally:
        association.release()
    eventually(lambda: service.uids() == ["1.2.3.1"], "no row")


def test_an_association_that_falls_silent_is_aborted(serve: Serve) -> None:
    with RawScu(serve(receiver_settings=evolve(SETTINGS, idle_timeout_s=0.3)).listen()) as scu:
        scu.associate()
        assert scu.answer()[0] == 7


def test_a_pdu_that_stops_halfway_ends_the_association(serve: Serve) -> None:
    with RawScu(serve(receiver_settings=evolve(SETTINGS, pdu_timeout_s=0.3)).listen()) as scu:
        scu.associate()
        scu.socket.sendall(b"\4\0\0\0\1\0half")
        assert scu.answer()[0] == 7


def test_two_hundred_silent_connections_cost_no_threads(serve: Serve, tmp_path: Path) -> None:
    service = serve()
    port = service.listen()
    (tmp_path / "a.dcm").write_bytes(slice_file("1.2.3.1"))
    threads = threading.active_count()
    with contextlib.ExitStack() as stack:
        for _ in range(200):
            stack.enter_context(RawScu(port))
        assert threading.active_count() == threads
        assert storescu(port, tmp_path / "a.dcm") == 0


def test_stopping_lets_an_association_finish_and_cuts_one_that_does_not(serve: Serve) -> None:
    service = serve()
    port = service.listen()
    receiver = service.receiver
    assert receiver is not None
    service.stack.pop_all()  # stopped below
    with RawScu(port) as scu:
        scu.associate()
        stopping = threading.Thread(target=receiver.stop, args=(0.5,))
        stopping.start()
        assert scu.store(data_set()) == 0
        assert scu.answer()[0] in (0, 7)
        stopping.join(DEADLINE_S)
    assert not stopping.is_alive()
    assert not receiver.addresses()
    service.index.stop(5.0)
    service.spool.close()
    service.store.close()


def test_a_port_that_is_taken_is_told_with_its_number(serve: Serve) -> None:
    service = serve()
    port = service.listen()
    service.receiver_settings = evolve(SETTINGS, port=port)
    with pytest.raises(ConfigurationError, match=f"port {port}"):
        service.listen()


# --- TLS -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pki")
    for name in ("server", "client"):
        arguments = f"req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN={name}"
        files = f"-keyout {name}.key -out {name}.pem"
        assert program("openssl", *arguments.split(), *files.split(), cwd=folder)[0] == 0
    return folder


def tls_echo(port: int, pki: Path, *arguments: str) -> int:
    peer = ("+cf", pki / "server.pem", "127.0.0.1", str(port))
    return program("echoscu", "-to", "5", "-ta", "5", *arguments, *peer)[0]


def test_tls_is_spoken_and_client_certificates_are_demanded(serve: Serve, pki: Path) -> None:
    tls = Tls(
        certificate=pki / "server.pem",
        private_key=pki / "server.key",
        client_authorities=pki / "client.pem",
    )
    port = serve(receiver_settings=evolve(SETTINGS, tls=tls)).listen()
    client = (str(pki / "client.key"), str(pki / "client.pem"))
    stranger = (str(pki / "server.key"), str(pki / "server.pem"))
    assert tls_echo(port, pki, "+tls", *client) == 0
    assert tls_echo(port, pki, "+tls", *stranger) != 0
    assert tls_echo(port, pki, "+tla") != 0
    with RawScu(port) as scu, contextlib.suppress(ConnectionError):
        assert scu.associate() == 0  # in clear
    assert tls_echo(port, pki, "+tls", *client) == 0


def test_a_silent_tls_connection_costs_no_thread(serve: Serve, pki: Path) -> None:
    tls = Tls(certificate=pki / "server.pem", private_key=pki / "server.key")
    settings = evolve(SETTINGS, tls=tls, request_timeout_s=0.5)
    port = serve(receiver_settings=settings).listen()
    threads = threading.active_count()
    context = ssl.create_default_context(cafile=str(pki / "server.pem"))
    context.check_hostname = False
    with RawScu(port) as silent, context.wrap_socket(RawScu(port).socket) as shaken:
        assert threading.active_count() == threads
        assert shaken.recv(100) in (b"", b"\7\0\0\0\0\4\0\0\2\0")
        assert silent.answer()[0] == 0


@pytest.mark.parametrize(
    "names",
    [("server.pem", None, None), (None, None, "client.pem"), ("server.pem", "client.key", None),
     ("gone.pem", "server.key", None)],
)  # fmt: skip
def test_tls_that_cannot_be_set_up_is_told(
    serve: Serve, pki: Path, names: tuple[str | None, str | None, str | None]
) -> None:
    certificate, key, authorities = (pki / name if name else None for name in names)
    tls = Tls(certificate=certificate, private_key=key, client_authorities=authorities)
    service = serve(receiver_settings=evolve(SETTINGS, tls=tls))
    with pytest.raises(ConfigurationError, match=r"receiver\.tls"):
        service.listen()


def open_descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_nothing_is_left_open(serve: Serve) -> None:
    service = serve()
    port = service.listen()
    before = open_descriptors()
    for _ in range(20):
        with RawScu(port) as scu:
            scu.associate(syntax=EXPLICIT_LITTLE)
    receiver = service.receiver
    assert receiver is not None
    eventually(lambda: not receiver.addresses(), "associations are left")
    eventually(lambda: open_descriptors() <= before + 2, "descriptors are left")
