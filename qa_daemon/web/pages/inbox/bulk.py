"""Several lines at one blow: a frozen list with an example of each kind, decided, undone as one."""

from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from qa_daemon.language.speech import Speech
from qa_daemon.queue.accounts.permissions import Permission
from qa_daemon.queue.deciding import answer, select, undo
from qa_daemon.queue.deciding.answers import (
    Accept,
    Answer,
    Refusal,
    RefusalKind,
    Refused,
    Reject,
    Selection,
    Wish,
)
from qa_daemon.queue.listing.address import wanted_of
from qa_daemon.queue.listing.shown import line_of
from qa_daemon.records.decision import RejectReason, Verb
from qa_daemon.store.listing import line_rows
from qa_daemon.web.deciding import decision_desk, new_number, wish_of
from qa_daemon.web.endpoints import desk, field, form, require, visitor
from qa_daemon.web.pages.inbox.page import list_of
from qa_daemon.web.pages.inbox.views import asked_of
from qa_daemon.web.pages.issues import mute_dialog
from qa_daemon.web.pages.sight import sight_of
from qa_daemon.web.rendering import rendered, speech_of

#: Lines that one form names; more than a page holds cannot be selected.
LINES_MAX: Final = 100
#: A list of the largest batch, as text.
SELECTION_LENGTH_MAX: Final = 40_000
WORDS_LENGTH_MAX: Final = 500

#: Why nothing was written, for people; the names stand in the catalogue.
REFUSALS: Final = {
    RefusalKind.UNKNOWN: "One of these is not there any more. Nothing was written.",
    RefusalKind.INFO: "One of these is only a note, which nobody need decide. Nothing was written.",
    RefusalKind.STALE: "New images have come to one of these. Nothing was written.",
    RefusalKind.IN_WORK: "One of these is being looked at anew. Try again in a moment.",
    RefusalKind.TAKEN: "{who} was faster with one of these. Nothing of yours was written.",
    RefusalKind.MIXED: "Some of these wait for a second person, some do not. Nothing was written.",
    RefusalKind.TOO_MANY: "These are too many for one blow. Select fewer.",
    RefusalKind.SAME_PERSON: "The second answer must be another person's. Nothing was written.",
    RefusalKind.NEEDS_APPROVER: "The second answer needs the role approver. Nothing was written.",
    RefusalKind.CLOSED: "It has left already. Propose the reverse.",
    RefusalKind.NOTHING: "There is nothing to undo.",
}
#: Keys 1 to 6 of the reasons, in the order of the design.
REASONS: Final = (
    (RejectReason.TAGS_RIGHT, "The tags are right"),
    (RejectReason.OTHER_FAULT, "Another fault than this"),
    (RejectReason.ANATOMY, "Anatomy is really so (situs inversus)"),
    (RejectReason.TEST, "Test or phantom images"),
    (RejectReason.UNTELLABLE, "Cannot be told from these pictures"),
    (RejectReason.OTHER, "Other, with a word"),
)
_DONE: Final = {
    Verb.ACCEPT: ("{count} accepted.", "{count} accepted."),
    Verb.REJECT: ("{count} rejected.", "{count} rejected."),
    Verb.DEFER: ("{count} deferred.", "{count} deferred."),
}


def routes() -> list[BaseRoute]:
    """Return what the list sends."""
    return [
        Route("/inbox/selection", _freeze, methods=["POST"]),
        Route("/inbox/decide", _decide, methods=["POST"]),
        Route("/undo", _undo, methods=["POST"]),
    ]


def refusal_words(refusal: Refusal, speech: Speech) -> str:
    """Return why nothing was written."""
    text = REFUSALS.get(refusal.kind, "Nothing was written.")
    return speech.say(text, who=refusal.who) if "{" in text else speech.say(text)


def _wish(request: Request) -> Wish:
    return wish_of(request, field(request, "number", 64) or new_number())


@require(Permission.DECIDE)
def _freeze(request: Request) -> Response:
    """Show what is selected: frozen, counted, with an example of each kind."""
    chosen = field(request, "answer")
    keys = [str(key)[:64] for key in form(request).getlist("line")][:LINES_MAX]
    if chosen == "mute":
        return mute_dialog(request, keys)
    own, now = desk(request), desk(request).now()
    wanted = wanted_of(field(request, "query"), asked_of(visitor(request)))
    most = own.settings.decisions.batch_max
    ids = line_rows.ids_of(own.store, wanted, keys, now, most + 1)
    try:
        selection = select.freeze(decision_desk(request), ids)
    except Refused as refused:
        return _refused(request, refused)
    sight = sight_of(request)
    examples = []
    for group in selection.groups:
        row = line_rows.listed_finding(own.store, group.example.finding_id)
        if row is not None:
            examples.append((group.count, line_of(row, sight)))
    values: dict[str, Any] = {
        "selection": selection,
        "examples": examples,
        "answer": "reject" if chosen == "reject" else "accept",
        "reasons": REASONS,
        "frozen_at": speech_of(request).time(now),
        "number": new_number(),
        "query": field(request, "query"),
    }
    return rendered(request, "inbox/confirm.html", values)


@require(Permission.DECIDE)
def _decide(request: Request) -> Response:
    seen = Selection.read(field(request, "selection", SELECTION_LENGTH_MAX))
    try:
        done = answer.decide(decision_desk(request), seen, _answer(request), _wish(request))
    except Refused as refused:
        return _refused(request, refused)
    speech = speech_of(request)
    one, many = _DONE[done.verb]
    values = {
        "words": speech.count(one, many, len(done.finding_ids)),
        "undo_until": done.undo_until,
        "act_id": done.act_id,
    }
    return _listed(request, values)


def _answer(request: Request) -> Answer:
    if field(request, "answer") != "reject":
        return Accept()
    words = " ".join(field(request, "words", WORDS_LENGTH_MAX).split())
    reasons = {reason.value: reason for reason, _ in REASONS}
    reason = reasons.get(field(request, "reason"))
    if reason is None or (reason is RejectReason.OTHER and not words):
        refusal = Refusal(kind=RefusalKind.UNFIT)
        raise Refused(refusal, "reject: name one of the six reasons; the last needs a word")
    return Reject(reason, words)


@require(Permission.DECIDE)
def _undo(request: Request) -> Response:
    """Take back one act, or the last that is still open."""
    act_id = field(request, "act")
    own = decision_desk(request)
    try:
        if act_id.isdecimal():
            undone = undo.undo(own, int(act_id[:18]), _wish(request))
        else:
            undone = undo.undo_last(own, _wish(request))
    except Refused as refused:
        return _refused(request, refused)
    count = len(undone.finding_ids)
    words = speech_of(request).count("{count} is open again.", "{count} are open again.", count)
    return _listed(request, {"words": words, "undo_until": None, "act_id": None})


def _listed(request: Request, toast: dict[str, Any]) -> Response:
    """Return the toast, and with it the list where one is shown."""
    if "query" not in form(request):
        return rendered(request, "toast.html", toast)
    return rendered(request, "inbox/parts.html", list_of(request, field(request, "query")) | toast)


def _refused(request: Request, refused: Refused) -> Response:
    words = refusal_words(refused.refusal, speech_of(request))
    return rendered(request, "refused.html", {"words": words}, status=409)
