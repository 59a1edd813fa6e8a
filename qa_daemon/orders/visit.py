"""Which series are of one visit: a patient's images of one day."""

from collections import defaultdict
from collections.abc import Iterable

from qa_daemon.records.element import Elements, first_text
from qa_daemon.records.series import Series


def visit_of(elements: Elements, study_instance_uid: str) -> tuple[str, ...]:
    """Return what stands for the visit of an object.

    An object without a patient or a date belongs to its study only: numbers such as "" or a date
    that nobody wrote would make one visit of strangers.
    """
    patient = first_text(elements, "PatientID")
    date = first_text(elements, "StudyDate")
    if not patient or not date:
        return ("study", study_instance_uid)
    return ("visit", patient, first_text(elements, "IssuerOfPatientID"), date)


def visits(series: Iterable[Series]) -> tuple[tuple[Series, ...], ...]:
    """Return the series of each visit, in the order in which they came."""
    found: dict[tuple[str, ...], list[Series]] = defaultdict(list)
    for each in series:
        first = each.instances[0].elements
        found[visit_of(first, each.study_instance_uid)].append(each)
    return tuple(tuple(each) for each in found.values())
