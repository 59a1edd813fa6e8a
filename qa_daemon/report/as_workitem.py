"""A finding as a Unified Procedure Step: the work item of deciding about it (PS3.3 B.26.2).

The verdict and its reason travel as coded content items of the performed procedure
(Performed Processing Parameters Sequence), the finding as those of the scheduled one.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final

from attrs import field, frozen

from qa_daemon.dicom.json_model import tag_and_vr
from qa_daemon.records.finding import Change, Finding, Severity
from qa_daemon.report.as_json import Json

#: Unified Procedure Step - Push: all UPS are instances of this class (PS3.4 CC.3.1).
UPS_PUSH: Final = "1.2.840.10008.5.1.4.34.6.1"
#: Codes of this product; the standard has none for what a person says of a header.
SCHEME: Final = "99QADAEMON"
WORKLIST_LABEL: Final = "QA of DICOM headers"
#: The longest LO; a label is cut to it.
_LABEL_LENGTH_MAX: Final = 64
#: Changes of one suggestion that are written out; `/api/v1` has all of them.
CHANGES_MAX: Final = 32
_PRIORITIES: Final = {
    Severity.CRITICAL: "HIGH",
    Severity.MAJOR: "MEDIUM",
    Severity.MINOR: "LOW",
    Severity.INFO: "LOW",
}


@frozen
class Concept:
    """A coded concept."""

    value: str
    meaning: str
    scheme: str = SCHEME


WORK: Final = Concept("QA-DECIDE", "Decide about a finding")
RULE: Final = Concept("QA-RULE", "Rule")
MESSAGE: Final = Concept("QA-MESSAGE", "Finding")
SURENESS: Final = Concept("QA-SURENESS", "Sureness")
CHANGE: Final = Concept("QA-CHANGE", "Suggested change")
REVISION: Final = Concept("QA-REVISION", "Revision of the series")
VERDICT: Final = Concept("QA-VERDICT", "Verdict")
REASON: Final = Concept("QA-REASON", "Reason of a rejection")


@frozen(kw_only=True)
class Patient:
    """Who it is about, as far as the reader may know; empty where that is nothing."""

    name: str = ""
    id: str = ""
    birth_date: str = ""
    sex: str = ""


@frozen(kw_only=True)
class Step:
    """One work item.

    Attributes
    ----------
    state
        SCHEDULED, IN PROGRESS, COMPLETED or CANCELED.
    performed, progress
        What its performer has written, data sets of the DICOM JSON model; empty = nothing.
    """

    uid: str
    state: str
    finding: Finding
    revision: int
    made_at: datetime
    changed_at: datetime
    study_instance_uid: str
    series_instance_uid: str
    accession_number: str = ""
    patient: Patient = field(factory=Patient)
    performed: Mapping[str, Json] = field(factory=dict)
    progress: Mapping[str, Json] = field(factory=dict)


def element(keyword: str, *values: Json) -> dict[str, Json]:
    """Return one element of the DICOM JSON model, without `Value` where there is none."""
    tag, vr = tag_and_vr(keyword)
    return {tag: {"vr": vr, "Value": list(values)} if values else {"vr": vr}}


def data_set(*elements: Mapping[str, Json]) -> dict[str, Json]:
    """Return elements as one data set, tags ascending (PS3.18 F.2.2)."""
    joined: dict[str, Json] = {}
    for each in elements:
        joined |= each
    return dict(sorted(joined.items()))


def workitem(step: Step) -> dict[str, Json]:
    """Return a work item as its data set, without the Transaction UID, which is its lock."""
    finding = step.finding
    return data_set(
        element("SOPClassUID", UPS_PUSH),
        element("SOPInstanceUID", step.uid),
        element("SpecificCharacterSet", "ISO_IR 192"),
        element("ScheduledProcedureStepPriority", _PRIORITIES[finding.severity]),
        element("ScheduledProcedureStepModificationDateTime", date_time(step.changed_at)),
        element("ProcedureStepLabel", f"{finding.rule} {finding.message}"[:_LABEL_LENGTH_MAX]),
        element("WorklistLabel", WORKLIST_LABEL),
        element("ScheduledProcessingParametersSequence", *_parameters(step)),
        element("ScheduledStationNameCodeSequence"),
        element("ScheduledStationClassCodeSequence"),
        element("ScheduledStationGeographicLocationCodeSequence"),
        element("ScheduledProcedureStepStartDateTime", date_time(step.made_at)),
        element("ScheduledWorkitemCodeSequence", code_item(WORK)),
        element("InputReadinessState", "READY"),
        element("InputInformationSequence", _input(step)),
        element("StudyInstanceUID", *_known(step.study_instance_uid)),
        *_of_patient(step.patient),
        element("AdmissionID"),
        element("IssuerOfAdmissionIDSequence"),
        element("AdmittingDiagnosesDescription"),
        element("AdmittingDiagnosesCodeSequence"),
        element("ReferencedRequestSequence", *_request(step)),
        element("ProcedureStepState", step.state),
        element("ProcedureStepProgressInformationSequence", *_item(step.progress)),
        element("UnifiedProcedureStepPerformedProcedureSequence", *_item(step.performed)),
    )


def date_time(at: datetime) -> str:
    """Return a time as a DT with its zone."""
    return at.strftime("%Y%m%d%H%M%S%z")


def code_item(concept: Concept) -> dict[str, Json]:
    """Return an item of a code sequence (PS3.3 8.8)."""
    return data_set(
        element("CodeValue", concept.value),
        element("CodingSchemeDesignator", concept.scheme),
        element("CodeMeaning", concept.meaning),
    )


def content_item(name: Concept, *, text: str = "", code: Concept | None = None) -> dict[str, Json]:
    """Return an item of a parameters sequence (PS3.3 10.2), of a text or of a code."""
    value = (
        data_set(element("ValueType", "TEXT"), element("TextValue", text))
        if code is None
        else data_set(element("ValueType", "CODE"), element("ConceptCodeSequence", code_item(code)))
    )
    return data_set(element("ConceptNameCodeSequence", code_item(name)), value)


def change_in_words(change: Change) -> str:
    """Return one change as a line of text."""
    told = f"{change.action.value} {change.path} ({change.tag}) {change.scope.value}"
    where = f" {change.sop_instance_uid}" if change.sop_instance_uid else ""
    return f"{told}{where}: {_values(change.current)} -> {_values(change.proposed)}"


def _values(values: Sequence[object] | None) -> str:
    if values is None:
        return "absent"
    return "\\".join(map(str, values)) or "empty"


def _parameters(step: Step) -> list[dict[str, Json]]:
    finding = step.finding
    items = [
        content_item(RULE, text=finding.rule),
        content_item(MESSAGE, text=finding.message),
        content_item(REVISION, text=str(step.revision)),
    ]
    if finding.confidence is not None:
        items.append(content_item(SURENESS, text=f"{finding.confidence:.3f}"))
    changes: Iterable[Change] = () if finding.suggestion is None else finding.suggestion.changes
    items += [
        content_item(CHANGE, text=change_in_words(change)) for change in list(changes)[:CHANGES_MAX]
    ]
    return items


def _input(step: Step) -> dict[str, Json]:
    """Return what is to be looked at (PS3.3 Table 10-3b); the archive has it, not this service."""
    return data_set(
        element("TypeOfInstances", "DICOM"),
        element("StudyInstanceUID", *_known(step.study_instance_uid)),
        element("SeriesInstanceUID", *_known(step.series_instance_uid)),
        element("ReferencedSOPSequence"),
    )


def _of_patient(patient: Patient) -> tuple[dict[str, Json], ...]:
    name = element("PatientName", {"Alphabetic": patient.name}) if patient.name else None
    return (
        element("PatientName") if name is None else name,
        element("PatientID", *_known(patient.id)),
        element("IssuerOfPatientID"),
        element("PatientBirthDate", *_known(patient.birth_date)),
        element("PatientSex", *_known(patient.sex)),
    )


def _request(step: Step) -> tuple[dict[str, Json], ...]:
    if not step.accession_number:
        return ()
    return (
        data_set(
            element("StudyInstanceUID", *_known(step.study_instance_uid)),
            element("AccessionNumber", step.accession_number),
            element("RequestedProcedureID"),
            element("RequestedProcedureDescription"),
            element("RequestedProcedureCodeSequence"),
        ),
    )


def _known(value: str) -> tuple[str, ...]:
    return (value,) if value else ()


def _item(item: Mapping[str, Json]) -> tuple[Mapping[str, Json], ...]:
    return (item,) if item else ()
