"""What leaves: queued, sent, refused with the words of the place; what a person can do then."""

from datetime import UTC, datetime
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from qa_daemon.language.speech import Speech
from qa_daemon.language.wording import Wording
from qa_daemon.queue.accounts.permissions import Permission
from qa_daemon.queue.listing.shown import printable
from qa_daemon.records.change_set import ChangeKind, EntryState
from qa_daemon.store.outbox import delivery_rows
from qa_daemon.store.outbox.delivery_rows import EntryRow
from qa_daemon.web.endpoints import desk, require, visitor
from qa_daemon.web.rendering import rendered, speech_of

#: Entries of one page.
SHOWN: Final = 100
#: The words of states, and the icon that says the same.
STATES: Final = {
    EntryState.QUEUED: ("Queued", "clock"),
    EntryState.SENT: ("Sent", "check"),
    EntryState.REFUSED: ("Refused", "warn"),
    EntryState.WITHDRAWN: ("Withdrawn", "back"),
    EntryState.SUPERSEDED: ("Superseded", "back"),
    EntryState.DROPPED: ("Dropped", "close"),
}
_ACTS: Final = {"retry": delivery_rows.retry, "drop": delivery_rows.drop}


def routes() -> list[BaseRoute]:
    """Return the page and its acts."""
    return [
        Route("/outbox", _show, methods=["GET"]),
        Route("/outbox/{entry_id:int}/{act}", _act, methods=["POST"]),
    ]


@require(Permission.SEE)
def _show(request: Request) -> Response:
    return _page(request, "")


@require(Permission.DECIDE)
def _act(request: Request) -> Response:
    act = _ACTS.get(request.path_params["act"])
    if act is None:
        return RedirectResponse("/outbox", 303)
    own = desk(request)
    operator = visitor(request).operator(own.now())
    if act(own.store, request.path_params["entry_id"], operator):
        return RedirectResponse("/outbox", 303)
    said = "It has left, is on its way, or waits for its undo window. Nothing was changed."
    return _page(request, speech_of(request).say(said), status=409)


def _page(request: Request, refusal: str, status: int = 200) -> Response:
    store, speech = desk(request).store, speech_of(request)
    state = _state(request.query_params.get("state", ""))
    before = request.query_params.get("before", "")
    rows = delivery_rows.entry_list(
        store,
        () if state is None else (state,),
        SHOWN,
        before=int(before) if before.isascii() and before.isdigit() and len(before) < 19 else None,
    )
    values = {
        "entries": [_told(row, speech) for row in rows],
        "states": [
            {"name": each.value, "word": speech.say(word), "is_current": each is state}
            for each, (word, _) in STATES.items()
        ],
        "state": "" if state is None else state.value,
        "next": rows[-1].id if len(rows) == SHOWN else None,
        "may_decide": visitor(request).may(Permission.DECIDE),
        "refusal": refusal,
    }
    return rendered(request, "outbox.html", values, status=status)


def _state(text: str) -> EntryState | None:
    return EntryState(text) if text in set(EntryState) else None


def _told(row: EntryRow, speech: Speech) -> dict[str, Any]:
    said = row.change_set
    word, icon = STATES[row.state]
    is_waiting = row.state is EntryState.QUEUED and row.due_at > datetime.now(UTC)
    return {
        "id": row.id,
        "state": row.state.value,
        "word": speech.say(word),
        "icon": icon,
        "place": row.channel,
        "finding_id": said.finding_id,
        "sentence": speech.sentence(Wording(said.rule)) or said.rule,
        "rule": said.rule,
        "is_reverse": said.kind is ChangeKind.REVERSE,
        "changes": len(said.suggestion.changes),
        "answer": printable(row.answer, whole=True),
        "attempts": row.attempts,
        "at": speech.moment(row.due_at if is_waiting else row.changed_at),
        "is_waiting": is_waiting,
        "may_retry": row.state is EntryState.REFUSED or (is_waiting and bool(row.answer)),
        "may_drop": row.state in {EntryState.REFUSED, EntryState.QUEUED},
    }
