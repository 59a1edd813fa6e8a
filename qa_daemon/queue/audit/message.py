"""One entry of the audit as a DICOM audit message: XML by the schema of PS3.15 A.5.1."""

import base64
import ipaddress
import re
from typing import Final
from xml.etree import ElementTree as ET

from attrs import frozen

from qa_daemon.queue.audit import codes
from qa_daemon.queue.audit.codes import Code
from qa_daemon.store.audit.chain import AuditEntry

#: What XML 1.0 cannot hold (section 2.2).
_FORBIDDEN: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
#: Audit Source Type Code: an application server process (PS3.15 A.5.2.3).
_SERVER_PROCESS: Final = Code("4", "Application Server Process", "RFC-3881")
#: Participant object: 1 person, 2 system object; roles 1 patient, 3 report (A.5.2.4).
_PATIENT: Final = {"ParticipantObjectTypeCode": "1", "ParticipantObjectTypeCodeRole": "1"}
_STUDY: Final = {"ParticipantObjectTypeCode": "2", "ParticipantObjectTypeCodeRole": "3"}


@frozen
class Source:
    """Who writes the audit.

    Attributes
    ----------
    id
        Audit Source ID: the service's AE title.
    site
        Audit Enterprise Site ID; empty = not said.
    """

    id: str
    site: str = ""


def message(entry: AuditEntry, source: Source) -> bytes:
    """Return the message, UTF-8, without an XML declaration, as syslog carries it."""
    event = codes.event_of(entry.action, entry.study_instance_uid)
    root = ET.Element("AuditMessage")
    head = ET.SubElement(
        root,
        "EventIdentification",
        EventActionCode=event.action,
        EventDateTime=entry.at.isoformat(timespec="milliseconds"),
        EventOutcomeIndicator=str(entry.outcome),
    )
    _coded(head, "EventID", event.id)
    if event.type is not None:
        _coded(head, "EventTypeCode", event.type)
    if entry.detail:
        ET.SubElement(head, "EventOutcomeDescription").text = _written(entry.detail)
    _participants(root, entry, source, is_export=event.id.value == "110106")
    origin = ET.SubElement(root, "AuditSourceIdentification", AuditSourceID=_written(source.id))
    if source.site:
        origin.set("AuditEnterpriseSiteID", _written(source.site))
    _coded(origin, "AuditSourceTypeCode", _SERVER_PROCESS)
    _objects(root, entry)
    written: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=False)
    return written


def _participants(root: ET.Element, entry: AuditEntry, source: Source, *, is_export: bool) -> None:
    person = ET.SubElement(
        root, "ActiveParticipant", UserID=_written(entry.who), UserIsRequestor="true"
    )
    if entry.address:
        person.set("NetworkAccessPointID", _written(entry.address))
        person.set("NetworkAccessPointTypeCode", "2" if _is_address(entry.address) else "1")
    service = ET.SubElement(
        root, "ActiveParticipant", UserID=_written(source.id), UserIsRequestor="false"
    )
    _coded(service, "RoleIDCode", codes.DESTINATION if is_export else codes.APPLICATION)


def _objects(root: ET.Element, entry: AuditEntry) -> None:
    if entry.study_instance_uid:
        study = _object(root, entry.study_instance_uid, _STUDY, codes.STUDY)
        _named(study, entry)
    if entry.patient_id or entry.patient_name:
        patient = _object(root, entry.patient_id or "(none)", _PATIENT, codes.PATIENT)
        if entry.patient_name:
            ET.SubElement(patient, "ParticipantObjectName").text = _written(entry.patient_name)
    if not entry.study_instance_uid and entry.subject:
        subject = _object(root, entry.subject, _STUDY, Code("12", "URI", "RFC-3881"))
        _named(subject, entry)


def _named(described: ET.Element, entry: AuditEntry) -> None:
    ET.SubElement(described, "ParticipantObjectName").text = _written(entry.subject)
    ET.SubElement(
        described,
        "ParticipantObjectDetail",
        type="action",
        value=_base64(entry.action),
    )


def _object(root: ET.Element, name: str, role: dict[str, str], code: Code) -> ET.Element:
    given = {"ParticipantObjectID": _written(name), **role}
    made = ET.SubElement(root, "ParticipantObjectIdentification", given)
    _coded(made, "ParticipantObjectIDTypeCode", code)
    return made


def _coded(parent: ET.Element, name: str, code: Code) -> None:
    # The attribute is called csd-code, which no keyword argument can be.
    given = {"csd-code": code.value, "codeSystemName": code.scheme, "originalText": code.meaning}
    ET.SubElement(parent, name, given)


def _base64(value: str) -> str:
    return base64.b64encode(value.encode()).decode("ascii")


def _written(value: str) -> str:
    return _FORBIDDEN.sub("\ufffd", value)


def _is_address(value: str) -> bool:
    try:
        ipaddress.ip_address(value)
    except ValueError:
        return False
    return True
