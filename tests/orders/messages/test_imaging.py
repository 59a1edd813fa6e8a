"""Imaging orders as interface engines send them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa_daemon.errors import InputError
from qa_daemon.orders.messages.imaging import orders_told
from qa_daemon.orders.messages.syntax import MESSAGE_LENGTH_MAX, SEGMENTS_MAX, read_message
from qa_daemon.records.order import Code, Issuer, NamedRegion, OrderSource, ScheduledStep
from tests.orders.messages.conftest import HEAD, OBR, ORDER, PATIENT, VISIT, WHOLE, message


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


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "does not begin with MSH"),
        (b"PID|1\r", "does not begin with MSH"),
        (b"MSH|||||||||\r", "five delimiters"),
        (b"MSH|^~\\&|" + b"x" * MESSAGE_LENGTH_MAX, "larger than any order"),
        (b"MSH|^~\\&|a\r" + b"NTE|1\r" * SEGMENTS_MAX, "more segments"),
        (WHOLE.replace(b"P1^^^HOME^MR~X9", b""), "no patient"),
        (message(HEAD, PATIENT, "ORC|NW"), "no number"),
    ],
)
def test_what_is_no_order_is_refused_and_told_why(content: bytes, said: str) -> None:
    with pytest.raises(InputError, match=said):
        orders_told(read_message(content))


@given(st.binary(max_size=300), st.binary(max_size=100))
def test_any_bytes_are_read_or_refused(head: bytes, tail: bytes) -> None:
    for content in (head, b"MSH|^~\\&|" + head + b"\rORC|" + tail, WHOLE[:120] + head + tail):
        try:
            message_read = read_message(content)
            orders_told(message_read)
        except InputError:
            continue
        assert message_read.segments


def test_a_further_obr_under_one_orc_is_a_further_order() -> None:
    second = "OBR|2|PL2|FI2|X2^OSG re.^99RIS||||||||||||||A2|RP2|SP2"
    told = orders_told(read_message(message(HEAD, PATIENT, *ORDER, second, "ZDS|1.2.3.10")))
    assert [(each.key.accession_number, each.study_instance_uid) for each in told] == [
        ("A1", "1.2.3.9"), ("A2", "1.2.3.10")
    ]  # fmt: skip


def test_an_order_without_orc_is_an_order() -> None:
    (order,) = orders_told(read_message(message(HEAD, PATIENT, OBR)))
    assert order.key.accession_number == "A1"


def test_segments_of_the_site_s_own_are_passed_over() -> None:
    odd = message(HEAD, "ZPI|x", PATIENT, "ZPV|1|^^|", VISIT, "ZOR|OBR|A9", *ORDER, "ZZZ")
    assert orders_told(read_message(odd)) == orders_told(read_message(WHOLE))


def test_the_steps_of_one_procedure_are_one_order_and_of_two_are_two() -> None:
    content = message(
        HEAD.replace("ORM^O01", "OMI^O23"), PATIENT, "ORC|NW|PL1|FI1", "OBR|1|PL1|FI1|X1^CT^99RIS",
        "IPC|A9|RP9|1.2.3.4|SP9|CT", "IPC|A9|RP9|1.2.3.4|SP10|CT", "IPC|A10|RP10|1.2.3.5|SP11|CT",
    )  # fmt: skip
    first, second = orders_told(read_message(content))
    assert [step.id for step in first.steps] == ["SP9", "SP10"]
    assert (second.key.accession_number, second.study_instance_uid) == ("A10", "1.2.3.5")


def test_results_of_before_are_no_orders() -> None:
    before = ("PID|1||P1", "ORC|PR|PL0|FI0", "OBR|1|PL0|FI0|X0^Thorax^99RIS")
    told = orders_told(read_message(message(HEAD, PATIENT, *ORDER, *before)))
    assert [order.key.accession_number for order in told] == ["A1"]


@pytest.mark.parametrize(("status", "is_cancelled"), [("CA", True), ("IP", False), ("", False)])
def test_a_status_that_changed_may_take_an_order_back(status: str, *, is_cancelled: bool) -> None:
    changed = WHOLE.replace(b"ORC|NW|PL1|FI1||", f"ORC|SC|PL1|FI1||{status}".encode())
    (order,) = orders_told(read_message(changed))
    assert order.is_cancelled is is_cancelled


def test_a_change_says_the_whole_order_anew() -> None:
    changed = WHOLE.replace(b"ORC|NW", b"ORC|XO").replace(b"Knie re. 2 Eb.", b"OSG re. 2 Eb.")
    (order,) = orders_told(read_message(changed))
    assert (order.description, order.is_cancelled) == ("OSG re. 2 Eb.", False)
    assert order.key == orders_told(read_message(WHOLE))[0].key


@pytest.mark.parametrize(
    ("numbers", "told"),
    [
        ("|S1^^^HEALTH^SS~P1^^^HOME^MR", ("P1", "HOME")),
        ("|S1^^^HEALTH^SS~P1^^^HOME", ("P1", "HOME")),
        ("|~P1^^^HOME^PI", ("P1", "HOME")),
        ("P9|", ("P9", "")),
    ],
)
def test_the_hospital_s_number_of_a_patient_is_taken(numbers: str, told: tuple[str, str]) -> None:
    content = WHOLE.replace(b"PID|1||P1^^^HOME^MR~X9^^^OTHER", f"PID|1|{numbers}".encode())
    (order,) = orders_told(read_message(content))
    assert (order.patient_id, order.issuer_of_patient_id) == told
