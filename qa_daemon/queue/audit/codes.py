"""Which DICOM audit event each of our deeds is (PS3.15 A.5.3, PS3.16 CID 400 and 401)."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from attrs import frozen


@frozen
class Code:
    """A coded value of the scheme DCM, or of another one that is named."""

    value: str
    meaning: str
    scheme: str = "DCM"


@frozen
class Event:
    """What a deed is called: Event ID, Event Action Code (C R U D E), Event Type Code or none."""

    id: Code
    action: str
    type: Code | None = None


_APPLICATION: Final = Code("110100", "Application Activity")
_LOG_USED: Final = Code("110101", "Audit Log Used")
_ACCESSED: Final = Code("110103", "DICOM Instances Accessed")
_DELETED: Final = Code("110105", "DICOM Study Deleted")
_EXPORT: Final = Code("110106", "Export")
_ALERT: Final = Code("110113", "Security Alert")
_AUTHENTICATION: Final = Code("110114", "User Authentication")
_LOGIN: Final = Code("110122", "Login")
_LOGOUT: Final = Code("110123", "Logout")
_CONFIGURATION: Final = Code("110131", "Software Configuration")
_ATTRIBUTES: Final = Code("110137", "User Security Attributes Changed")

STUDY: Final = Code("110180", "Study Instance UID")
PATIENT: Final = Code("2", "Patient Number", "RFC-3881")
#: The roles of active participants.
APPLICATION: Final = Code("110150", "Application")
DESTINATION: Final = Code("110154", "Destination Media")

#: Deeds whose whole name decides.
EVENTS: Final[Mapping[str, Event]] = MappingProxyType(
    {
        "view": Event(_ACCESSED, "R"),
        "delete": Event(_DELETED, "D"),
        "export": Event(_EXPORT, "R"),
        "login": Event(_AUTHENTICATION, "E", _LOGIN),
        "logout": Event(_AUTHENTICATION, "E", _LOGOUT),
        "session timeout": Event(_AUTHENTICATION, "E", _LOGOUT),
        "audit read": Event(_LOG_USED, "R"),
        "configuration": Event(_ALERT, "E", _CONFIGURATION),
        "start": Event(_APPLICATION, "E", Code("110120", "Application Start")),
        "stop": Event(_APPLICATION, "E", Code("110121", "Application Stop")),
    }
)
#: Deeds of which the first word decides.
KINDS: Final[Mapping[str, Event]] = MappingProxyType(
    {
        "user": Event(_ALERT, "E", _ATTRIBUTES),
        "token": Event(_ALERT, "E", _ATTRIBUTES),
        "session": Event(_ALERT, "E", _ATTRIBUTES),
        "export": Event(_EXPORT, "R"),
        "issue": Event(_ALERT, "E", _CONFIGURATION),
    }
)
#: Verdicts, undo, requeue and what may come: what is known of a study is changed.
OF_A_STUDY: Final = Event(_ACCESSED, "U")
OTHERWISE: Final = Event(_APPLICATION, "E")


def event_of(action: str, study_instance_uid: str) -> Event:
    """Return the DICOM event of a deed."""
    known = EVENTS.get(action) or KINDS.get(action.partition(" ")[0])
    if known is not None:
        return known
    return OF_A_STUDY if study_instance_uid else OTHERWISE
