"""What is read out of data sets that performers send, and what a final state needs.

They come in the DICOM JSON model and may hold anything; whatever is not as the standard says is an
`InputError` that names the attribute.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Final

from attrs import frozen

from qa_daemon.dicom.json_model import tag_and_vr
from qa_daemon.errors import InputError
from qa_daemon.queue.workitems.states import Status, StepRefused
from qa_daemon.records.decision import RejectReason
from qa_daemon.report.as_json import Json
from qa_daemon.report.as_workitem import (
    REASON,
    SCHEME,
    VERDICT,
    Concept,
    code_item,
    data_set,
    date_time,
    element,
)

DataSet = Mapping[str, Any]

#: Words of a performer; LT and ST are longer than any that helps.
WORDS_LENGTH_MAX: Final = 1024
#: What performers may write; everything else of a work item is this service's.
_WRITABLE: Final = (
    "ProcedureStepProgressInformationSequence",
    "UnifiedProcedureStepPerformedProcedureSequence",
)
#: Within the performed procedure, for COMPLETED (PS3.4 Table CC.2.5-3, final state P).
_NEEDED: Final = (
    "PerformedStationNameCodeSequence",
    "PerformedWorkitemCodeSequence",
    "PerformedProcedureStepStartDateTime",
    "PerformedProcedureStepEndDateTime",
)
_UID: Final = re.compile(r"(0|[1-9][0-9]*)(\.(0|[1-9][0-9]*))+")
_UID_LENGTH_MAX: Final = 64
#: Codes of the verdict: what a performer completes a step with.
ACCEPT: Final = "ACCEPT"
REJECT: Final = "REJECT"


@frozen
class Verdict:
    """What a performer says of a finding; `reason` of a rejection only."""

    code: str
    reason: RejectReason | None
    words: str


def is_uid(given: str) -> bool:
    """Whether a text is built as a UID (PS3.5 9.1)."""
    return len(given) <= _UID_LENGTH_MAX and _UID.fullmatch(given) is not None


def values(given: DataSet, keyword: str) -> list[Any]:
    """Return the values of an element; [] where it is absent or empty.

    Raises
    ------
    InputError
        If it is not built as PS3.18 F.2 says.
    """
    tag, vr = tag_and_vr(keyword)
    found = given.get(tag)
    if found is None:
        return []
    if not isinstance(found, Mapping) or found.get("vr", vr) != vr:
        raise InputError(f"{keyword} ({tag}): not an element of VR {vr} in the DICOM JSON model")
    held = found.get("Value", [])
    if not isinstance(held, list):
        raise InputError(f"{keyword} ({tag}): Value is not an array")
    return held


def text(given: DataSet, keyword: str) -> str:
    """Return the first value as text, "" where there is none; raises as `values`."""
    held = values(given, keyword)
    if not held or held[0] is None:
        return ""
    if not isinstance(held[0], str):
        raise InputError(f"{keyword}: not text")
    return held[0]


def items(given: DataSet, keyword: str) -> list[DataSet]:
    """Return the items of a sequence; raises as `values`."""
    held = values(given, keyword)
    if not all(isinstance(item, Mapping) for item in held):
        raise InputError(f"{keyword}: an item is not a data set")
    return held


def writable(given: DataSet) -> tuple[dict[str, Json], tuple[str, ...]]:
    """Return what performers may write of a data set, and the tags that are left out."""
    ours = {tag_and_vr(keyword)[0] for keyword in _WRITABLE}
    lock = tag_and_vr("TransactionUID")[0]
    for keyword in _WRITABLE:
        if len(items(given, keyword)) > 1:
            raise InputError(f"{keyword}: has more than one item")
    kept = {tag: held for tag, held in given.items() if tag in ours}
    return kept, tuple(sorted(set(given) - ours - {lock}))


def first_item(given: DataSet, keyword: str) -> dict[str, Json]:
    """Return the one item of a sequence, {} where there is none."""
    held = items(given, keyword)
    return dict(held[0]) if held else {}


def verdict_in(performed: DataSet) -> Verdict:
    """Return what a performed procedure says; raises `StepRefused` where a verdict is missing."""
    codes = dict(_coded(performed))
    code = codes.get(VERDICT.value, "")
    words = text(performed, "CommentsOnThePerformedProcedureStep")[:WORDS_LENGTH_MAX]
    if code not in {ACCEPT, REJECT}:
        raise StepRefused(
            Status.FINAL_STATE_NOT_MET,
            f"Performed Processing Parameters Sequence: no item with the concept {VERDICT.value} "
            f"of {SCHEME} and the code {ACCEPT} or {REJECT}",
        )
    if code == ACCEPT:
        return Verdict(code, None, words)
    try:
        reason = RejectReason(codes.get(REASON.value, "").lower())
    except ValueError as error:
        known = ", ".join(each.value.upper() for each in RejectReason)
        message = f"a rejection needs the concept {REASON.value} with one of {known}"
        raise StepRefused(Status.FINAL_STATE_NOT_MET, message) from error
    if reason is RejectReason.OTHER and not words.strip():
        message = "reason OTHER needs Comments on the Performed Procedure Step"
        raise StepRefused(Status.FINAL_STATE_NOT_MET, message)
    return Verdict(code, reason, words)


def check_completed(performed: DataSet) -> None:
    """Raise `StepRefused` where a completed step lacks what it must hold."""
    missing = [keyword for keyword in _NEEDED if not values(performed, keyword)]
    if missing:
        message = f"Unified Procedure Step Performed Procedure Sequence: lacks {', '.join(missing)}"
        raise StepRefused(Status.FINAL_STATE_NOT_MET, message)


def check_canceled(progress: DataSet) -> dict[str, Json]:
    """Return the progress of a canceled step, raising where it gives no reason.

    Final state X: Procedure Step Cancellation DateTime and Discontinuation Reason Code Sequence.
    """
    if not items(progress, "ProcedureStepDiscontinuationReasonCodeSequence"):
        message = (
            "Procedure Step Progress Information Sequence: lacks "
            "ProcedureStepDiscontinuationReasonCodeSequence"
        )
        raise StepRefused(Status.FINAL_STATE_NOT_MET, message)
    if not text(progress, "ProcedureStepCancellationDateTime"):
        message = (
            "Procedure Step Progress Information Sequence: lacks ProcedureStepCancellationDateTime"
        )
        raise StepRefused(Status.FINAL_STATE_NOT_MET, message)
    return dict(progress)


def canceled_on_request(request: DataSet, now: datetime) -> dict[str, Json]:
    """Return the progress of a step that was canceled before anybody had claimed it.

    The reason of the request is kept, else that nobody gave one (PS3.16 CID 9301).
    """
    reasons: list[Json] = list(items(request, "ProcedureStepDiscontinuationReasonCodeSequence"))
    none_given = code_item(Concept("110513", "Discontinued for unspecified reason", "DCM"))
    said = text(request, "ReasonForCancellation")[:WORDS_LENGTH_MAX]
    return data_set(
        element("ProcedureStepCancellationDateTime", date_time(now)),
        element("ReasonForCancellation", *([said] if said else [])),
        element("ProcedureStepDiscontinuationReasonCodeSequence", *(reasons or [none_given])),
    )


def _coded(performed: DataSet) -> Iterator[tuple[str, str]]:
    """Yield concept and code of each coded item of ours."""
    for item in items(performed, "PerformedProcessingParametersSequence"):
        for name in items(item, "ConceptNameCodeSequence"):
            for code in items(item, "ConceptCodeSequence"):
                if {text(name, "CodingSchemeDesignator"), text(code, "CodingSchemeDesignator")} == {
                    SCHEME
                }:
                    yield text(name, "CodeValue"), text(code, "CodeValue").upper()
