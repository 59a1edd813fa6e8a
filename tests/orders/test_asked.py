"""What orders ask for, and which orders images tell of."""

from qa_daemon.orders.asked import keys_of, step_ids_of, told_by_images, with_meanings
from qa_daemon.records.element import Element
from qa_daemon.records.order import Code, Issuer, NamedRegion, OrderKey, ScheduledStep
from tests.orders.conftest import order, series


def sequence(*items: dict[str, Element]) -> Element:
    return Element("SQ", items)


def request(accession: str, description: str = "") -> dict[str, Element]:
    return {
        "AccessionNumber": Element("SH", (accession,)),
        "RequestedProcedureDescription": Element("LO", (description,)),
    }


def test_words_tell_what_an_order_asks_for() -> None:
    assert order("A", "Knie re. 2 Eb.").regions == (NamedRegion("KNEE", "R", 1.0),)


def test_codes_speak_beside_words_and_steps_where_both_are_silent() -> None:
    coded = order("A", "left side", codes=(Code("72696002", "SCT"),))
    assert [each.region for each in coded.regions] == ["KNEE"]
    stepped = order("A", "S-12345")
    assert stepped.regions == ()


def test_an_accession_is_the_order_of_a_series() -> None:
    issuer = sequence({"LocalNamespaceEntityID": Element("UT", ("RIS",))})
    named = series("1", {"AccessionNumber": Element("SH", ("A1",)),
                         "IssuerOfAccessionNumberSequence": issuer})  # fmt: skip
    assert keys_of(named) == (OrderKey("A1", Issuer("RIS")),)


def test_request_items_are_orders_beside_an_empty_accession() -> None:
    items = sequence(request("A1"), request("A2"))
    named = series("1", {"AccessionNumber": Element("SH", ()), "RequestAttributesSequence": items})
    assert keys_of(named) == (OrderKey("A1"), OrderKey("A2"))


def test_a_series_without_accession_has_no_order() -> None:
    assert keys_of(series("1", {})) == ()
    assert told_by_images([series("1", {})]) == ()


def test_images_tell_of_their_orders_each_once() -> None:
    first = series("1", {"AccessionNumber": Element("SH", ("A1",)),
                         "StudyDescription": Element("LO", ("Knie re.",)),
                         "StudyID": Element("SH", ("S7",))})  # fmt: skip
    second = series("2", {"AccessionNumber": Element("SH", ("A1",)),
                          "AdmissionID": Element("LO", ("V9",))})  # fmt: skip
    (told,) = told_by_images([first, second])
    assert (told.description, told.requested_procedure_id, told.admission_id) == (
        "Knie re.", "S7", "V9",
    )  # fmt: skip
    assert told.regions == (NamedRegion("KNEE", "R", 1.0),)
    assert told.steps == (ScheduledStep(modality="DX"),)


def test_the_description_of_a_group_case_is_that_of_its_request_items() -> None:
    items = sequence(request("A1", "CT Hals"), request("A2", "CT Thorax"))
    group = series(
        "1",
        {
            "StudyDescription": Element("LO", ("all of it",)),
            "RequestAttributesSequence": items,
        },
    )
    told = told_by_images([group])
    assert [[each.region for each in one.regions] for one in told] == [["NECK"], ["CHEST"]]


def test_an_issuer_that_is_not_said_is_no_other_issuer() -> None:
    assert OrderKey("A").means(OrderKey("A", Issuer("RIS")))
    assert not OrderKey("A", Issuer("RIS")).means(OrderKey("A", Issuer("KIS")))


def test_the_steps_that_a_series_names_are_read_once() -> None:
    item = {"ScheduledProcedureStepID": Element("SH", ("S1",))}
    told = series("1", {"RequestAttributesSequence": Element("SQ", (item, item, {}))})
    assert step_ids_of(told) == ("S1",)


def test_what_the_site_says_of_a_code_stands_before_all_words() -> None:
    coded = order("A", "S-12345 chest", codes=(Code("4711", "99RIS"), Code("1", "99RIS")))
    assert [each.region for each in coded.regions] == ["CHEST"]
    meant = with_meanings(coded, {"4711^99RIS": "Knie re. 2 Eb.", "1^LN": "hand"})
    assert meant.regions == (NamedRegion("KNEE", "R", 1.0),)
    assert with_meanings(coded, {"4712^99RIS": "hand"}) == coded
