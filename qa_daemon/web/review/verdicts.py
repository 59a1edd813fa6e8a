"""POST of verdicts, undo and presence. Each carries the revision that the person saw."""

from datetime import timedelta
from typing import Any, Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from qa_daemon.errors import InputError
from qa_daemon.queue.accounts.permissions import Permission
from qa_daemon.queue.deciding import answer, presence, select, undo
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
from qa_daemon.queue.deciding.desk import Desk
from qa_daemon.records.decision import RejectReason, Standing, Verb
from qa_daemon.store.audit.entries import note_view
from qa_daemon.store.result_rows import finding_row
from qa_daemon.store.review import context_rows
from qa_daemon.web.deciding import decision_desk, new_number, wish_of
from qa_daemon.web.endpoints import desk, field, form, require, visitor, wants_json
from qa_daemon.web.failures import NOT_FOUND
from qa_daemon.web.rendering import speech_of

#: "Later" without a day: tomorrow's shift.
LATER: Final = timedelta(hours=12)
EDITS_MAX: Final = 100
VALUE_LENGTH_MAX: Final = 10_240
NUMBER_DIGITS_MAX: Final = 18
STATUS: Final = {
    RefusalKind.UNKNOWN: 404,
    RefusalKind.UNFIT: 422,
    RefusalKind.SAME_PERSON: 403,
    RefusalKind.NEEDS_APPROVER: 403,
}
DONE_WORDS: Final = {
    Verb.ACCEPT: "Accepted.",
    Verb.REJECT: "Rejected.",
    Verb.DEFER: "Put off.",
    Verb.ASK: "Asked.",
    Verb.REVERSE: "The reverse is proposed.",
}


def routes() -> list[BaseRoute]:
    """Return what a person can do on a review page."""
    return [
        Route("/finding/{number}/verdict", _verdict, methods=["POST"]),
        Route("/finding/{number}/reverse", _reverse, methods=["POST"]),
        Route("/finding/{number}/here", _here, methods=["POST"]),
        Route("/verdict/undo", _undo, methods=["POST"]),
    ]


def finding_number(request: Request) -> int:
    """Return the number of the path; 404 where it can be none."""
    text = request.path_params["number"]
    if not (text.isascii() and text.isdigit() and len(text) <= NUMBER_DIGITS_MAX):
        raise HTTPException(404, NOT_FOUND)
    return int(text)


@require(Permission.DECIDE)
def _verdict(request: Request) -> Response:
    deciding = decision_desk(request)
    seen = Seen.read(field(request, "seen"))
    try:
        chosen = _chosen(deciding, request, seen)
        outcome = answer.decide(deciding, chosen, _answer(request), _wish(request))
    except Refused as refused:
        return _refusal(request, refused)
    return _done(request, seen, outcome)


@require(Permission.DECIDE)
def _reverse(request: Request) -> Response:
    seen = Seen.read(field(request, "seen"))
    try:
        outcome = undo.reverse(decision_desk(request), seen, _wish(request))
    except Refused as refused:
        return _refusal(request, refused)
    return _done(request, seen, outcome)


@require(Permission.DECIDE)
def _undo(request: Request) -> Response:
    act = field(request, "act")
    try:
        if act.isascii() and act.isdigit():
            undone = undo.undo(decision_desk(request), int(act[:18]), _wish(request))
        else:
            undone = undo.undo_last(decision_desk(request), _wish(request))
    except Refused as refused:
        return _refusal(request, refused)
    spoken = speech_of(request)
    first = undone.finding_ids[0] if undone.finding_ids else None
    words = spoken.count("Undone.", "Undone: {count} findings.", len(undone.finding_ids))
    return _told(request, {"words": words, "next": f"/finding/{first}" if first else "/"})


@require(Permission.SEE)
def _here(request: Request) -> Response:
    """Note that somebody has this finding before them; say who else has."""
    number = finding_number(request)
    person, now = visitor(request), desk(request).now()
    if field(request, "gone"):
        presence.gone(decision_desk(request), number, person.name)
        return JSONResponse({"others": []})
    if field(request, "opened"):  # it was fetched ahead, and is before the person's eyes now
        row = finding_row(desk(request).store, number)
        if row is not None and row.series_key:
            note_view(desk(request).store, person.operator(now), row.series_key)
    others = presence.here(decision_desk(request), number, person.name, now)
    return JSONResponse({"others": [each.who for each in others]})


def _wish(request: Request) -> Wish:
    return wish_of(request, field(request, "request", 64) or new_number())


def _chosen(deciding: Desk, request: Request, seen: Seen) -> tuple[Seen, ...]:
    """Return what the verdict is for: this finding, or all of its series or study."""
    scope = field(request, "scope")
    if scope == "series":
        return select.of_series(deciding, seen.finding_id).seen
    if scope == "study":
        return select.of_study(deciding, seen.finding_id).seen
    return (seen,)


def _answer(request: Request) -> Answer:
    verb, words = field(request, "verb"), field(request, "words", 1024)
    if verb == "accept":
        return Accept(_rank(field(request, "rank")), words)
    if verb == "class":
        return AcceptClass(field(request, "label", 1), None, words)
    if verb == "edit":
        return AcceptEdited(_edits(request), _rank(field(request, "rank")), words)
    if verb == "reject":
        try:
            return Reject(RejectReason(field(request, "reason")), words)
        except ValueError as error:
            raise InputError("a rejection names its reason") from error
    if verb == "defer":
        return Defer(desk(request).now() + LATER, words)
    if verb == "ask":
        return Ask(field(request, "of", 128), words)
    raise InputError("a verdict is accept, class, edit, reject, defer or ask")


def _rank(text: str) -> int:
    return int(text) if text in {"0", "1", "2", "3"} else 0


def _edits(request: Request) -> tuple[Edit, ...]:
    r"""Return the values that a person wrote: fields `value:PATH`, components parted by \."""
    fields = [
        (name.removeprefix("value:"), value)
        for name, value in form(request).multi_items()
        if name.startswith("value:") and isinstance(value, str)
    ]
    if len(fields) > EDITS_MAX:
        raise InputError(f"more than {EDITS_MAX} values at once")
    return tuple(Edit(path, tuple(value[:VALUE_LENGTH_MAX].split("\\"))) for path, value in fields)


def _done(request: Request, seen: Seen, outcome: Outcome) -> Response:
    """Return the next finding, and what was done with the time until which it can be undone."""
    place = desk(request)
    spoken = speech_of(request)
    around = context_rows.neighbours(place.store, seen.finding_id, place.now(), after_max=1)
    following = field(request, "next", 32)
    goes_on = f"/finding/{around.after[0]}" if around.after else "/"
    if following.isascii() and following.isdigit():
        goes_on = f"/finding/{following}"
    words = spoken.say(DONE_WORDS[outcome.verb])
    if outcome.standing is Standing.AWAITING:
        words = spoken.say("Answered; a second person has to agree.")
    leaves_s = None
    if outcome.undo_until is not None:
        leaves_s = max(0, round((outcome.undo_until - place.now()).total_seconds()))
    told = {"words": words, "act": outcome.act_id, "leaves_s": leaves_s, "next": goes_on}
    if outcome.colleague is not None:
        told["colleague"] = outcome.colleague.in_words
    return _told(request, told)


def _told(request: Request, told: dict[str, Any]) -> Response:
    if wants_json(request):
        return JSONResponse(told)
    return RedirectResponse(told["next"], 303)


def _refusal(request: Request, refused: Refused) -> Response:
    """Return why nothing was written, and where to go on."""
    refusal = refused.refusal
    status = STATUS.get(refusal.kind, 409)
    if not wants_json(request):
        raise HTTPException(status, str(refused))
    spoken = speech_of(request)
    told: dict[str, Any] = {
        "kind": refusal.kind.value,
        "words": _refusal_words(refused, spoken.say),
        "next": "" if refusal.successor is None else f"/finding/{refusal.successor}",
    }
    return JSONResponse(told, status)


def _refusal_words(refused: Refused, say: Any) -> str:
    refusal = refused.refusal
    if refusal.kind is RefusalKind.STALE and refusal.revision is not None:
        return str(say(
            "Revision {n} has come. The verdict was not sent.", n=refusal.revision
        ))  # fmt: skip
    if refusal.kind is RefusalKind.TAKEN and refusal.who:
        return str(say(
            "{who} has just decided this. Nothing of yours was written.", who=refusal.who
        ))  # fmt: skip
    if refusal.kind is RefusalKind.SAME_PERSON:
        return str(say("The second answer has to be another person's."))
    return str(refused)
