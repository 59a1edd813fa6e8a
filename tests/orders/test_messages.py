"""Order messages as interface engines send them."""

import hl7
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa_daemon.errors import InputError
from qa_daemon.orders.messages import (
    MESSAGE_LENGTH_MAX,
    SEGMENTS_MAX,
    answer,
    orders_told,
    read_message,
)
from qa_daemon.records.order import Code, Issuer, NamedRegion, OrderSource, ScheduledStep

HEAD = "MSH|^~\\&|RIS|HOSP|QA||20260301080000||ORM^O01|M1|P|2.3.1||||||UNICODE UTF-8"
PATIENT = "PID|1||P1^^^HOME^MR~X9^^^OTHER||Doe^Jane||19700101|F"
VISIT = "PV1|1|O||||||DOC1^Who^Doctor|||||||||||V7"
OBR = "OBR|1|PL1|FI1|X1^Knie re. 2 Eb.^99RIS||||||||||||||A1|RP1|SP1||||DX"
ORDER = (
    "ORC|NW|PL1|FI1||||^^^20260301083000",
    f"{OBR}|||^^^20260301083000||||^Sturz",
    "ZDS|1.2.3.9^QA^Application^DICOM",
)


def message(*segments: str) -> bytes:
    return ("\r".join(segments) + "\r").encode()


WHOLE = message(HEAD, PATIENT, VISIT, *ORDER)


def test_an_order_is_read_whole() -> None:
    (order,) = orders_told(read_message(WHOLE))
    assert order.key.accession_number == "A1"
    assert order.source is OrderSource.HL7
    assert (order.patient_id, order.issuer_of_patient_id) == ("P1", "HOME")
    assert (order.requested_procedure_id, order.admission_id) == ("RP1", "V7")
    assert order.study_instance_uid == "1.2.3.9"
    assert order.codes == (Code("X1", "99RIS", "Knie re. 2 Eb."),)
    assert order.regions == (NamedRegion("KNEE", "R", 1.0),)
    assert order.steps == (ScheduledStep(id="SP1", modality="DX", date="20260301", time="083000"),)
    assert (order.referring_physician, order.reason) == ("Who^Doctor", "Sturz")
    assert not order.is_cancelled


def test_each_orc_is_an_order() -> None:
    second = ("ORC|NW|PL2|FI2", "OBR|2|PL2|FI2|X2^OSG re.^99RIS||||||||||||||A2")
    told = orders_told(read_message(message(HEAD, PATIENT, *ORDER, *second)))
    assert [order.key.accession_number for order in told] == ["A1", "A2"]


@pytest.mark.parametrize("control", ["CA", "OC", "DC"])
def test_an_order_that_is_taken_back_is_cancelled(control: str) -> None:
    (order,) = orders_told(read_message(WHOLE.replace(b"ORC|NW", f"ORC|{control}".encode())))
    assert order.is_cancelled


def test_an_imaging_order_has_its_own_segment() -> None:
    """OMI^O23, HL7 2.5.1 chapter 4.5.6: IPC names everything that images need."""
    content = message(
        HEAD.replace("ORM^O01", "OMI^O23"), PATIENT, "ORC|NW|PL1|FI1",
        "TQ1|1||||||20260302101500", "OBR|1|PL1|FI1|X1^CT Thorax^99RIS",
        "IPC|A9^RIS^1.2.3^ISO|RP9|1.2.3.4|SP9|CT|||| CT1",
    )  # fmt: skip
    (order,) = orders_told(read_message(content))
    assert order.key.accession_number == "A9"
    assert order.key.issuer == Issuer("RIS", "1.2.3", "ISO")
    assert (order.requested_procedure_id, order.study_instance_uid) == ("RP9", "1.2.3.4")
    assert order.steps == (
        ScheduledStep(id="SP9", modality="CT", station_ae="CT1", date="20260302", time="101500"),
    )


def test_the_filler_number_stands_in_for_a_missing_accession() -> None:
    content = WHOLE.replace(b"|A1|RP1", b"||RP1")
    assert orders_told(read_message(content))[0].key.accession_number == "FI1"


def test_messages_of_other_kinds_tell_nothing() -> None:
    assert orders_told(read_message(WHOLE.replace(b"ORM^O01", b"ADT^A08"))) == ()


def test_other_delimiters_and_escapes_are_understood() -> None:
    head = b"MSH#*-!%#RIS######ORM*O01#M1#P#2.3.1"
    content = head + b"\rPID###P1\rORC#NW##A1\rOBR####X*Knie !F! re.!T!x*99\r"
    (order,) = orders_told(read_message(content))
    assert order.description == "Knie | re.&x"


@pytest.mark.parametrize(
    ("charset", "encoding"), [("UNICODE UTF-8", "utf-8"), ("8859/1", "latin-1"), ("", "latin-1")]
)
def test_text_is_decoded_as_declared_or_as_it_is(charset: str, encoding: str) -> None:
    head = HEAD.replace("UNICODE UTF-8", charset)
    text = f"{head}\r{PATIENT}\rORC|NW||A1\rOBR||||X^Hüfte re.^99"
    (order,) = orders_told(read_message(text.encode(encoding)))
    assert order.description == "Hüfte re."


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "does not begin with MSH"),
        (b"PID|1\r", "does not begin with MSH"),
        (b"MSH|||||||||\r", "five delimiters"),
        (b"MSH|^~\\&|" + b"x" * MESSAGE_LENGTH_MAX, "larger than any order"),
        (b"MSH|^~\\&|a\r" + b"NTE|1\r" * SEGMENTS_MAX, "more segments"),
        (WHOLE.replace(b"P1^^^HOME", b""), "no patient"),
        (message(HEAD, PATIENT, "ORC|NW"), "no number"),
    ],
)
def test_what_is_no_order_is_refused_and_told_why(content: bytes, said: str) -> None:
    with pytest.raises(InputError, match=said):
        orders_told(read_message(content))


@pytest.mark.parametrize("segment", ["PID", "ORC", "OBR"])
@pytest.mark.parametrize("field", [1, 2, 3, 4, 18])
def test_fields_are_those_that_another_reader_sees(segment: str, field: int) -> None:
    """python-hl7 as the second opinion."""
    theirs = hl7.parse(WHOLE.decode())[segment][0]
    (ours,) = (each for each in read_message(WHOLE).segments if each.name == segment)
    assert ours.field(field) == (str(theirs[field]) if field < len(theirs) else "")


def test_the_answer_is_one_that_another_reader_understands() -> None:
    said = hl7.parse(answer(read_message(WHOLE), "AA", "", "20260301080001").decode())
    assert str(said["MSA"][0][1]) == "AA"
    assert str(said["MSA"][0][2]) == "M1"
    assert str(said["MSH"][0][5]) == "RIS"
    refused = hl7.parse(answer(None, "AR", "no message", "20260301080001").decode())
    assert str(refused["MSA"][0][1]) == "AR"


@given(st.binary(max_size=300), st.binary(max_size=100))
def test_any_bytes_are_read_or_refused(head: bytes, tail: bytes) -> None:
    for content in (head, b"MSH|^~\\&|" + head + b"\rORC|" + tail, WHOLE[:120] + head + tail):
        try:
            message_read = read_message(content)
            orders_told(message_read)
        except InputError:
            continue
        assert message_read.segments
