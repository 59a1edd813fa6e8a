"""The form of messages."""

import hl7
import pytest

from qa_daemon.errors import InputError
from qa_daemon.orders.messages.imaging import orders_told
from qa_daemon.orders.messages.syntax import BATCH_MAX, is_batch, messages_of, read_message
from tests.orders.messages.conftest import HEAD, PATIENT, WHOLE


def test_other_delimiters_and_escapes_are_understood() -> None:
    head = b"MSH#*-!%#RIS######ORM*O01#M1#P#2.3.1"
    content = head + b"\rPID###P1\rORC#NW##A1\rOBR####X*Knie !F! re.!T!x*99\r"
    (order,) = orders_told(read_message(content))
    assert order.description == "Knie # re.%x"


@pytest.mark.parametrize(
    ("charset", "encoding"), [("UNICODE UTF-8", "utf-8"), ("8859/1", "latin-1"), ("", "latin-1")]
)
def test_text_is_decoded_as_declared_or_as_it_is(charset: str, encoding: str) -> None:
    head = HEAD.replace("UNICODE UTF-8", charset)
    text = f"{head}\r{PATIENT}\rORC|NW||A1\rOBR||||X^Hüfte re.^99"
    (order,) = orders_told(read_message(text.encode(encoding)))
    assert order.description == "Hüfte re."


@pytest.mark.parametrize("segment", ["PID", "ORC", "OBR"])
@pytest.mark.parametrize("field", [1, 2, 3, 4, 18])
def test_fields_are_those_that_another_reader_sees(segment: str, field: int) -> None:
    """python-hl7 as the second opinion."""
    theirs = hl7.parse(WHOLE.decode())[segment][0]
    (ours,) = (each for each in read_message(WHOLE).segments if each.name == segment)
    assert ours.field(field) == (str(theirs[field]) if field < len(theirs) else "")


@pytest.mark.parametrize(
    ("charset", "encoding", "procedure"),
    [
        ("GB 18030-2000", "gb18030", "膝关节正侧位"),
        ("KS X 1001", "euc_kr", "무릎 우측"),
        ("~ISO IR87", "iso2022_jp", "膝関節 右"),
        ("8859/2", "iso8859-2", "RTG kolana prawego ś"),
        ("8859/5", "iso8859-5", "Колено правое"),
        ("WINDOWS-1252", "cp1252", "Knie rechts, 5 €"),
        ("NO SUCH SET", "utf-8", "Knöchel"),
        ("ASCII", "latin-1", "Knöchel"),
    ],
)
def test_every_set_of_table_0211_is_read(charset: str, encoding: str, procedure: str) -> None:
    """The bytes of a Chinese sign may be those of a separator: text is decoded before it is cut."""
    head = HEAD.replace("UNICODE UTF-8", charset)
    text = f"{head}\r{PATIENT}\rORC|NW||A1\rOBR||||X^{procedure}^99"
    (order,) = orders_told(read_message(text.encode(encoding)))
    assert order.description == procedure


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("Knie\\.br\\re.", "Knie re."),
        ("Knie\\X0D0A\\re.", "Knie  re."),
        ("H\\XFC\\fte", "Hüfte"),
        ("\\H\\Knie\\N\\", "Knie"),
        ("Knie \\Zab\\re.", "Knie re."),
        ("a\\b", "a\\b"),
    ],
)
def test_escapes_are_undone(written: str, meant: str) -> None:
    text = f"{HEAD}\r{PATIENT}\rORC|NW||A1\rOBR||||X^{written}^99"
    (order,) = orders_told(read_message(text.encode()))
    assert order.description == meant


def test_a_batch_is_cut_into_its_messages() -> None:
    batch = b"FHS|^~\\&|RIS\rBHS|^~\\&|RIS\r" + WHOLE + WHOLE + b"BTS|2\rFTS|1\r"
    assert is_batch(batch)
    first, second = messages_of(batch)
    assert first == WHOLE
    assert read_message(second).control_id == "M1"


def test_a_mark_of_utf_8_and_blank_lines_before_a_message_are_passed_over() -> None:
    assert messages_of(b"\xef\xbb\xbf\r\n" + WHOLE) == (WHOLE,)
    assert not is_batch(WHOLE)


def test_a_batch_has_a_bound() -> None:
    with pytest.raises(InputError, match="smaller ones"):
        messages_of(b"BHS|^~\\&\r" + b"MSH|^~\\&\r" * (BATCH_MAX + 1))
