"""What findings of one cause have in common, without anything that belongs to one patient."""

from hashlib import sha256
from typing import Final

from qa_daemon.habits.usual import plane_letters
from qa_daemon.records.assignment import Assignment
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
#: Of a digest: 48 bits tell the visits of a hospital's lifetime apart.
VISIT_DIGITS: Final = 12


def practice_of(series: Series) -> Practice:
    """Return where and how a series was made, by its first instance."""
    if not series.instances:
        return Practice(series.modality)
    elements = series.instances[0].elements
    station = next(filter(None, (first_text(elements, name) for name in _STATION)), "")
    protocol = next(filter(None, (first_text(elements, name) for name in _PROTOCOL)), "")
    return Practice(series.modality, station, protocol)


def fingerprint_of(finding: Finding, practice: Practice) -> Fingerprint:
    """Return the fingerprint of a finding with its likeliest suggestion.

    A mistake between the orders of a visit is nobody's habit: each is an issue of its own,
    whichever of its series is judged, so that two patients' never lie in one line.
    """
    if finding.assignment is not None:
        return Fingerprint(finding.rule, Practice(), f"one visit {_visit(finding.assignment)}")
    if finding.suggestion is None:
        return Fingerprint(finding.rule, practice)
    told = dict.fromkeys(map(_in_words, finding.suggestion.changes))
    return Fingerprint(finding.rule, practice, "; ".join(sorted(told)[:ATTRIBUTES_MAX]))


def _visit(assignment: Assignment) -> str:
    """Return a digest of what is where, which leads back to nobody by itself."""
    moved = tuple(move.series_instance_uid for move in assignment.moves)
    orders = tuple(assignment.orders[place] for place in assignment.orders_concerned)
    numbers = tuple((order.accession_number, order.issuer) for order in orders)
    said = repr((assignment.kind, sorted((*moved, *assignment.series_concerned)), numbers))
    return sha256(said.encode("utf-8", "surrogatepass")).hexdigest()[:VISIT_DIGITS]


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
