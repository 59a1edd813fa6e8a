"""What was decided, the latest first; what is still open to undo can be undone here."""

from typing import Any, Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from qa_daemon.language.wording import Wording
from qa_daemon.queue.accounts.permissions import Permission
from qa_daemon.queue.deciding import undo
from qa_daemon.queue.deciding.answers import Refused
from qa_daemon.queue.listing.shown import printable
from qa_daemon.store.review import decision_rows
from qa_daemon.web.deciding import decision_desk, new_number, wish_of
from qa_daemon.web.endpoints import desk, field, require, visitor
from qa_daemon.web.pages.inbox.bulk import REASONS, refusal_words
from qa_daemon.web.pages.issues import VERBS
from qa_daemon.web.rendering import rendered, speech_of

#: Decisions on the page; older ones stand at their findings and in the audit.
SHOWN: Final = 100


def routes() -> list[BaseRoute]:
    """Return the page and its one act."""
    return [
        Route("/history", _show, methods=["GET"]),
        Route("/history/{finding_id:int}/undo", _undo, methods=["POST"]),
    ]


@require(Permission.SEE)
def _show(request: Request) -> Response:
    rows = decision_rows.history(desk(request).store, SHOWN)
    values = {
        "decided": [_told(row, request) for row in rows],
        "may_decide": visitor(request).may(Permission.DECIDE),
        "refusal": "",
    }
    return rendered(request, "history.html", values)


def _told(row: decision_rows.DecisionRow, request: Request) -> dict[str, Any]:
    speech, decision = speech_of(request), row.decision
    reason = dict(REASONS).get(decision.reason) if decision.reason is not None else None
    return {
        "finding_id": row.finding_id,
        "sentence": speech.sentence(Wording(row.rule)) or row.rule,
        "rule": row.rule,
        "is_yes": decision.verb.value == "accept",
        "verb": speech.say(VERBS[decision.verb.value]),
        "reason": "" if reason is None else speech.say(reason),
        "words": printable(decision.words, whole=True),
        "who": printable(decision.who),
        "at": speech.moment(decision.at),
        "undone": "" if row.undone_at is None else speech.moment(row.undone_at),
    }


@require(Permission.DECIDE)
def _undo(request: Request) -> Response:
    own, number = decision_desk(request), field(request, "number", 64) or new_number()
    try:
        undo.undo_finding(own, request.path_params["finding_id"], wish_of(request, number))
    except Refused as refused:
        rows = decision_rows.history(own.store, SHOWN)
        values = {
            "decided": [_told(row, request) for row in rows],
            "may_decide": True,
            "refusal": refusal_words(refused.refusal, speech_of(request)),
        }
        return rendered(request, "history.html", values, status=409)
    return RedirectResponse("/history", 303)
