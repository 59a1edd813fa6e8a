"""Orders from a Modality Worklist (PS3.4 Annex K)."""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Final

from attrs import frozen
from pydicom.dataset import Dataset

from qa_daemon.orders.asked import with_regions
from qa_daemon.peers.association import (
    Conversation,
    Peer,
    conversation,
    is_plain,
    text,
    values,
)
from qa_daemon.records.order import Code, Issuer, Order, OrderKey, OrderSource, ScheduledStep

WORKLIST: Final = "1.2.840.10008.5.1.4.31"
#: How far from its day an order may lie that is known by its number alone.
WINDOW: Final = timedelta(days=1)
_STEP_KEYS: Final = (
    "ScheduledStationAETitle", "ScheduledProcedureStepStartDate", "ScheduledProcedureStepStartTime",
    "Modality", "ScheduledPerformingPhysicianName", "ScheduledProcedureStepDescription",
    "ScheduledProcedureStepID",
)  # fmt: skip
_KEYS: Final = (
    "PatientName", "PatientID", "IssuerOfPatientID", "AccessionNumber", "RequestedProcedureID",
    "RequestedProcedureDescription", "StudyInstanceUID", "ReferringPhysicianName", "AdmissionID",
    "ReasonForTheRequestedProcedure",
)  # fmt: skip


@frozen(kw_only=True)
class Visited:
    """What is known of a visit before its orders are.

    Attributes
    ----------
    day
        DA, eight digits.
    """

    patient_id: str
    day: str
    issuer_of_patient_id: str = ""
    study_instance_uids: tuple[str, ...] = ()
    step_ids: tuple[str, ...] = ()
    accession_numbers: tuple[str, ...] = ()
    modalities: tuple[str, ...] = ()


def orders_scheduled(peer: Peer, visited: Visited) -> tuple[Order, ...]:
    """Return the orders of a visit: all of the patient's day, and the one that the images name.

    Where the day does not hold that one (it was scheduled for another day, or under another
    patient), it is asked for by study, step, accession with the patient, and last by the accession
    alone. Each must be the only entry of its number, and the last one be of the same kind of
    machine and within a day: a number may be used twice. The server need not match by optional keys
    (K.2.2.1.2), so every answer is looked at once more here.

    Raises
    ------
    RetryableError
        If the worklist cannot be asked.
    """
    with conversation(peer, WORKLIST) as talk:
        found = _of_day(talk, visited)
        if not any(_is_named(order, visited) for order in found):
            found += next(filter(None, _attempts(talk, visited)), [])
    return tuple(with_regions(order) for order in _joined(found))


def _of_day(talk: Conversation, visited: Visited) -> list[Order]:
    if not is_plain(visited.patient_id):
        return []
    return [
        order
        for order in _asked(talk, {"PatientID": visited.patient_id}, visited.day)
        if order.patient_id == visited.patient_id and _is_issuer(order, visited)
    ]


def _is_named(order: Order, visited: Visited) -> bool:
    """Whether the images name an order, by any of its numbers."""
    return (
        order.study_instance_uid in visited.study_instance_uids
        or order.key.accession_number in visited.accession_numbers
        or any(step.id in visited.step_ids for step in order.steps)
    )


def _attempts(talk: Conversation, visited: Visited) -> Iterator[list[Order]]:
    patient = visited.patient_id
    for keyword, wanted, of in _SINGLE:
        yield _single(talk, keyword, wanted(visited), of)
    yield [
        order
        for order in _single(talk, "AccessionNumber", visited.accession_numbers, _accession)
        if order.patient_id == patient
        or (_is_near(order, visited.day) and order.modalities & set(visited.modalities))
    ]


def _accession(order: Order) -> str:
    return order.key.accession_number


#: Keyword, what is wanted of it, and where an order says it.
_SINGLE: Final[
    tuple[tuple[str, Callable[[Visited], Sequence[str]], Callable[[Order], str]], ...]
] = (
    ("StudyInstanceUID", lambda each: each.study_instance_uids, lambda o: o.study_instance_uid),
    ("ScheduledProcedureStepID", lambda each: each.step_ids, lambda o: o.steps[0].id),
)


def _single(
    talk: Conversation, keyword: str, wanted: Sequence[str], said: Callable[[Order], str]
) -> list[Order]:
    """Return the entries that are the only one of their number."""
    found: list[Order] = []
    for number in wanted:
        if is_plain(number):
            entries = [each for each in _asked(talk, {keyword: number}) if said(each) == number]
            if len(_joined(entries)) == 1:
                found += entries
    return found


def _is_issuer(order: Order, visited: Visited) -> bool:
    told, wanted = order.issuer_of_patient_id, visited.issuer_of_patient_id
    return not told or not wanted or told == wanted


def _is_near(order: Order, day: str) -> bool:
    """Whether a step is scheduled for the day, or the one before or after: nights end late."""
    wanted = _date(day)
    dates = (_date(step.date) for step in order.steps)
    return any(each and wanted and abs(each - wanted) <= WINDOW for each in dates)


def _date(text: str) -> date | None:
    try:
        return datetime.strptime(text, "%Y%m%d").replace(tzinfo=UTC).date()
    except ValueError:
        return None


def _asked(talk: Conversation, keys: dict[str, str], day: str = "") -> list[Order]:
    return [_order(answer) for answer in talk.find(_query(keys, day))]


def _query(keys: dict[str, str], day: str) -> Dataset:
    step = Dataset()
    for keyword in _STEP_KEYS:
        setattr(step, keyword, keys.get(keyword, ""))
    step.ScheduledProcedureStepStartDate = day
    step.ScheduledProtocolCodeSequence = []
    query = Dataset()
    for keyword in _KEYS:
        setattr(query, keyword, keys.get(keyword, ""))
    query.ScheduledProcedureStepSequence = [step]
    query.RequestedProcedureCodeSequence = []
    query.IssuerOfAccessionNumberSequence = [_empty_issuer()]
    query.IssuerOfAdmissionIDSequence = [_empty_issuer()]
    return query


def _empty_issuer() -> Dataset:
    item = Dataset()
    item.LocalNamespaceEntityID = item.UniversalEntityID = item.UniversalEntityIDType = ""
    return item


def _order(answer: Dataset) -> Order:
    return Order(
        key=OrderKey(text(answer, "AccessionNumber"), _issuer(answer)),
        source=OrderSource.WORKLIST,
        patient_id=text(answer, "PatientID"),
        issuer_of_patient_id=text(answer, "IssuerOfPatientID"),
        requested_procedure_id=text(answer, "RequestedProcedureID"),
        description=text(answer, "RequestedProcedureDescription"),
        codes=_codes(answer, "RequestedProcedureCodeSequence"),
        study_instance_uid=text(answer, "StudyInstanceUID"),
        steps=tuple(map(_step, values(answer, "ScheduledProcedureStepSequence")))
        or (ScheduledStep(),),
        admission_id=text(answer, "AdmissionID"),
        issuer_of_admission_id=_issuer(answer, "IssuerOfAdmissionIDSequence"),
        referring_physician=text(answer, "ReferringPhysicianName"),
        reason=text(answer, "ReasonForTheRequestedProcedure"),
    )


def _step(item: Dataset) -> ScheduledStep:
    return ScheduledStep(
        id=text(item, "ScheduledProcedureStepID"),
        description=text(item, "ScheduledProcedureStepDescription"),
        codes=_codes(item, "ScheduledProtocolCodeSequence"),
        modality=text(item, "Modality"),
        station_ae=text(item, "ScheduledStationAETitle"),
        date=text(item, "ScheduledProcedureStepStartDate"),
        time=text(item, "ScheduledProcedureStepStartTime"),
    )


def _issuer(answer: Dataset, keyword: str = "IssuerOfAccessionNumberSequence") -> Issuer:
    for item in values(answer, keyword):
        return Issuer(
            text(item, "LocalNamespaceEntityID"),
            text(item, "UniversalEntityID"),
            text(item, "UniversalEntityIDType"),
        )
    return Issuer()


def _codes(answer: Dataset, keyword: str) -> tuple[Code, ...]:
    return tuple(
        Code(
            text(item, "CodeValue"), text(item, "CodingSchemeDesignator"), text(item, "CodeMeaning")
        )
        for item in values(answer, keyword)
    )


def _joined(entries: Sequence[Order]) -> list[Order]:
    """Make one order of the steps of one requested procedure: each step is an entry of its own."""
    found: dict[tuple[object, ...], Order] = {}
    for entry in entries:
        name = (entry.key, entry.requested_procedure_id, entry.patient_id)
        known = found.get(name)
        found[name] = entry if known is None else known.with_steps(entry.steps)
    return list(found.values())
