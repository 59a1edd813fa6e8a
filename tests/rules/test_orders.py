"""Orders of a study, where the rule's own cases cannot say it: sequences."""

from attrs import evolve

from qa_daemon.records.element import Element
from qa_daemon.records.instance import Instance
from qa_daemon.rules.checks.registry import STUDY_CHECKS
from qa_daemon.rules.facts import PASSED, Answer, Hit, StudyFacts
from qa_daemon.rules.prove import case_series
from qa_daemon.rules.schema import CaseSeries
from qa_daemon.series.assemble import assemble


def image(number: str, accession: str, **sequences: tuple[dict[str, Element], ...]) -> Instance:
    instance = case_series(CaseSeries({"SOPInstanceUID": f"2.25.{number}"})).instances[0]
    elements = {
        "AccessionNumber": Element("SH", (accession,) if accession else ()),
        **{keyword: Element("SQ", items) for keyword, items in sequences.items()},
    }
    return evolve(instance, elements=elements, digest=number)


def request(accession: str) -> dict[str, Element]:
    return {"AccessionNumber": Element("SH", (accession,))}


def issuer(name: str) -> dict[str, Element]:
    return {"LocalNamespaceEntityID": Element("UT", (name,))}


def answer(*images: Instance) -> Answer:
    return STUDY_CHECKS["accession_number_same"](StudyFacts((assemble(images),)), {})


def test_an_image_that_answers_two_orders_allows_their_numbers_in_its_study() -> None:
    both = image("1", "", RequestAttributesSequence=(request("A1"), request("B2")))
    assert answer(both, image("2", "A1"), image("3", "B2")) == PASSED
    assert isinstance(answer(both, image("2", "A1"), image("3", "C3")), tuple)
    assert answer(both, image("2", "A1"), image("3", "C3")) != PASSED


def test_one_request_says_no_more_than_the_number_itself() -> None:
    first = image("1", "A1", RequestAttributesSequence=(request("A1"),))
    second = image("2", "B2", RequestAttributesSequence=(request("B2"),))
    assert answer(first, second) != PASSED


def test_numbers_of_different_issuers_are_not_compared() -> None:
    ours = image("1", "A1", IssuerOfAccessionNumberSequence=(issuer("OURS"),))
    theirs = image("2", "B2", IssuerOfAccessionNumberSequence=(issuer("THEIRS"),))
    assert answer(ours, theirs) == PASSED
    assert answer(ours, image("2", "B2")) != PASSED
    assert (
        answer(ours, image("2", "B2", IssuerOfAccessionNumberSequence=(issuer("OURS"),))) != PASSED
    )


def test_the_few_that_differ_are_named_and_none_where_both_are_as_many() -> None:
    few = answer(image("1", "A1"), image("2", "A1"), image("3", "B2"))
    assert isinstance(few, tuple)
    assert [hit.sop_instance_uids for hit in few] == [("2.25.3",)]
    assert isinstance(few[0], Hit)
    assert few[0].evidence == {"AccessionNumber": "A1 | B2"}
    even = answer(image("1", "A1"), image("2", "B2"))
    assert isinstance(even, tuple)
    assert [hit.sop_instance_uids for hit in even] == [()]
