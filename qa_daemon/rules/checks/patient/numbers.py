"""Accession Number: there, well formed, and among the orders that an image lists."""

from collections.abc import Sequence
from typing import Final

from qa_daemon.dicom.coding.concepts import items
from qa_daemon.records.element import Elements, first_text
from qa_daemon.records.instance import Instance
from qa_daemon.rules.checks.registry import Options, of_series
from qa_daemon.rules.facts import PASSED, Answer, Hit, NotApplicable, SeriesFacts, uids

_ACCESSION: Final = "AccessionNumber"
_REQUESTS: Final = "RequestAttributesSequence"


def listed(elements: Elements) -> frozenset[str]:
    """Return the Accession Numbers in Request Attributes Sequence (PS3.3 10.6)."""
    numbers = (first_text(item, _ACCESSION) for item in items(elements, _REQUESTS))
    return frozenset(number for number in numbers if number)


@of_series
def accession_there(facts: SeriesFacts, _: Options) -> Answer:
    """Check that an order is named, at the top or in Request Attributes (PS3.17 J.4)."""
    looked_at = facts.telling(_ACCESSION, _REQUESTS)
    bare = [
        each
        for each in looked_at
        if not first_text(each.elements, _ACCESSION) and not listed(each.elements)
    ]
    return (Hit(sop_instance_uids=uids(bare, looked_at)),) if bare else PASSED


@of_series
def accession_listed(facts: SeriesFacts, _: Options) -> Answer:
    """Check that the number at the top is among those of the orders that the image lists."""
    wrong, applies = list[Instance](), False
    looked_at = facts.telling(_ACCESSION, _REQUESTS)
    for each in looked_at:
        number, orders = first_text(each.elements, _ACCESSION), listed(each.elements)
        if number and orders:
            applies = True
            if number not in orders:
                wrong.append(each)
    if not applies:
        return NotApplicable()
    if not wrong:
        return PASSED
    return (Hit(sop_instance_uids=uids(wrong, looked_at), proposed=_one_for_the_other(wrong)),)


def _one_for_the_other(wrong: Sequence[Instance]) -> dict[str, tuple[str, ...]]:
    """Return the two ways to make the numbers one, where one order is listed; none of several."""
    pairs = {(first_text(each.elements, _ACCESSION), listed(each.elements)) for each in wrong}
    own, orders = pairs.pop()
    if pairs or len(orders) != 1 or len(items(wrong[0].elements, _REQUESTS)) != 1:
        return {}
    return {_ACCESSION: tuple(orders), f"{_REQUESTS}[1].{_ACCESSION}": (own,)}


@of_series
def accession_is_not_patient(facts: SeriesFacts, _: Options) -> Answer:
    """Check that nobody typed the Patient ID into the field of the Accession Number."""
    number, patient = facts.text(_ACCESSION), facts.text("PatientID")
    if not number or not patient:
        return NotApplicable()
    return (Hit(),) if number == patient else PASSED


@of_series
def requests_identified(facts: SeriesFacts, _: Options) -> Answer:
    """Check that each order listed has its procedure and step IDs (type 1C, PS3.3 10.6)."""
    wrong, applies = list[Instance](), False
    looked_at = facts.telling(_REQUESTS)
    for each in looked_at:
        orders = items(each.elements, _REQUESTS)
        applies = applies or bool(orders)
        if any(
            not first_text(item, keyword)
            for item in orders
            for keyword in ("RequestedProcedureID", "ScheduledProcedureStepID")
        ):
            wrong.append(each)
    if not applies:
        return NotApplicable()
    return (Hit(sop_instance_uids=uids(wrong, looked_at)),) if wrong else PASSED
