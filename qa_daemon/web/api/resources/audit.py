"""The audit, for those who administer."""

from collections.abc import Mapping
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from qa_daemon.queue.accounts.permissions import Permission
from qa_daemon.store.feed import page_rows
from qa_daemon.web.api.operations import Answered, Operation, json_answer
from qa_daemon.web.api.parameters import COUNT, CURSOR, cursor_of, numbers_in
from qa_daemon.web.endpoints import desk


def _list(request: Request, given: Mapping[str, Any]) -> Response:
    before = None if given["cursor"] is None else numbers_in(given["cursor"], 1)[0]
    page = page_rows.audit_page(desk(request).store, before, given["limit"])
    told = [
        {
            "id": line.id,
            "at": line.at.isoformat(),
            "who": line.who,
            "action": line.action,
            "subject": line.subject,
            "detail": line.detail,
        }
        for line in page.lines
    ]
    following = cursor_of(page.lines[-1].id) if page.has_more else None
    return json_answer({"items": told, "next": following})


OPERATIONS: Final = (
    Operation(
        id="listAudit",
        path="/audit",
        summary="Who did what, the latest first",
        tag="audit",
        permission=Permission.ADMINISTER,
        answer=_list,
        answered=(Answered(status=200, description="A page.", schema="AuditPage"),),
        parameters=(CURSOR, COUNT),
    ),
)
