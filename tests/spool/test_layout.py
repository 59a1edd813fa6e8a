"""The bytes of a record."""

import struct
import zlib
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa_daemon.records.receipt import Envelope, Origin
from qa_daemon.spool import layout
from qa_daemon.spool.layout import RecordUnreadable

TEXT = st.text(st.characters(codec=None), max_size=40)  # lone surrogates and NUL as well

ENVELOPES = st.builds(
    Envelope,
    received_at=st.datetimes(timezones=st.sampled_from([UTC, timezone(timedelta(hours=2))])),
    origin=st.sampled_from(Origin),
    calling_ae=TEXT,
    sop_instance_uid=TEXT,
    file_name=TEXT,
    data_set_offset=st.integers(0, 1 << 40),
)


@given(ENVELOPES, st.binary(max_size=20))
def test_an_envelope_is_read_as_it_was_written(envelope: Envelope, content: bytes) -> None:
    head = layout.head(envelope)
    assert layout.read_head(memoryview(head + content), "k") == (envelope, len(head))


@given(ENVELOPES, st.data())
def test_a_head_with_one_bit_changed_is_not_believed(
    envelope: Envelope, data: st.DataObject
) -> None:
    head = bytearray(layout.head(envelope))
    place = data.draw(st.integers(0, len(head) - 1))
    head[place] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(RecordUnreadable):
        layout.read_head(memoryview(head), "k")


@given(st.integers(0, (1 << 64) - 1), st.binary(min_size=32, max_size=32), st.data())
def test_a_tail_with_one_bit_changed_is_not_believed(
    length: int, digest: bytes, data: st.DataObject
) -> None:
    tail = bytearray(layout.tail(length, digest))
    assert layout.read_tail(memoryview(tail), "k") == layout.Tail(length, digest)
    place = data.draw(st.integers(0, len(tail) - 1))
    tail[place] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(RecordUnreadable):
        layout.read_tail(memoryview(tail), "k")


@pytest.mark.parametrize("length", [0, 5, layout.TAIL_LENGTH - 1])
def test_a_record_cut_short_says_so(length: int) -> None:
    rest = memoryview(layout.tail(3, bytes(32))[:length])
    with pytest.raises(RecordUnreadable, match="tail is missing"):
        layout.read_tail(rest, "k")
    with pytest.raises(RecordUnreadable):
        layout.read_head(rest, "k")


def test_what_a_newer_release_added_to_the_envelope_is_passed_over() -> None:
    text = b'{"received_at":"2026-03-01T00:00:00+00:00","origin":"folder","worklist":"x"}'
    head = struct.pack(">8sII", layout.HEAD_MAGIC, len(text), zlib.crc32(text)) + text
    envelope, _ = layout.read_head(memoryview(head), "k")
    assert envelope == Envelope(received_at=datetime(2026, 3, 1, tzinfo=UTC), origin=Origin.FOLDER)


@pytest.mark.parametrize("key", ["", "../../etc/passwd", "0" * 31, "g" * 32, "0" * 33, "A" * 32])
def test_a_key_that_is_none_never_becomes_a_path(key: str) -> None:
    with pytest.raises(RecordUnreadable, match="32 hexadecimal digits"):
        layout.bucket(key)


def test_an_envelope_without_a_time_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        Envelope(received_at=datetime(2026, 3, 1))  # noqa: DTZ001  that is the point
