"""The patient's other studies of the day, as the archive tells them (PS3.4 C.6.2.1)."""

from typing import Final

from pydicom.dataset import Dataset

from qa_daemon.orders.asked import with_regions
from qa_daemon.peers.association import Peer, conversation, is_plain, text
from qa_daemon.records.order import Order, OrderKey, OrderSource, ScheduledStep

STUDY_ROOT_FIND: Final = "1.2.840.10008.5.1.4.1.2.2.1"
_KEYS: Final = (
    "StudyTime", "AccessionNumber", "PatientName", "StudyID", "StudyInstanceUID",
    "StudyDescription", "ModalitiesInStudy", "ReferringPhysicianName", "IssuerOfPatientID",
)  # fmt: skip


def studies_archived(peer: Peer, patient_id: str, day: str) -> tuple[Order, ...]:
    """Return the orders that a patient's archived studies of a day name.

    Raises
    ------
    RetryableError
        If the archive cannot be asked.
    """
    if not is_plain(patient_id) or not is_plain(day):
        return ()
    query = Dataset()
    query.QueryRetrieveLevel = "STUDY"
    for keyword in _KEYS:
        setattr(query, keyword, "")
    query.PatientID, query.StudyDate = patient_id, day
    with conversation(peer, STUDY_ROOT_FIND) as talk:
        answers = talk.find(query)
    return tuple(
        with_regions(order) for answer in answers for order in _orders(answer, patient_id, day)
    )


def _orders(answer: Dataset, patient_id: str, day: str) -> list[Order]:
    """Return the order of a study; none where it names none, or is not what was asked for."""
    accession = text(answer, "AccessionNumber")
    if not accession or text(answer, "PatientID") not in {"", patient_id}:
        return []
    if text(answer, "StudyDate") not in {"", day}:
        return []
    found = answer.get("ModalitiesInStudy") or ()
    modalities = [found] if isinstance(found, str) else [str(each) for each in found]
    return [
        Order(
            key=OrderKey(accession),
            source=OrderSource.ARCHIVE,
            patient_id=patient_id,
            issuer_of_patient_id=text(answer, "IssuerOfPatientID"),
            requested_procedure_id=text(answer, "StudyID"),
            description=text(answer, "StudyDescription"),
            study_instance_uid=text(answer, "StudyInstanceUID"),
            steps=tuple(
                ScheduledStep(modality=modality, date=day, time=text(answer, "StudyTime"))
                for modality in modalities
                if modality
            ),
            referring_physician=text(answer, "ReferringPhysicianName"),
        )
    ]
