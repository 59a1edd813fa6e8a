"""The bounded walk: what is mended, what is refused, and that nothing else ever happens."""

import mmap
import pickle
import zlib
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydicom.data import get_testdata_file, get_testdata_files

from qa_daemon.dicom.header import read_instance
from qa_daemon.dicom.scan import Refused, Scan, scan
from qa_daemon.limits import Limits

if TYPE_CHECKING:
    from tests.dicom.conftest import Writer
else:
    Writer = object

LIMITS = Limits()
SMALL = Limits(elements_max=40, items_max=4, items_usual_max=2, odd_elements_max=3, nesting_max=3)
SEQUENCE = 0x0040A730
REFERENCE = 0x00081140


def packaged(name: str) -> bytes:
    path = get_testdata_file(name)
    assert isinstance(path, str)
    return Path(path).read_bytes()


def kinds(scanned: Scan) -> set[str]:
    return {irregularity.kind for irregularity in scanned.notes.irregularities}


REASONS = {"", "not_dicom", "truncated", "unreadable", "unsupported", "limit"}


def reason(content: bytes) -> str:
    """Return why an object is refused, "" if it is read; anything but a refusal gets through."""
    try:
        read_instance(content, LIMITS)
    except Refused as refused:
        return refused.reason
    return ""


def refusal(content: bytes, limits: Limits = LIMITS) -> tuple[str, str]:
    with pytest.raises(Refused) as caught:
        scan(content, limits)
    return caught.value.reason, caught.value.kind


def test_offsets_point_at_the_values(writer: Writer) -> None:
    content = writer.file()
    scanned = scan(content, LIMITS)
    values = {t.tag: content[t.offset : t.offset + t.length] for t in scanned.data_set}
    assert values[0x00080060] == b"CT"
    assert values[0x00200037] == b"1\\0\\0\\0\\1\\0 "[: len(values[0x00200037])]
    assert scanned.pixel_data is not None
    assert scanned.pixel_data.length == 32
    assert kinds(scanned) == set()


def test_a_mapped_file_is_read_and_can_be_closed(writer: Writer, tmp_path: Path) -> None:
    path = tmp_path / "ct.dcm"
    path.write_bytes(writer.file())
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
        instance = read_instance(mapped, LIMITS)
        assert instance == read_instance(writer.file(), LIMITS)
        with pytest.raises(Refused):
            read_instance(mapped, Limits(elements_max=1))
    assert mapped.closed


def test_a_refusal_travels_between_processes() -> None:
    sent = Refused("limit", "too-large", "more than 3 items")
    received = pickle.loads(pickle.dumps(sent))  # noqa: S301  our own bytes
    assert (received.reason, received.kind, str(received)) == (sent.reason, sent.kind, str(sent))


@pytest.mark.parametrize(
    ("limits", "body"),
    [
        (Limits(object_bytes_max=100), b""),
        (SMALL, b"private"),
        (SMALL, b"repeats"),
        (SMALL, b"items"),
        (SMALL, b"fragments"),
    ],
)
def test_every_count_is_bounded(writer: Writer, limits: Limits, body: bytes) -> None:
    private = b"".join(writer.element(0x00091000 + i, "LO", "x") for i in range(60))
    changes = {
        b"": {},
        b"private": {0x00090000: private},
        b"repeats": {0x00100021: writer.element(0x00100020, "LO", "x") * 9},
        b"items": {REFERENCE: writer.sequence(REFERENCE, *[b""] * 9)},
        b"fragments": {
            0x7FE00010: writer.head(0x7FE00010, "OB", writer.undefined)
            + writer.item(b"ab") * 9
            + writer.sequence_end
        },
    }[body]
    assert refusal(writer.file(changes), limits) == ("limit", "too-large")


def test_depth_is_bounded_and_worth_a_note_before(writer: Writer) -> None:
    def nested(depth: int) -> bytes:
        body = b""
        for _ in range(depth):
            body = writer.sequence(SEQUENCE, body)
        return writer.file({SEQUENCE: body})

    limits = Limits(nesting_max=4, nesting_usual_max=2)
    assert kinds(scan(nested(2), limits)) == set()
    assert kinds(scan(nested(3), limits)) == {"nesting-deep"}
    assert refusal(nested(5), limits) == ("unreadable", "nesting-too-deep")


def test_an_open_item_inside_a_bounded_sequence_ends_with_it(writer: Writer) -> None:
    body = writer.head(0xFFFEE000, "", writer.undefined) + writer.element(0x00081155, "UI", "1.2")
    sequence = writer.head(REFERENCE, "SQ", len(body)) + body
    scanned = scan(writer.file({REFERENCE: sequence}), LIMITS)
    assert kinds(scanned) == {"sequence-damaged"}
    assert scanned.pixel_data is not None


def test_an_open_sequence_inside_a_bounded_item_ends_with_it(writer: Writer) -> None:
    inner = writer.head(SEQUENCE, "SQ", writer.undefined) + writer.item()
    for odd in (b"", b"abcd", writer.element(0x00081155, "UI", "1.2")):
        scanned = scan(writer.file({REFERENCE: writer.sequence(REFERENCE, inner + odd)}), LIMITS)
        assert "sequence-damaged" in kinds(scanned), odd
        assert scanned.pixel_data is not None


def test_an_open_sequence_without_items_inside_a_bounded_item_is_left(writer: Writer) -> None:
    inner = writer.head(SEQUENCE, "SQ", writer.undefined) + writer.element(0x00081155, "UI", "1.2")
    scanned = scan(writer.file({REFERENCE: writer.sequence(REFERENCE, inner)}), LIMITS)
    assert kinds(scanned) == {"sequence-damaged"}


def test_items_and_delimiters_in_the_wrong_place_are_named(writer: Writer) -> None:
    uid = writer.element(0x00081155, "UI", "1.2")
    wrong = {
        "item in a bounded item": writer.sequence(REFERENCE, writer.item() + uid),
        "delimiter in a bounded item": writer.sequence(REFERENCE, writer.item_end + uid),
        "next item in an open item": writer.head(REFERENCE, "SQ", writer.undefined)
        + writer.head(0xFFFEE000, "", writer.undefined)
        + writer.item()
        + writer.sequence_end,
    }
    for what, sequence in wrong.items():
        scanned = scan(writer.file({REFERENCE: sequence}), LIMITS)
        assert kinds(scanned) == {"sequence-damaged"}, what
    assert refusal(writer.file({REFERENCE: writer.item()})) == ("unreadable", "sequence-damaged")


def test_a_delimiter_with_a_length_is_skipped_with_what_follows_it(writer: Writer) -> None:
    for body in (b"", b"\1\2\3\4"):
        sequence = (
            writer.head(REFERENCE, "SQ", writer.undefined)
            + writer.item()
            + writer.head(0xFFFEE0DD, "", 4)
            + body
        )
        scanned = scan(writer.file({REFERENCE: sequence}), LIMITS)
        assert kinds(scanned) == {"sequence-damaged"}
        assert scanned.pixel_data is not None


def test_an_unknown_vr_is_read_as_what_makes_sense(writer: Writer) -> None:
    tag = 0x00081030
    forms = {
        "short": b"\x08\x00\x30\x10ZZ\x04\x00abcd",
        "long": b"\x08\x00\x30\x10ZZ\x00\x00\x04\x00\x00\x00abcd",
        "no VR": b"\x08\x00\x30\x10\x04\x00\x00\x00abcd",
        "a sequence by its tag": b"\x08\x00\x40\x11zz\x04\x00abcd",
    }
    for what, raw in forms.items():
        content = writer.file({tag: raw})
        scanned = scan(content, LIMITS)
        assert kinds(scanned) == {"vr-unknown"}, what
        (token,) = [t for t in scanned.data_set if t.tag in (tag, 0x00081140)]
        assert content[token.offset : token.offset + token.length] == b"abcd"


def test_an_element_that_makes_no_sense_is_refused_or_left_with_its_item(writer: Writer) -> None:
    nonsense = b"\x08\x00\x30\x10\x01\x02\xff\x7f" + b"\x00" * 8
    assert refusal(writer.file({0x00081030: nonsense})) == ("unreadable", "vr-unknown")
    item = writer.sequence(REFERENCE, nonsense)
    assert kinds(scan(writer.file({REFERENCE: item}), LIMITS)) == {"sequence-damaged"}
    assert refusal(writer.file({0x00081030: b"\0" * 16})) == ("unreadable", "element-damaged")


def test_sequences_hidden_in_un_are_found_in_both_encodings(writer: Writer) -> None:
    explicit = writer.item(writer.element(0x00081155, "UI", "1.2 "))
    implicit = writer.item(b"\x08\x00\x55\x11\x04\x00\x00\x001.2 ")
    for body in (explicit, implicit):
        raw = writer.head(REFERENCE, "UN", len(body)) + body
        (token,) = [t for t in scan(writer.file({REFERENCE: raw}), LIMITS).data_set if t.items]
        assert token.items is not None
        assert [inner.tag for inner in token.items[0]] == [0x00081155]


def test_private_fragments_of_undefined_length_are_walked(writer: Writer) -> None:
    raw = writer.head(0x00091010, "OB", writer.undefined) + writer.item(b"ab") + writer.sequence_end
    scanned = scan(writer.file({0x00091010: raw}), LIMITS)
    assert kinds(scanned) == set()
    assert scanned.pixel_data is not None


def test_meta_of_a_file_may_be_odd_in_many_ways(writer: Writer) -> None:
    good, data_set = writer.meta(), writer.ct()
    at = good.index(b"DICM") + 4
    assert kinds(scan(good[at - 4 :] + data_set, LIMITS)) == {"preamble-missing"}
    assert kinds(scan(b"\0" * 128 + good[at:] + data_set, LIMITS)) == {"preamble-missing"}
    twice = good + writer.element(0x00020003, "UI", "1.2.9") + data_set
    assert "duplicate-element" in kinds(scan(twice, LIMITS))
    unsorted = good + writer.element(0x00020005, "UI", "1.2.9") + data_set
    assert "element-order" in kinds(scan(unsorted, LIMITS))
    assert refusal(good + b"\2") == ("truncated", "truncated")
    assert refusal(good[: at + 4]) == ("truncated", "truncated")
    assert refusal(good[:-3]) == ("truncated", "truncated")
    assert refusal(good + b"abcd") == ("truncated", "truncated")


def test_a_bare_data_set_may_stand_behind_a_stray_byte(writer: Writer) -> None:
    plain, stray = (scan(lead + writer.ct(), LIMITS) for lead in (b"", b" "))
    assert kinds(plain) == kinds(stray) == {"meta-missing"}
    assert (plain.data_set_offset, stray.data_set_offset) == (0, 1)
    assert refusal(b"  " + writer.ct()) == ("not_dicom", "not-dicom")


def test_bytes_behind_the_data_set_are_noted(writer: Writer) -> None:
    for tail in (b"\0" * 64, b"\0" * 3, b"PK\3\4" * 20, b"\xff" * 40):
        assert kinds(scan(writer.file() + tail, LIMITS)) == {"trailing-bytes"}, tail[:4]


def test_a_deflated_data_set_may_have_a_trailer(writer: Writer) -> None:
    stream = zlib.compressobj(9, zlib.DEFLATED, -15)
    deflated = stream.compress(writer.ct()) + stream.flush()
    head = writer.meta("1.2.840.10008.1.2.1.99")
    assert kinds(scan(head + deflated + b"\0" * 8, LIMITS)) == set()
    assert kinds(scan(head + deflated + b"\0" * 99, LIMITS)) == {"trailing-bytes"}
    assert refusal(head + deflated, Limits(inflated_bytes_max=99)) == ("limit", "too-large")
    broken = zlib.compress(writer.ct())[:40] + b"\xff" * 40
    assert refusal(head + broken) == ("unreadable", "deflate-broken")


def test_irregularities_are_kept_up_to_the_bound_and_every_kind_once(writer: Writer) -> None:
    damaged = writer.sequence(SEQUENCE, *[writer.item_end] * 20)
    content = writer.file({SEQUENCE: damaged}) + b"\0" * 64
    scanned = scan(content, Limits(irregularities_max=3))
    assert len(scanned.notes.irregularities) == 5
    assert kinds(scanned) == {"sequence-damaged", "trailing-bytes"}


def test_no_packaged_file_takes_long_or_raises_anything_else() -> None:
    for path in get_testdata_files():
        file = Path(path)
        if not file.is_file():
            continue
        content, start = file.read_bytes(), perf_counter()
        assert reason(content) in REASONS
        assert perf_counter() - start < 5, path


SAMPLES = [
    packaged(name)
    for name in (
        "CT_small.dcm", "MR_small_implicit.dcm", "MR_small_bigendian.dcm", "image_dfl.dcm",
        "693_J2KR.dcm", "nested_priv_SQ.dcm", "eCT_Supplemental.dcm", "examples_palette.dcm",
    )
]  # fmt: skip


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_a_mutated_file_is_read_or_refused_and_nothing_else(data: st.DataObject) -> None:
    content = bytearray(data.draw(st.sampled_from(SAMPLES)))
    header = min(len(content), 6000)
    for _ in range(data.draw(st.integers(0, 4))):
        at = data.draw(st.integers(0, header - 1))
        patch = data.draw(st.binary(min_size=0, max_size=6))
        content[at : at + data.draw(st.integers(0, 6))] = patch
    cut = data.draw(st.one_of(st.none(), st.integers(0, len(content))))
    mutated = bytes(content if cut is None else content[:cut])
    start = perf_counter()
    assert reason(mutated) in REASONS
    assert perf_counter() - start < 5


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=400))
def test_any_bytes_behind_a_head_are_read_or_refused(writer: Writer, body: bytes) -> None:
    start = perf_counter()
    assert reason(writer.meta() + body) in REASONS
    assert perf_counter() - start < 5
