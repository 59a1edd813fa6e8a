"""An issue: all its findings, what was decided; muted for a time, or called mended."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from qa_daemon.errors import InputError
from qa_daemon.habits.trend import state_of
from qa_daemon.language.wording import Wording
from qa_daemon.queue.accounts.permissions import Permission
from qa_daemon.queue.listing.muting import MuteEnd, MuteWish, ruling_of
from qa_daemon.queue.listing.shown import line_of, printable
from qa_daemon.records.issue import Issue, Ruling, RulingKind
from qa_daemon.store.listing import line_rows
from qa_daemon.store.listing.wanted import State, Wanted
from qa_daemon.store.review import decision_rows, issue_rows
from qa_daemon.web.endpoints import desk, field, form, require, visitor
from qa_daemon.web.pages.sight import sight_of
from qa_daemon.web.rendering import rendered, speech_of

#: Findings of an issue on one page, the newest; the list pages through all of them.
FINDINGS: Final = 100
#: Decisions that the page of an issue shows.
DECISIONS: Final = 40
MUTED_MAX: Final = 500
#: Days that the dialog offers.
DAYS: Final = (7, 30, 90)
MORE: Final = 20
#: Issues that one dialog mutes.
KEYS_MAX: Final = 100
REASON_LENGTH_MAX: Final = 500


def routes() -> list[BaseRoute]:
    """Return the page of an issue, what is said of it, and what is muted."""
    return [
        Route("/issue/{key}", _show, methods=["GET"]),
        Route("/issue/{key}/mute", _ask_mute, methods=["GET"]),
        Route("/issue/{key}/unmute", _unmute, methods=["POST"]),
        Route("/issue/{key}/resolve", _resolve, methods=["POST"]),
        Route("/mute", _mute, methods=["POST"]),
        Route("/muted", _muted, methods=["GET"]),
    ]


def _issue(request: Request) -> Issue:
    own = desk(request)
    found = issue_rows.issue_of(own.store, request.path_params["key"][:64], own.now())
    if found is None:
        raise HTTPException(404)
    return found


@require(Permission.SEE)
def _show(request: Request) -> Response:
    own, now = desk(request), desk(request).now()
    issue, sight, speech = _issue(request), sight_of(request), speech_of(request)
    is_muted = issue.ruling is not None and (issue.ruling.until or now) > now
    state = State.MUTED if is_muted else State.OPEN
    rows = line_rows.findings_of(own.store, issue.key, state, now, FINDINGS)
    decided = decision_rows.history(own.store, DECISIONS, issue_key=issue.key)
    page = line_rows.line_of_issue(own.store, issue.key, now)
    values = {
        "issue": issue,
        "sentence": speech.sentence(rows[0].wording if rows else Wording(issue.fingerprint.rule))
        or issue.message,
        "state": state_of(issue.sightings, issue.ruling, now),
        "bars": page.bars if page is not None else (),
        "is_muted": is_muted,
        "ruling": _told(issue.ruling, request),
        "lines": [line_of(row, sight) for row in rows],
        "decided": [_decided(row, request) for row in decided],
        "may_decide": visitor(request).may(Permission.DECIDE),
        "printable": printable,
    }
    return rendered(request, "issue.html", values)


def _told(ruling: Ruling | None, request: Request) -> dict[str, str] | None:
    if ruling is None:
        return None
    speech = speech_of(request)
    return {
        "kind": ruling.kind.value,
        "who": ruling.who,
        "owner": ruling.owner or ruling.who,
        "reason": printable(ruling.reason, whole=True),
        "at": speech.moment(ruling.at),
        "until": "" if ruling.until is None else speech.day(ruling.until),
        "more": "" if ruling.more is None else speech.number(ruling.more),
        "rises": "yes" if ruling.until_rising else "",
    }


def _decided(row: decision_rows.DecisionRow, request: Request) -> dict[str, Any]:
    speech, decision = speech_of(request), row.decision
    return {
        "finding_id": row.finding_id,
        "is_yes": decision.verb.value == "accept",
        "verb": speech.say(VERBS[decision.verb.value]),
        "who": decision.who,
        "at": speech.moment(decision.at),
        "words": printable(decision.words, whole=True),
        "is_undone": row.undone_at is not None,
    }


VERBS: Final = {
    "accept": "accepted",
    "reject": "rejected",
    "defer": "deferred",
    "ask": "asked",
    "reverse": "reversed",
}


@require(Permission.DECIDE)
def _ask_mute(request: Request) -> Response:
    return mute_dialog(request, [_issue(request).key])


def mute_dialog(request: Request, keys: Sequence[str]) -> Response:
    """Return the dialog that asks for how long, why, and who looks after it."""
    own = desk(request)
    now, speech = own.now(), speech_of(request)
    found = [issue_rows.issue_of(own.store, key, now) for key in keys[:KEYS_MAX]]
    issues = [issue for issue in found if issue is not None]
    hidden = len(line_rows.ids_of(own.store, Wanted(), keys, now, issue_rows.COUNTED_MAX))
    values = {
        "issues": issues,
        "hidden": hidden,
        "days": [(day, speech.day(now + timedelta(days=day))) for day in DAYS],
        "more": MORE,
        "owner": visitor(request).name,
        "printable": printable,
    }
    return rendered(request, "mute.html", values)


@require(Permission.DECIDE)
def _mute(request: Request) -> Response:
    own, speech = desk(request), speech_of(request)
    end, _, count = field(request, "end").partition("-")
    number = int(count[:6]) if count.isdecimal() else 0
    try:
        wish = MuteWish(
            end=MuteEnd(end),
            days=number,
            more=number,
            reason=field(request, "reason"),
            owner=field(request, "owner"),
            who=visitor(request).name,
            at=own.now(),
        )
    except ValueError as error:
        raise InputError("mute: until a day, so many more, or until it rises") from error
    ruling = ruling_of(wish)
    keys = [str(key)[:64] for key in form(request).getlist("key")][:KEYS_MAX]
    muted = [key for key in keys if issue_rows.rule_on(own.store, key, ruling)]
    if not muted:
        raise HTTPException(404)
    words = speech.count("{count} line muted.", "{count} lines muted.", len(muted))
    return rendered(request, "muted_toast.html", {"words": words, "keys": muted})


@require(Permission.DECIDE)
def _unmute(request: Request) -> Response:
    own = desk(request)
    operator = visitor(request).operator(own.now())
    issue_rows.lift_mute(own.store, request.path_params["key"][:64], operator)
    return RedirectResponse(f"/issue/{_issue(request).key}", 303)


@require(Permission.DECIDE)
def _resolve(request: Request) -> Response:
    reason = " ".join(field(request, "reason", REASON_LENGTH_MAX).split())
    if not reason:
        raise InputError("resolve: say what was done about it; nothing was written")
    own = desk(request)
    ruling = Ruling(RulingKind.RESOLVE, reason, visitor(request).name, own.now())
    issue_rows.rule_on(own.store, _issue(request).key, ruling)
    return RedirectResponse(f"/issue/{_issue(request).key}", 303)


@require(Permission.SEE)
def _muted(request: Request) -> Response:
    own, speech = desk(request), speech_of(request)
    now = own.now()
    issues = issue_rows.muted_list(own.store, now, MUTED_MAX)
    shown = [
        (
            issue,
            speech.sentence(Wording(issue.fingerprint.rule)) or issue.message,
            _told(issue.ruling, request),
        )
        for issue in issues
    ]
    values = {
        "shown": shown,
        "count": own.counting.facets(now).muted,
        "may_decide": visitor(request).may(Permission.DECIDE),
        "printable": printable,
    }
    return rendered(request, "muted.html", values)
