"""What findings of one cause have in common, without anything that belongs to one patient."""

from typing import Final

from qa_daemon.habits.usual import plane_letters
from qa_daemon.records.element import first_text
from qa_daemon.records.finding import Change, Finding, JsonValue
from qa_daemon.records.issue import Fingerprint, Practice
from qa_daemon.records.series import Series

#: Names of a station, the best first; modalities that name none are told by their device.
_STATION: Final = ("StationName", "DeviceSerialNumber", "ManufacturerModelName")
_PROTOCOL: Final = ("ProtocolName", "SeriesDescription")
#: Values of this VR are codes of the standard or the vendor. Numbers, names and free text differ
#: from patient to patient, so only the attribute is named.
_CODED_VR: Final = "CS"
#: A suggestion may change hundreds of attributes (functional groups); these tell it apart.
ATTRIBUTES_MAX: Final = 8


def practice_of(series: Series) -> Practice:
    """Return where and how a series was made, by its first instance."""
    if not series.instances:
        return Practice(series.modality)
    elements = series.instances[0].elements
    station = next(filter(None, (first_text(elements, name) for name in _STATION)), "")
    protocol = next(filter(None, (first_text(elements, name) for name in _PROTOCOL)), "")
    return Practice(series.modality, station, protocol)


def fingerprint_of(finding: Finding, practice: Practice) -> Fingerprint:
    """Return the fingerprint of a finding with its likeliest suggestion."""
    if finding.suggestion is None:
        return Fingerprint(finding.rule, practice)
    told = dict.fromkeys(map(_in_words, finding.suggestion.changes))
    return Fingerprint(finding.rule, practice, "; ".join(sorted(told)[:ATTRIBUTES_MAX]))


def _in_words(change: Change) -> str:
    if change.attribute == "ImageOrientationPatient":
        current, proposed = (_as_letters(values) for values in (change.current, change.proposed))
    elif change.vr == _CODED_VR:
        current, proposed = (_as_text(values) for values in (change.current, change.proposed))
    else:
        return change.attribute
    return f"{change.attribute}: {current} -> {proposed}"


def _as_text(values: tuple[JsonValue, ...] | None) -> str:
    if values is None:
        return "absent"
    return "\\".join(map(str, values)) or "empty"


def _as_letters(values: tuple[JsonValue, ...] | None) -> str:
    if not values:
        return _as_text(values)
    return plane_letters(tuple(map(str, values))) or "malformed"
