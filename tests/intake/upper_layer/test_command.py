"""Command sets as bytes."""

import contextlib
import io
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom import dcmread

from qa_daemon.intake.admission import STORED, UID_TOO_LONG, Answer
from qa_daemon.intake.upper_layer.command import Command, read_command, store_response


def encoded(*fields: tuple[int, bytes]) -> bytes:
    return b"".join(struct.pack("<HHL", 0, number, len(value)) + value for number, value in fields)


FIELDS = ((0x0100, b"\1\0"), (0x0110, b"\7\0"))


def test_a_command_set_is_read_without_its_padding() -> None:
    content = encoded((2, b"1.2.3\0"), *FIELDS, (0x0800, b"\1\0"), (0x1000, b"1.2.3.4 "))
    assert read_command(content) == Command(1, 7, True, b"1.2.3", b"1.2.3.4")  # noqa: FBT003


def test_a_command_may_have_no_data_set_and_no_uids() -> None:
    assert read_command(encoded(*FIELDS, (0x0800, b"\1\1"))) == Command(1, 7, has_data_set=False)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        encoded(FIELDS[0]),
        encoded(FIELDS[1]),
        encoded((0x0100, b"\1"), FIELDS[1]),
        encoded(*FIELDS) + b"\0\0",
        encoded(*FIELDS) + struct.pack("<HHL", 0, 0x1000, 100) + b"1.2",
        encoded(*FIELDS) + struct.pack("<HHL", 8, 0x18, 2) + b"1 ",
    ],
)
def test_a_command_set_that_cannot_be_answered_is_refused(content: bytes) -> None:
    with pytest.raises(ValueError, match="command set"):
        read_command(content)


@given(st.binary(max_size=200))
def test_any_bytes_are_a_command_or_a_value_error(content: bytes) -> None:
    with contextlib.suppress(ValueError):
        assert 0 <= read_command(content).message_id < 1 << 16


@given(st.binary(max_size=80), st.binary(max_size=80), st.integers(0, 0xFFFF))
def test_a_response_says_its_own_length_and_repeats_what_it_can(
    sop_class: bytes, instance: bytes, message_id: int
) -> None:
    command = Command(1, message_id, True, sop_class, instance)  # noqa: FBT003
    content = store_response(command, STORED)
    assert struct.unpack_from("<HHLL", content) == (0, 0, 4, len(content) - 12)
    assert (instance in content) or len(instance) > 64


def test_a_response_is_read_by_others() -> None:
    command = Command(1, 7, True, b"1.2.3", b"1" * 65)  # noqa: FBT003
    head = (
        b"\0" * 128 + b"DICM" + struct.pack("<HH2sH", 2, 0x10, b"UI", 18) + b"1.2.840.10008.1.2\0"
    )
    read = dcmread(io.BytesIO(head + store_response(command, UID_TOO_LONG)))
    assert read.Status == 0xC000
    assert read.CommandField == 0x8001
    assert read.MessageIDBeingRespondedTo == 7
    assert read.AffectedSOPClassUID == "1.2.3"
    assert read.ErrorComment == UID_TOO_LONG.comment
    assert "AffectedSOPInstanceUID" not in read


def test_a_comment_that_is_too_long_is_a_bug() -> None:
    with pytest.raises(AssertionError):
        store_response(Command(1, 7, True), Answer(0xA700, "x" * 65))  # noqa: FBT003
