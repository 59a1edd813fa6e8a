"""Muting a rule at a station from the page that shows that it goes wrong there."""

from datetime import timedelta
from typing import Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from qa_daemon.errors import InputError
from qa_daemon.queue.accounts.permissions import Permission
from qa_daemon.records.issue import Ruling, RulingKind
from qa_daemon.store.review import issue_rows
from qa_daemon.web.endpoints import desk, field, require, visitor
from qa_daemon.web.rendering import rendered

#: For how many days a rule can be silenced here; none is for ever.
DAYS: Final = (7, 30, 90)
ISSUES_MAX: Final = 500
REASON_LENGTH_MAX: Final = 1000
_NAME_LENGTH_MAX: Final = 128


def routes() -> list[BaseRoute]:
    """Return the routes of muting."""
    return [
        Route("/trends/mute", _ask, methods=["GET"]),
        Route("/trends/mute", _mute, methods=["POST"]),
    ]


@require(Permission.DECIDE)
def _ask(request: Request) -> Response:
    rule = request.query_params.get("rule", "")[:_NAME_LENGTH_MAX]
    station = request.query_params.get("station", "")[:_NAME_LENGTH_MAX]
    return _form(request, rule, station)


@require(Permission.DECIDE)
def _mute(request: Request) -> Response:
    rule, station = field(request, "rule", _NAME_LENGTH_MAX), field(request, "station")
    reason, days = field(request, "reason", REASON_LENGTH_MAX).strip(), field(request, "days")
    if days not in {str(each) for each in DAYS}:
        raise InputError("days: choose one of those shown")
    if not reason:
        return _form(request, rule, station, is_refused=True)
    now = desk(request).now()
    until = now + timedelta(days=int(days))
    ruling = Ruling(RulingKind.MUTE, reason, visitor(request).name, now, until)
    for issue in issue_rows.issues_at(desk(request).store, rule, station, ISSUES_MAX):
        issue_rows.rule_on(desk(request).store, issue.key, ruling)
    return RedirectResponse("/trends", 303)


def _form(request: Request, rule: str, station: str, *, is_refused: bool = False) -> Response:
    found = issue_rows.issues_at(desk(request).store, rule, station, ISSUES_MAX)
    if not found:
        raise HTTPException(404)
    given = {
        "rule": rule,
        "station": station,
        "issues": len(found),
        "open_findings": sum(issue.open_count for issue in found),
        "protocols": sorted({issue.protocol for issue in found} - {""})[:10],
        "days": DAYS,
        "is_refused": is_refused,
    }
    return rendered(request, "trends/mute.html", given, status=400 if is_refused else 200)
