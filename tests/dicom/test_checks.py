"""What is odd about values, text, pixels and identity of a readable object."""

import struct
from typing import TYPE_CHECKING

import pytest

from qa_daemon.dicom.header import read_instance
from qa_daemon.limits import Limits

if TYPE_CHECKING:
    from tests.dicom.conftest import Writer
else:
    Writer = object

LIMITS = Limits()
PIXELS = 0x7FE00010


def kinds(content: bytes) -> set[str]:
    return {found.kind for found in read_instance(content, LIMITS).irregularities}


@pytest.mark.parametrize(
    ("tag", "vr", "value", "wanted"),
    [
        (0x00080020, "DA", "20240229", ""),
        (0x00080020, "DA", "20241301", "value-invalid"),
        (0x00080020, "DA", "", ""),
        (0x00080030, "TM", "235960.5", ""),
        (0x00080030, "TM", "24", "value-invalid"),
        (0x0008002A, "DT", "20240102101112.5+0100", ""),
        (0x0008002A, "DT", "yesterday", "value-invalid"),
        (0x00101010, "AS", "031Y", ""),
        (0x00101010, "AS", "31Y", "value-invalid"),
        (0x00200013, "IS", " -12 ", ""),
        (0x00200013, "IS", "2147483648", "value-invalid"),
        (0x00180050, "DS", "1e400", "value-invalid"),
        (0x00180050, "DS", "1.25E-1", ""),
        (0x00180050, "DS", "0.1234567890123456", "decimal-too-long"),
        (0x00180015, "CS", "chest", "value-invalid"),
        (0x00180015, "CS", "A" * 17, "value-too-long"),
        (0x00080054, "AE", "STATION 1", ""),
        (0x00080054, "AE", "A" * 17, "value-too-long"),
        (0x00081030, "LO", "a" * 65, "value-too-long"),
        (0x00081030, "LO", "a\\b", "value-multiplicity"),
        (0x00081030, "SH", "abc", "vr-related"),
        (0x00081030, "DS", "1", "vr-mismatch"),
        (0x00100010, "PN", "A^B=" + "C" * 64 + "=D", ""),
        (0x00100010, "PN", "A=B=C=D" + "E" * 64, "value-too-long"),
        (0x00204000, "LT", "two\r\nlines" + "x" * 99, ""),
        (0x00204000, "LT", "bell\a", "hostile-text"),
        (0x00081030, "LO", "<MPR Range>", ""),
        (0x00081030, "LO", "x <img src=1>", "hostile-text"),
        (0x00081030, "LO", "O'Brien-Smith, 100 %", ""),
        (0x00281053, "DS", "x", ""),
        (0x00080005, "CS", "ISO_IR 999", "charset-unknown"),
        (0x00200052, "UI", "1.02.3", "uid-invalid"),
        (0x00200052, "UI", "1.2.3\\1.2.4", "value-multiplicity"),
        (0x00280009, "AT", b"\x18\0\x63\x10", ""),
        (0x00280009, "AT", b"\x18\0\x63\x10ab", "value-invalid"),
        (0x00189073, "FD", struct.pack("<2d", 1, 2), "value-multiplicity"),
        (0x00420011, "OB", b"PDF", ""),
        (0x00091001, "LO", "no creator", "private-no-creator"),
        (0x00090010, "LO", "ACME${x}", "hostile-text"),
        (0x00080000, "UL", b"\7\0\0\0", ""),
    ],
)
def test_a_value_is_judged_by_its_representation(
    writer: Writer, tag: int, vr: str, value: bytes | str, wanted: str
) -> None:
    content = writer.file({tag: writer.element(tag, vr, value)})
    assert kinds(content) == ({wanted} if wanted else set())


@pytest.mark.parametrize(
    ("tag", "vr", "value", "message"),
    [
        (0x00101010, "AS", "31Y", "PatientAge is not written as an age (AS, as in 045Y)"),
        (0x00081030, "LO", "a\\b", "StudyDescription has more than 1 value"),
    ],
)
def test_a_bad_value_is_told_in_words(
    writer: Writer, tag: int, vr: str, value: str, message: str
) -> None:
    (found,) = read_instance(
        writer.file({tag: writer.element(tag, vr, value)}), LIMITS
    ).irregularities
    assert found.message == message


def test_values_in_items_are_named_by_their_path(writer: Writer) -> None:
    item = writer.element(0x00080104, "LO", "x" * 70) + writer.sequence(0x00081140, b"")
    content = writer.file({0x00081032: writer.sequence(0x00081032, b"", item)})
    (found,) = read_instance(content, LIMITS).irregularities
    assert found.path == "ProcedureCodeSequence[2].CodeMeaning"
    assert "x" * 9 not in found.message


def test_odd_lengths_are_named(writer: Writer) -> None:
    text = writer.head(0x00081030, "LO", 3) + b"abc"
    assert kinds(writer.file({0x00081030: text})) == {"value-odd-length"}
    other = writer.head(0x00420011, "OB", 3) + b"abc"
    assert kinds(writer.file({0x00420011: other})) == {"value-odd-length"}


def test_a_sequence_where_none_belongs_is_a_mismatch(writer: Writer) -> None:
    wrong = writer.sequence(0x00081030, b"")
    assert kinds(writer.file({0x00081030: wrong})) == {"vr-mismatch"}
    private = writer.element(0x00090010, "LO", "ACME") + writer.sequence(0x00091001, b"")
    assert kinds(writer.file({0x00090010: private})) == set()


def test_an_item_may_have_a_character_set_of_its_own(writer: Writer) -> None:
    name = writer.element(0x00080104, "LO", "Größe".encode())
    unlike = writer.element(0x00080005, "CS", "ISO_IR 192") + name
    for item, wanted in ((unlike, set()), (name, {"charset-undeclared"})):
        content = writer.file({0x00081032: writer.sequence(0x00081032, item)})
        assert kinds(content) == wanted
        code = read_instance(content, LIMITS).elements["ProcedureCodeSequence"].values[0]
        assert isinstance(code, dict)
        assert code["CodeMeaning"].values == ("Größe",)


def test_references_without_content_and_unknown_classes_are_named(writer: Writer) -> None:
    empty = writer.sequence(0x00081140, b"")
    assert kinds(writer.file({0x00081140: empty})) == {"reference-incomplete"}
    unknown = writer.element(0x00080016, "UI", "1.2.840.10008.5.1.4.1.1.9999")
    assert kinds(writer.file({0x00080016: unknown})) == {"sop-class-unknown", "sop-class-mismatch"}


# --- pixels ---


def us(writer: Writer, tag: int, value: int) -> dict[int, bytes]:
    return {tag: writer.element(tag, "US", value)}


def eight_bits(writer: Writer, samples: int = 1) -> dict[int, bytes]:
    numbers = {0x00280002: samples, 0x00280100: 8, 0x00280101: 8, 0x00280102: 7}
    return {tag: writer.element(tag, "US", value) for tag, value in numbers.items()}


def test_subsampled_colour_needs_two_thirds_of_the_bytes(writer: Writer) -> None:
    changes = eight_bits(writer, 3)
    changes[0x00280004] = writer.element(0x00280004, "CS", "YBR_FULL_422")
    for length, wanted in ((32, set()), (48, set()), (40, {"pixel-data-truncated"})):
        changes[PIXELS] = writer.element(PIXELS, "OB", b"\0" * length)
        assert kinds(writer.file(changes)) == wanted


def test_frames_are_counted_in_native_pixels(writer: Writer) -> None:
    frames = {0x00280008: writer.element(0x00280008, "IS", "3")}
    for count, wanted in ((3, set()), (2, {"frame-count-mismatch"})):
        frames[PIXELS] = writer.element(PIXELS, "OW", b"\0" * 32 * count)
        instance = read_instance(writer.file(frames), LIMITS)
        assert {found.kind for found in instance.irregularities} == wanted
        assert instance.number_of_frames == count


def encapsulated(writer: Writer, table: bytes, *fragments: bytes) -> dict[int, bytes]:
    body = b"".join(map(writer.item, (table, *fragments)))
    raw = writer.head(PIXELS, "OB", writer.undefined) + body + writer.sequence_end
    return {PIXELS: raw}


RLE = "1.2.840.10008.1.2.5"
MPEG = "1.2.840.10008.1.2.4.102"


def test_the_offset_tables_must_point_at_the_fragments(writer: Writer) -> None:
    two = (b"abcd", b"efgh")
    frames = {0x00280008: writer.element(0x00280008, "IS", "2")}
    basic = {
        b"": set(),
        struct.pack("<2I", 0, 12): set(),
        struct.pack("<2I", 0, 14): {"offset-table"},
        struct.pack("<2I", 12, 0): {"offset-table"},
        struct.pack("<I", 0): {"frame-count-mismatch"},
        b"abcdef": {"offset-table"},
    }
    for table, wanted in basic.items():
        changes = {**frames, **encapsulated(writer, table, *two)}
        assert kinds(writer.meta(RLE) + writer.ct(changes)) == wanted
    extended = {
        struct.pack("<2Q", 0, 12): set(),
        struct.pack("<2Q", 0, 4): {"offset-table"},
        b"abcd": {"offset-table"},
    }
    for table, wanted in extended.items():
        raw = writer.head(0x7FE00001, "OV", len(table)) + table
        changes = {**frames, 0x7FE00001: raw, **encapsulated(writer, b"", *two)}
        got = kinds(writer.meta(RLE) + writer.ct(changes)) - {"value-invalid"}
        assert got == wanted


def test_video_holds_many_frames_in_one_fragment(writer: Writer) -> None:
    frames = {0x00280008: writer.element(0x00280008, "IS", "25")}
    content = writer.meta(MPEG) + writer.ct({**frames, **encapsulated(writer, b"", b"ab")})
    instance = read_instance(content, LIMITS)
    assert instance.number_of_frames == 25
    assert instance.irregularities == ()


def test_a_jpeg_without_end_and_delimiter_was_cut(writer: Writer) -> None:
    def jpeg(fragment: bytes) -> set[str]:
        raw = encapsulated(writer, b"", fragment)[PIXELS].removesuffix(writer.sequence_end)
        return kinds(writer.meta("1.2.840.10008.1.2.4.50") + writer.ct({PIXELS: raw}))

    assert jpeg(b"\xff\xd8abcd\xff\xd9") == {"delimiter-missing"}
    assert jpeg(b"\xff\xd8abcdef") == {"delimiter-missing", "pixel-data-truncated"}


def test_overlays_and_palettes_must_hold_what_they_promise(writer: Writer) -> None:
    overlay = {
        **us(writer, 0x60000010, 4),
        **us(writer, 0x60000011, 4),
        0x60003000: writer.element(0x60003000, "OW", b"\0\0"),
    }
    assert kinds(writer.file(overlay)) == set()
    del overlay[0x60000011]
    assert kinds(writer.file(overlay)) == {"overlay-invalid"}
    palette = {
        **eight_bits(writer),
        0x00280004: writer.element(0x00280004, "CS", "PALETTE COLOR"),
        PIXELS: writer.element(PIXELS, "OB", b"\0" * 16),
    }
    assert kinds(writer.file(palette)) == {"palette-invalid"}
    for color in (1, 2, 3):
        tag = 0x00281100 + color
        palette[tag] = writer.element(tag, "US", struct.pack("<3H", 4, 0, 8))
        palette[tag + 0x100] = writer.element(tag + 0x100, "OW", b"\0" * 4)
    assert kinds(writer.file(palette)) == set()


def test_an_image_without_pixels_is_named_and_a_report_is_not(writer: Writer) -> None:
    assert kinds(writer.file({PIXELS: b""})) == {"pixel-data-missing"}
    report = {
        PIXELS: b"",
        0x00080016: writer.element(0x00080016, "UI", "1.2.840.10008.5.1.4.1.1.88.11"),
    }
    instance = read_instance(writer.file(report), LIMITS)
    assert {found.kind for found in instance.irregularities} == {"sop-class-mismatch"}
    assert (instance.number_of_frames, instance.planes) == (0, ())


def test_one_bit_frames_need_no_whole_bytes(writer: Writer) -> None:
    changes = {
        **us(writer, 0x00280100, 1),
        **us(writer, 0x00280101, 1),
        **us(writer, 0x00280102, 0),
        **us(writer, 0x00280010, 5),
        **us(writer, 0x00280011, 5),
        0x00280008: writer.element(0x00280008, "IS", "2"),
        PIXELS: writer.element(PIXELS, "OB", b"\0" * 8),
    }
    assert kinds(writer.file(changes)) == set()


def test_only_so_much_text_is_searched_and_the_rest_is_said_to_be_unread(writer: Writer) -> None:
    hidden = writer.item(writer.element(0x0008103E, "LO", "<script>"))
    filler = writer.item(writer.element(0x0008103E, "LO", "a-longer-text-than-is-plain" * 2))
    sequence = writer.sequence(0x00081140, *([filler[8:]] * 9), hidden[8:])
    content = writer.file({0x00081140: sequence})
    unbound = {found.kind for found in read_instance(content, Limits()).irregularities}
    bound = {
        found.kind for found in read_instance(content, Limits(text_bytes_max=64)).irregularities
    }
    assert "hostile-text" in unbound
    assert "text-large" not in unbound
    assert "hostile-text" not in bound
    assert "text-large" in bound
