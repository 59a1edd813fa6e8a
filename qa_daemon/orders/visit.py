"""Which series and orders are of one visit: a patient's images of one day."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Final

from attrs import evolve

from qa_daemon.records.element import Elements, first_text
from qa_daemon.records.order import Order, OrderSource, Told
from qa_daemon.records.series import Series

#: The surest source first: of one order told by two, the first fills up from the second.
_SOURCES: Final = (
    OrderSource.WORKLIST,
    OrderSource.HL7,
    OrderSource.ARCHIVE,
    OrderSource.IMAGES,
)
#: Who says whether an order is in force.
_RULING: Final = frozenset({OrderSource.WORKLIST, OrderSource.HL7})


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


def each_once(told: Iterable[Told]) -> tuple[Order, ...]:
    """Return each order once; of one source what is in force counts first, then what is newer."""
    said = sorted(told, key=lambda each: each.at, reverse=True)
    said.sort(key=lambda each: (_SOURCES.index(each.order.source), each.order.is_cancelled))
    groups: list[list[Told]] = []
    for each in said:
        group = next((g for g in groups if g[0].order.key.means(each.order.key)), None)
        if group is None:
            groups.append([each])
        else:
            group.append(each)
    return tuple(map(_joined, groups))


def _joined(group: Sequence[Told]) -> Order:
    """Fill up the first from the others; it is cancelled if that is the last word of all.

    A worklist stops speaking of an order that was taken back, so its word of before must not count
    against a message. An archive knows of studies, not whether an order is in force.
    """
    first, *others = (each.order for each in group)
    for other in others:
        first = first.filled_from(other)
    ruling = [each for each in group if each.order.source in _RULING]
    in_force = max((each.at for each in ruling if not each.order.is_cancelled), default=None)
    taken_back = max((each.at for each in ruling if _takes_all_back(each, ruling)), default=None)
    is_cancelled = taken_back is not None and (in_force is None or taken_back > in_force)
    return evolve(first, is_cancelled=is_cancelled)


def _takes_all_back(one: Told, group: Iterable[Told]) -> bool:
    """Whether an order was taken back, and no other procedure is left under its number."""
    own = one.order.requested_procedure_id
    left = (each.order.requested_procedure_id for each in group if not each.order.is_cancelled)
    return one.order.is_cancelled and all(not own or each in {"", own} for each in left)
