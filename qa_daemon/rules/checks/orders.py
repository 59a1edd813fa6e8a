"""What must hold between the images of a study and the orders that they were made for."""

from collections import defaultdict
from collections.abc import Mapping
from typing import TypeAlias

from qa_daemon.records.element import Elements, Value, first_text
from qa_daemon.records.instance import Instance
from qa_daemon.rules.checks.registry import Options, of_study
from qa_daemon.rules.facts import PASSED, Answer, Hit, NotApplicable, StudyFacts

#: Who issued a number, "" where that is not said, and the number (PS3.3 C.7.2.1).
_Number: TypeAlias = tuple[str, str]


@of_study
def accession_number_same(facts: StudyFacts, _: Options) -> Answer:
    """Check that the images of a study name one order (PS3.3 C.7.2.1).

    Images that answer several orders at once list them in Request Attributes Sequence; they and
    the numbers in their lists are as they should be. Numbers of different issuers are not compared.
    """
    holders: dict[_Number, list[str]] = defaultdict(list)
    listed: set[str] = set()
    for series in facts.series:
        for instance in series.instances:
            requests = _requests(instance)
            if len(requests) > 1:
                listed |= requests
            elif (number := _number(instance.elements))[1]:
                holders[number].append(instance.sop_instance_uid)
    if not holders:
        return NotApplicable()
    numbers = {number for _, number in holders}
    if len(numbers) == 1 or numbers <= listed or _are_of_different_issuers(holders):
        return PASSED
    return (
        Hit(
            f"Images of one study carry {len(numbers)} different Accession Numbers; some of them "
            "may belong to another order.",
            _minority(holders),
            {"AccessionNumber": " | ".join(sorted(numbers))},
        ),
    )


def _number(elements: Elements) -> _Number:
    return _issuer(elements), first_text(elements, "AccessionNumber")


def _issuer(elements: Elements) -> str:
    named = elements.get("IssuerOfAccessionNumberSequence")
    for item in () if named is None else named.values:
        if isinstance(item, Mapping):
            parts = ("LocalNamespaceEntityID", "UniversalEntityID")
            return "^".join(first_text(item, keyword) for keyword in parts)
    return ""


def _requests(instance: Instance) -> set[str]:
    """Return the numbers of the orders that an image lists."""
    sequence = instance.elements.get("RequestAttributesSequence")
    items: tuple[Value, ...] = () if sequence is None else sequence.values
    numbers = (first_text(item, "AccessionNumber") for item in items if isinstance(item, Mapping))
    return {number for number in numbers if number}


def _are_of_different_issuers(numbers: Mapping[_Number, list[str]]) -> bool:
    issuers = [issuer for issuer, _ in numbers]
    return all(issuers) and len(set(issuers)) == len(issuers)


def _minority(holders: Mapping[_Number, list[str]]) -> tuple[str, ...]:
    """Return the images that differ from most of the study; `()` where there is no most."""
    counts = sorted((len(uids) for uids in holders.values()), reverse=True)
    if counts[0] == counts[1]:
        return ()
    return tuple(sorted(uid for uids in holders.values() if len(uids) < counts[0] for uid in uids))
