"""Search keys of UPS-RS as a filter of the worklist (PS3.18 8.3.4.1, PS3.4 C.2.2.2).

Keys that a worklist is asked for are matched; other attributes of a work item are universal
matching, which is what an optional key that is not supported comes to (PS3.4 C.2.2.1.3).
"""

import re
from calendar import monthrange
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from qa_daemon.dicom.encoding.dictionary import keyword_of, tag_of
from qa_daemon.errors import InputError
from qa_daemon.queue.workitems.identity import finding_of
from qa_daemon.queue.workitems.states import StepState
from qa_daemon.records.finding import Severity
from qa_daemon.store.workitems.list_rows import WorklistFilter

#: Parameters that are no attributes.
OTHER_PARAMETERS: Final = frozenset(("includefield", "fuzzymatching", "limit", "offset", "accept"))
KEYS_MAX: Final = 32
_TAG: Final = re.compile(r"[0-9A-Fa-f]{8}")
_DATE_TIME: Final = re.compile(
    r"([0-9]{4})([0-9]{2})?([0-9]{2})?([0-9]{2})?([0-9]{2})?([0-9]{2})?(\.[0-9]{1,6})?"
    r"([+-][0-9]{4})?"
)
_SEVERITIES: Final = {
    "HIGH": (Severity.CRITICAL,),
    "MEDIUM": (Severity.MAJOR,),
    "LOW": (Severity.MINOR,),
}


def filter_of(given: Sequence[tuple[str, str]], key: bytes) -> tuple[WorklistFilter, bool]:
    """Return the filter that search parameters mean, and whether some key was not matched.

    Raises
    ------
    InputError
        If a parameter names no attribute, or a value is not one of its VR.
    """
    wanted: dict[str, Any] = {}
    has_unmatched = False
    if len(given) > KEYS_MAX:
        raise InputError(f"search: more than {KEYS_MAX} parameters")
    for name, value in given:
        if name in OTHER_PARAMETERS:
            continue
        keyword = _keyword(name)
        if not value:
            continue  # universal matching
        read = _MATCHED.get(keyword)
        if read is None:
            has_unmatched = True
        else:
            wanted |= read(value, key)
    return WorklistFilter(**wanted), has_unmatched


def _keyword(name: str) -> str:
    """Return the keyword of an attribute, given as keyword or tag; of a sequence item its first."""
    first = name.partition(".")[0]
    if _TAG.fullmatch(first):
        keyword = keyword_of(int(first, 16))
    else:
        keyword = first if tag_of(first) is not None else None
    if not keyword:
        raise InputError(f"search: {first[:64]!r} is no attribute of PS3.6 and no parameter")
    return keyword


def _state(value: str, _key: bytes) -> Mapping[str, Any]:
    try:
        return {"states": tuple(StepState(each).value for each in _listed(value))}
    except ValueError as error:
        known = ", ".join(StepState)
        raise InputError(f"ProcedureStepState: use one of {known}") from error


def _priority(value: str, _key: bytes) -> Mapping[str, Any]:
    found = [_SEVERITIES.get(each, ()) for each in _listed(value)]
    severities = tuple(severity for each in found for severity in each)
    return {"severities": severities} if severities else {"finding_ids": ()}


def _uid(value: str, key: bytes) -> Mapping[str, Any]:
    found = (finding_of(each, key) for each in _listed(value))
    return {"finding_ids": tuple(each for each in found if each is not None)}


def _study(value: str, _key: bytes) -> Mapping[str, Any]:
    return {"study_instance_uid": value}


def _ready(value: str, _key: bytes) -> Mapping[str, Any]:
    return {} if "READY" in _listed(value) else {"finding_ids": ()}


def _begun(value: str, _key: bytes) -> Mapping[str, Any]:
    first, is_range, last = _range(value)
    until = last if is_range else first
    return {
        "made_from": _time(first) if first else None,
        "made_until": _time(until, is_end=True) if until else None,
    }


def _listed(value: str) -> list[str]:
    return re.split(r"[\\,]", value)


def _range(value: str) -> tuple[str, bool, str]:
    """Split a range; a hyphen before four digits at the end belongs to an offset from UTC."""
    if value.startswith("-"):
        return "", True, value[1:]
    if value.endswith("-"):
        return value[:-1], True, ""
    found = re.fullmatch(r"([0-9.]+(?:[+-][0-9]{4})?)-([0-9.]{8,}(?:[+-][0-9]{4})?)", value)
    return (value, False, "") if found is None else (found[1], True, found[2])


def _time(value: str, *, is_end: bool = False) -> datetime:
    """Return a DT as a time, its first moment, or with `is_end` its last; without offset UTC."""
    found = _DATE_TIME.fullmatch(value)
    message = f"ScheduledProcedureStepStartDateTime: {value[:40]!r} is no DT"
    if found is None:
        raise InputError(message)
    year, month, day, hour, minute, second, fraction, offset = found.groups()
    try:
        in_month = int(month or (12 if is_end else 1))
        last_day = monthrange(int(year), in_month)[1]
        return datetime(
            int(year),
            in_month,
            int(day or (last_day if is_end else 1)),
            int(hour or (23 if is_end else 0)),
            int(minute or (59 if is_end else 0)),
            int(second or (59 if is_end else 0)),
            _micro(fraction, is_end=is_end),
            tzinfo=UTC if offset is None else datetime.strptime(offset, "%z").tzinfo,
        )
    except (ValueError, OverflowError) as error:
        raise InputError(message) from error


def _micro(fraction: str | None, *, is_end: bool) -> int:
    if fraction is None:
        return 999_999 if is_end else 0
    return int(fraction[1:].ljust(6, "9" if is_end else "0"))


_MATCHED: Final[Mapping[str, Callable[[str, bytes], Mapping[str, Any]]]] = {
    "ProcedureStepState": _state,
    "ScheduledProcedureStepPriority": _priority,
    "SOPInstanceUID": _uid,
    "StudyInstanceUID": _study,
    "InputReadinessState": _ready,
    "ScheduledProcedureStepStartDateTime": _begun,
}
