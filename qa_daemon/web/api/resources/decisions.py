"""Decisions: made, taken back, and told. They go through the same door as those of the pages."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from qa_daemon.errors import InputError
from qa_daemon.queue.accounts.permissions import Permission
from qa_daemon.queue.deciding import answer, undo
from qa_daemon.queue.deciding.answers import (
    Accept,
    AcceptClass,
    AcceptEdited,
    Answer,
    Ask,
    Defer,
    Edit,
    Outcome,
    RefusalKind,
    Refused,
    Reject,
    Seen,
    Wish,
)
from qa_daemon.records.decision import RejectReason
from qa_daemon.records.finding import Hypothesis
from qa_daemon.store.review import decision_rows
from qa_daemon.store.review.decision_rows import DecisionRow
from qa_daemon.web.api.bodies import Member, members
from qa_daemon.web.api.operations import Answered, Operation, json_answer
from qa_daemon.web.api.parameters import (
    COUNT,
    NUMBER_MAX,
    TIME,
    Parameter,
    number,
    text,
)
from qa_daemon.web.api.problem import problem
from qa_daemon.web.api.resources.findings import FINDING_ID
from qa_daemon.web.deciding import decision_desk, wish_of
from qa_daemon.web.endpoints import desk

FINDINGS_MAX: Final = 500
#: Values that one answer can set; the largest suggestions have some hundred.
EDITS_MAX: Final = 1000
REQUEST_ID: Final = Parameter(
    name="Idempotency-Key",
    schema=text("^[A-Za-z0-9._:-]+$", 64),
    description="Made by the client, new for each wish: the same again is done once.",
    place="header",
    required=True,
)
_ACT_ID: Final = Parameter(
    name="act_id",
    schema=number(1, NUMBER_MAX),
    description="`act_id` of what was decided.",
    place="path",
    required=True,
)
_STATUSES: Final = {
    RefusalKind.UNKNOWN: 404,
    RefusalKind.UNFIT: 400,
    RefusalKind.TOO_MANY: 400,
    RefusalKind.SAME_PERSON: 403,
    RefusalKind.NEEDS_APPROVER: 403,
}


def _decide(request: Request, given: Mapping[str, Any]) -> Response:
    said = members(
        given["body"],
        Member("findings", list, required=True),
        Member("verb", str, required=True),
        Member("rank", int),
        Member("reason", str),
        Member("words", str),
        Member("until", str),
        Member("of", str),
        Member("label", str),
        Member("hypothesis", str),
        Member("edits", list),
    )
    seen = tuple(_seen(each) for each in said["findings"])
    if not 0 < len(seen) <= FINDINGS_MAX:
        raise InputError(f"findings: name 1 to {FINDINGS_MAX}")
    try:
        outcome = answer.decide(decision_desk(request), seen, _answer(said), _wish(request, given))
    except Refused as refused:
        return _refusal(refused)
    return json_answer(_outcome(outcome), 201)


def _undo(request: Request, given: Mapping[str, Any]) -> Response:
    try:
        undone = undo.undo(decision_desk(request), given["act_id"], _wish(request, given))
    except Refused as refused:
        return _refusal(refused)
    told = {
        "act_id": undone.act_id,
        "findings": list(undone.finding_ids),
        "verb": undone.verb.value,
    }
    return json_answer(told)


def _history(request: Request, given: Mapping[str, Any]) -> Response:
    rows = decision_rows.history(
        desk(request).store, given["limit"], finding_id=given["finding_id"]
    )
    if not rows and decision_rows_missing(request, given["finding_id"]):
        raise HTTPException(404)
    return json_answer({"items": [_decision(row) for row in rows]})


def decision_rows_missing(request: Request, finding_id: int) -> bool:
    """Whether there is no such finding at all."""
    with desk(request).store.reading() as connection:
        return not decision_rows.in_hand(connection, [finding_id])


def _seen(given: Any) -> Seen:
    said = members(given, Member("id", int, required=True), Member("revision", int, required=True))
    if not (0 < said["id"] <= NUMBER_MAX and 0 <= said["revision"] <= NUMBER_MAX):
        raise InputError("findings: an id or revision that no finding has")
    return Seen(said["id"], said["revision"])


def _answer(said: Mapping[str, Any]) -> Answer:
    words = said["words"] or ""
    verb = said["verb"]
    if verb == "accept":
        return _acceptance(said, words)
    if verb == "reject":
        return Reject(_reason(said["reason"]), words)
    if verb == "defer":
        return Defer(until=_until(said["until"]), words=words)
    if verb == "ask":
        return Ask(of=said["of"] or "", words=words)
    raise InputError("verb: use one of accept, reject, defer, ask")


def _acceptance(said: Mapping[str, Any], words: str) -> Answer:
    """Return what is accepted: a suggestion, it with other values, or another class."""
    if said["label"] is not None:
        return AcceptClass(said["label"], _hypothesis(said["hypothesis"]), words)
    if said["edits"] is not None:
        if len(said["edits"]) > EDITS_MAX:
            raise InputError(f"edits: more than {EDITS_MAX}")
        edits = tuple(map(_edit, said["edits"]))
        return AcceptEdited(edits, said["rank"] or 0, words)
    return Accept(rank=said["rank"] or 0, words=words)


def _edit(given: Any) -> Edit:
    said = members(
        given,
        Member("path", str, required=True),
        Member("values", list, required=True),
        Member("sop_instance_uid", str),
    )
    if not all(isinstance(value, str) for value in said["values"]):
        raise InputError("edits: values have to be texts")
    return Edit(said["path"], tuple(said["values"]), said["sop_instance_uid"])


def _hypothesis(given: str | None) -> Hypothesis | None:
    known = [each.value for each in Hypothesis]
    if given is not None and given not in known:
        raise InputError(f"hypothesis: use one of {', '.join(known)}")
    return None if given is None else Hypothesis(given)


def _reason(given: str | None) -> RejectReason:
    known = [each.value for each in RejectReason]
    if given not in known:
        raise InputError(f"reason: use one of {', '.join(known)}")
    return RejectReason(given)


def _until(given: str | None) -> datetime | None:
    if given is None:
        return None
    found = Parameter(name="until", schema=TIME, description="").read(given)
    assert isinstance(found, datetime)
    return found


def _wish(request: Request, given: Mapping[str, Any]) -> Wish:
    return wish_of(request, given[REQUEST_ID.name])


def _refusal(refused: Refused) -> Response:
    """Return why nothing was written; a conflict unless it is the request's own fault."""
    refusal = refused.refusal
    return problem(
        _STATUSES.get(refusal.kind, 409),
        str(refused),
        kind=refusal.kind.value,
        finding_id=refusal.finding_id,
        revision=refusal.revision,
        successor=refusal.successor,
    )


def _outcome(outcome: Outcome) -> dict[str, Any]:
    return {
        "act_id": outcome.act_id,
        "findings": list(outcome.finding_ids),
        "verb": outcome.verb.value,
        "standing": outcome.standing.value,
        "undo_until": None if outcome.undo_until is None else outcome.undo_until.isoformat(),
    }


def _decision(row: DecisionRow) -> dict[str, Any]:
    said = row.decision
    return {
        "id": row.id,
        "act_id": row.act_id,
        "verb": said.verb.value,
        "who": said.who,
        "at": said.at.isoformat(),
        "revision": said.revision,
        "reason": None if said.reason is None else said.reason.value,
        "words": said.words,
        "undone_at": None if row.undone_at is None else row.undone_at.isoformat(),
        "undone_by": row.undone_by or None,
    }


_REFUSED: Final = (
    Answered(
        status=409,
        description="Nothing was written: `kind` says why.",
        schema="Problem",
        media_type="application/problem+json",
    ),
)

OPERATIONS: Final = (
    Operation(
        id="decide",
        path="/decisions",
        method="POST",
        summary="Say one thing of one finding or of many: all of them, or none",
        tag="decisions",
        permission=Permission.DECIDE,
        answer=_decide,
        answered=(
            Answered(status=201, description="What was decided.", schema="Outcome"),
            *_REFUSED,
        ),
        parameters=(REQUEST_ID,),
        body="NewDecision",
        description=(
            "Each finding is named with the revision that was looked at; a newer one refuses. "
            "Nothing leaves the house before `undo_until`."
        ),
    ),
    Operation(
        id="undo",
        path="/decisions/{act_id}/undo",
        method="POST",
        summary="Take back all that was decided at one blow",
        tag="decisions",
        permission=Permission.DECIDE,
        answer=_undo,
        answered=(
            Answered(status=200, description="What was taken back.", schema="Undone"),
            *_REFUSED,
        ),
        parameters=(_ACT_ID, REQUEST_ID),
    ),
    Operation(
        id="listDecisions",
        path="/findings/{finding_id}/decisions",
        summary="What was decided of a finding, the latest first, what was taken back too",
        tag="decisions",
        permission=Permission.SEE,
        answer=_history,
        answered=(Answered(status=200, description="The decisions.", schema="DecisionList"),),
        parameters=(FINDING_ID, COUNT),
    ),
)
