"""Issues: findings of one fingerprint, and what people say of them."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from qa_daemon.errors import InputError
from qa_daemon.habits.trend import BEFORE, RECENT, state_of
from qa_daemon.queue.accounts.permissions import Permission
from qa_daemon.records.issue import Issue, Ruling, RulingKind
from qa_daemon.store.review import issue_rows
from qa_daemon.store.review.issue_rows import Spans
from qa_daemon.web.api.bodies import Member, members
from qa_daemon.web.api.operations import Answered, Operation, json_answer
from qa_daemon.web.api.parameters import LIMIT_MAX, TIME, Parameter, number, text
from qa_daemon.web.endpoints import desk, visitor

#: A mute must end: what is silent for ever is forgotten.
MUTED_MAX: Final = timedelta(days=366)
REASON_LENGTH_MAX: Final = 1000
_KEY: Final = Parameter(
    name="issue_key",
    schema=text("^[0-9a-f]{24}$", 24),
    description="Key of the issue.",
    place="path",
    required=True,
)
_COUNT: Final = Parameter(
    name="limit",
    schema=number(1, LIMIT_MAX),
    description="At most so many, the worst first.",
    default=LIMIT_MAX,
)


def _list(request: Request, given: Mapping[str, Any]) -> Response:
    now = desk(request).now()
    found = issue_rows.issue_list(desk(request).store, Spans(now=now, recent=RECENT, before=BEFORE),
                                  given["limit"])  # fmt: skip
    return json_answer({"items": [_as_json(issue, now) for issue in found]})


def _rule(request: Request, given: Mapping[str, Any]) -> Response:
    now = desk(request).now()
    said = members(
        given["body"],
        Member("kind", str, required=True),
        Member("reason", str, required=True),
        Member("until", str),
    )
    kinds = [kind.value for kind in RulingKind]
    if said["kind"] not in kinds:
        raise InputError(f"kind: use one of {', '.join(kinds)}")
    reason = said["reason"].strip()
    if not 0 < len(reason) <= REASON_LENGTH_MAX:
        raise InputError(f"reason: say why, in at most {REASON_LENGTH_MAX} characters")
    kind = RulingKind(said["kind"])
    until = _until(said["until"], now) if kind is RulingKind.MUTE else None
    ruling = Ruling(kind, reason, visitor(request).name, now, until)
    if not issue_rows.rule_on(desk(request).store, given["issue_key"], ruling):
        raise HTTPException(404)
    return json_answer(_ruling(ruling))


def _until(given: str | None, now: datetime) -> datetime:
    until = Parameter(name="until", schema=TIME, description="", required=True).read(given)
    assert isinstance(until, datetime)
    if not now < until <= now + MUTED_MAX:
        raise InputError(f"until: later than now, and within {MUTED_MAX.days} days")
    return until


def _as_json(issue: Issue, now: datetime) -> dict[str, Any]:
    practice, seen = issue.fingerprint.practice, issue.sightings
    return {
        "key": issue.key,
        "rule": issue.fingerprint.rule,
        "change": issue.fingerprint.change,
        "modality": practice.modality,
        "station": practice.station,
        "protocol": practice.protocol,
        "severity": issue.severity.word,
        "state": state_of(seen, issue.ruling, now).value,
        "findings": seen.count,
        "recent": seen.recent_count,
        "first_at": seen.first_at.isoformat(),
        "last_at": seen.last_at.isoformat(),
        "ruling": None if issue.ruling is None else _ruling(issue.ruling),
    }


def _ruling(ruling: Ruling) -> dict[str, Any]:
    return {
        "kind": ruling.kind.value,
        "reason": ruling.reason,
        "who": ruling.who,
        "at": ruling.at.isoformat(),
        "until": None if ruling.until is None else ruling.until.isoformat(),
    }


OPERATIONS: Final = (
    Operation(
        id="listIssues",
        path="/issues",
        summary="What recurs, the worst first",
        tag="issues",
        permission=Permission.SEE,
        answer=_list,
        answered=(Answered(status=200, description="The issues.", schema="IssueList"),),
        parameters=(_COUNT,),
    ),
    Operation(
        id="ruleOnIssue",
        path="/issues/{issue_key}/ruling",
        method="PUT",
        summary="Mute an issue until a time, or say that its cause is mended",
        tag="issues",
        permission=Permission.DECIDE,
        answer=_rule,
        answered=(Answered(status=200, description="What is in force now.", schema="Ruling"),),
        parameters=(_KEY,),
        body="NewRuling",
    ),
)
