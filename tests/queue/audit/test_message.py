"""Entries of the audit as DICOM audit messages."""

from datetime import UTC, datetime
from xml.etree import ElementTree as ET

import pytest

from qa_daemon.queue.audit.codes import event_of
from qa_daemon.queue.audit.message import Source, message
from qa_daemon.store.audit.chain import AuditEntry

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
SOURCE = Source("QADAEMON", "St. Elsewhere")


def entry(action: str, **more: str | int) -> AuditEntry:
    given: dict[str, str | int] = {"who": "ana", "subject": "x", "detail": "", **more}
    return AuditEntry(at=NOON, action=action, **given)  # type: ignore[arg-type]  # by name


def told(action: str, **more: str | int) -> ET.Element:
    return ET.fromstring(message(entry(action, **more), SOURCE))  # noqa: S314  our own text


@pytest.mark.parametrize(
    ("action", "study", "id_", "kind", "type_"),
    [
        ("view", "1.2", "110103", "R", None),
        ("accept", "1.2", "110103", "U", None),
        ("undo", "1.2", "110103", "U", None),
        ("delete", "1.2", "110105", "D", None),
        ("export csv", "", "110106", "R", None),
        ("login", "", "110114", "E", "110122"),
        ("logout", "", "110114", "E", "110123"),
        ("session timeout", "", "110114", "E", "110123"),
        ("user role", "", "110113", "E", "110137"),
        ("token add", "", "110113", "E", "110137"),
        ("issue mute", "", "110113", "E", "110131"),
        ("configuration", "", "110113", "E", "110131"),
        ("audit read", "", "110101", "R", None),
        ("something new", "", "110100", "E", None),
    ],
)
def test_each_deed_has_the_code_of_the_standard(
    action: str, study: str, id_: str, kind: str, type_: str | None
) -> None:
    event = event_of(action, study)
    assert (event.id.value, event.action, event.type and event.type.value) == (id_, kind, type_)


def test_a_view_names_who_from_where_which_study_and_which_patient() -> None:
    root = told(
        "view", address="10.0.0.9", study_instance_uid="1.2.3", patient_id="P1", patient_name="A^B"
    )
    assert [child.tag for child in root] == [
        "EventIdentification", "ActiveParticipant", "ActiveParticipant",
        "AuditSourceIdentification", "ParticipantObjectIdentification",
        "ParticipantObjectIdentification",
    ]  # fmt: skip
    person, service = root.findall("ActiveParticipant")
    assert person.attrib == {
        "UserID": "ana", "UserIsRequestor": "true",
        "NetworkAccessPointID": "10.0.0.9", "NetworkAccessPointTypeCode": "2",
    }  # fmt: skip
    assert service.get("UserID") == "QADAEMON"
    study, patient = root.findall("ParticipantObjectIdentification")
    assert study.get("ParticipantObjectID") == "1.2.3"
    code = study.find("ParticipantObjectIDTypeCode")
    assert code is not None
    assert code.attrib == {
        "csd-code": "110180", "codeSystemName": "DCM", "originalText": "Study Instance UID"
    }  # fmt: skip
    assert (patient.get("ParticipantObjectID"), patient.findtext("ParticipantObjectName")) == (
        "P1", "A^B",
    )  # fmt: skip
    head = root.find("EventIdentification")
    assert head is not None
    assert head.get("EventDateTime") == "2026-03-01T12:00:00.000+00:00"


def test_a_failed_sign_in_is_a_minor_failure() -> None:
    head = told("login", outcome=4).find("EventIdentification")
    assert head is not None
    assert head.get("EventOutcomeIndicator") == "4"


@pytest.mark.parametrize("hostile", ["<script>&\"'", "a\0b\x1b", "\u202eabc", "]]>", "x" * 65_536])
def test_whatever_a_patient_is_called_the_message_is_xml(hostile: str) -> None:
    root = told("view", patient_name=hostile, patient_id=hostile, subject=hostile)
    kept = root.findtext(".//ParticipantObjectName")
    assert kept == hostile.replace("\0", "\ufffd").replace("\x1b", "\ufffd")
