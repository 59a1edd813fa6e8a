"""A change set as a Unified Procedure Step that asks somebody to write it (PS3.4 CC.2.5.1)."""

from collections.abc import Iterator, Mapping
from typing import Final

from qa_daemon import INTENDED_USE
from qa_daemon.dicom.json_model import tag_and_vr
from qa_daemon.export.package import Package
from qa_daemon.export.written.as_json import change_set_as_json
from qa_daemon.records.change_set import ChangeKind
from qa_daemon.report.as_json import Json

#: Unified Procedure Step - Push: what N-CREATE makes (PS3.4 CC.3.1).
UPS_PUSH: Final = "1.2.840.10008.5.1.4.34.6.1"
#: Codes of this product: the standard has none for correcting attributes.
SCHEME: Final = "99QADAEMON"
LABEL_LENGTH_MAX: Final = 64  # LO
WORKLIST_LABEL: Final = "QA corrections"

_WORK: Final = {
    ChangeKind.CHANGE: ("QA-CORRECT", "Correct attributes"),
    ChangeKind.REVERSE: ("QA-REVERSE", "Reverse a correction of attributes"),
}
_PARAMETERS: Final = (
    ("QA-USE", "Intended use"),
    ("QA-RULE", "Rule"),
    ("QA-MESSAGE", "Finding"),
    ("QA-CHANGES", "Change set as JSON"),
)
_EMPTY: Final = (
    "TransactionUID",
    "ScheduledStationNameCodeSequence",
    "ScheduledStationClassCodeSequence",
    "ScheduledStationGeographicLocationCodeSequence",
    "IssuerOfPatientID",
    "AdmissionID",
    "IssuerOfAdmissionIDSequence",
    "AdmittingDiagnosesDescription",
    "AdmittingDiagnosesCodeSequence",
    "ProcedureStepProgressInformationSequence",
    "UnifiedProcedureStepPerformedProcedureSequence",
)


def workitem(package: Package) -> dict[str, Json]:
    """Return the data set in the DICOM JSON model, without its UID, which the request names."""
    said = package.change_set
    at = said.decided_at.strftime("%Y%m%d%H%M%S%z")
    value, meaning = _WORK[said.kind]
    elements: dict[str, Json] = {}
    for keyword in _EMPTY:
        elements |= _element(keyword)
    elements |= _element("SpecificCharacterSet", "ISO_IR 192")
    elements |= _element("ScheduledProcedureStepPriority", "MEDIUM")
    elements |= _element("ProcedureStepLabel", f"{said.rule} {meaning}"[:LABEL_LENGTH_MAX])
    elements |= _element("WorklistLabel", WORKLIST_LABEL)
    elements |= _element("ScheduledProcedureStepStartDateTime", at)
    elements |= _element("ScheduledWorkitemCodeSequence", _code(value, meaning))
    elements |= _element("ScheduledProcessingParametersSequence", *_parameters(package))
    elements |= _element("InputReadinessState", "READY")
    elements |= _element("InputInformationSequence", *_inputs(package))
    elements |= _element("ProcedureStepState", "SCHEDULED")
    if said.study_instance_uid:
        elements |= _element("StudyInstanceUID", said.study_instance_uid)
    for part in _patient(package):
        elements |= part
    elements |= _element("ReferencedRequestSequence", *_requests(package))
    return dict(sorted(elements.items()))


def _element(keyword: str, *values: Json) -> dict[str, Json]:
    tag, vr = tag_and_vr(keyword)
    return {tag: {"vr": vr, "Value": list(values)} if values else {"vr": vr}}


def _code(value: str, meaning: str) -> Mapping[str, Json]:
    return {
        **_element("CodeValue", value),
        **_element("CodingSchemeDesignator", SCHEME),
        **_element("CodeMeaning", meaning),
    }


def _parameters(package: Package) -> Iterator[Json]:
    """Yield content items (PS3.3 10.2); Text Value is UT and holds a change set of any size."""
    said = package.change_set
    texts = (INTENDED_USE, said.rule, said.message, change_set_as_json(package))
    for (value, meaning), text in zip(_PARAMETERS, texts, strict=True):
        yield {
            **_element("ValueType", "TEXT"),
            **_element("ConceptNameCodeSequence", _code(value, meaning)),
            **_element("TextValue", text),
        }


def _inputs(package: Package) -> Iterator[Json]:
    """Yield what is to be changed (PS3.3 Table 10-3b)."""
    said = package.change_set
    if not (said.study_instance_uid and said.series_instance_uid):
        return
    references = [
        {
            **_element("ReferencedSOPClassUID", each.sop_class_uid),
            **_element("ReferencedSOPInstanceUID", each.sop_instance_uid),
        }
        for each in package.instances
    ]
    retrieval: dict[str, Json] = {}
    if package.retrieve_ae_title:
        where = _element("RetrieveAETitle", package.retrieve_ae_title)
        retrieval = _element("DICOMRetrievalSequence", where)
    yield {
        **_element("TypeOfInstances", "DICOM"),
        **_element("StudyInstanceUID", said.study_instance_uid),
        **_element("SeriesInstanceUID", said.series_instance_uid),
        **_element("ReferencedSOPSequence", *references),
        **retrieval,
    }


def _patient(package: Package) -> Iterator[dict[str, Json]]:
    name = package.said("PatientName")
    groups = zip(("Alphabetic", "Ideographic", "Phonetic"), name.split("="), strict=False)
    parts: Json = {group: part for group, part in groups if part}
    yield _element("PatientName", parts) if name else _element("PatientName")
    for keyword in ("PatientID", "PatientBirthDate", "PatientSex"):
        value = package.said(keyword)
        yield _element(keyword, value) if value else _element(keyword)


def _requests(package: Package) -> Iterator[Json]:
    accession = package.said("AccessionNumber")
    if accession:
        yield {
            **_element("StudyInstanceUID", package.change_set.study_instance_uid),
            **_element("AccessionNumber", accession),
            **_element("RequestedProcedureID"),
            **_element("RequestedProcedureDescription"),
            **_element("RequestedProcedureCodeSequence"),
        }
