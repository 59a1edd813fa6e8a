"""Search, retrieve, claim, update, complete, cancel (PS3.18 11.5 to 11.9)."""

from collections.abc import Callable
from functools import wraps
from typing import Any, Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from qa_daemon.errors import InputError
from qa_daemon.queue.accounts.permissions import Permission
from qa_daemon.queue.withheld import without_patient
from qa_daemon.queue.workitems import contents, search, service
from qa_daemon.queue.workitems.identity import finding_of, uid_of
from qa_daemon.queue.workitems.service import Performer, Standing
from qa_daemon.queue.workitems.states import WORDS, Status, StepRefused, StepState
from qa_daemon.records.element import first_text
from qa_daemon.report.as_workitem import Patient, Step, workitem
from qa_daemon.store import instance_rows
from qa_daemon.store.audit.entries import note_view
from qa_daemon.store.result_rows import finding_row
from qa_daemon.store.workitems import list_rows
from qa_daemon.web.api.parameters import Parameter, number
from qa_daemon.web.deciding import decision_desk
from qa_daemon.web.endpoints import body, desk, require, visitor
from qa_daemon.web.workitems.answers import (
    PREFIX,
    check_acceptable,
    data_set_in,
    data_sets,
    failed,
    warning,
)

#: Work items of one answer: each is a data set with its changes.
RESULTS_MAX: Final = 100
_LIMIT: Final = Parameter(
    name="limit", schema=number(0, 1_000_000_000), description="", default=RESULTS_MAX
)
_OFFSET: Final = Parameter(
    name="offset", schema=number(0, 1_000_000_000), description="", default=0
)
_TRANSACTION: Final = ("transaction-uid", "transaction", "transactionUID")


def routes() -> list[BaseRoute]:
    """Return the routes of work items."""
    one = PREFIX + "/workitems/{workitem}"
    return [
        Route(PREFIX + "/workitems", _search, methods=["GET"]),
        Route(one, _retrieve, methods=["GET"]),
        Route(one, _update, methods=["POST"]),
        Route(one + "/state", _change_state, methods=["PUT"]),
        Route(one + "/cancelrequest", _ask_to_cancel, methods=["POST"]),
    ]


def answers_in_statuses(
    endpoint: Callable[[Request], Response],
) -> Callable[[Request], Response]:
    """Turn the standard's failure statuses to HTTP."""

    @wraps(endpoint)
    def answer(request: Request) -> Response:
        try:
            return endpoint(request)
        except StepRefused as refused:
            return failed(request, refused)

    return answer


@require(Permission.SEE)
@answers_in_statuses
def _search(request: Request) -> Response:
    check_acceptable(request)
    given = request.query_params.multi_items()
    if request.query_params.get("fuzzymatching", "false") not in {"true", "false"}:
        raise InputError("fuzzymatching: true or false")
    wanted, has_unmatched = search.filter_of(given, desk(request).workitem_key)
    limit = min(_LIMIT.read(request.query_params.get("limit")), RESULTS_MAX)
    offset = _OFFSET.read(request.query_params.get("offset"))
    page = list_rows.worklist(desk(request).store, wanted, offset, limit)
    if not page.finding_ids:
        return Response(status_code=204)
    found = [_data_set(request, finding_id) for finding_id in page.finding_ids]
    told: list[str] = []
    if has_unmatched:
        told.append("Requested optional Attributes are not supported.")
    if request.query_params.get("fuzzymatching") == "true":
        told.append(
            "The fuzzymatching parameter is not supported. Only literal matching has been "
            "performed."
        )
    if page.remaining:
        told.append(f"There are {page.remaining} additional results that can be requested")
    headers = warning(request, " ".join(told)) if told else {}
    return data_sets(found, 206 if page.remaining else 200, headers)


@require(Permission.SEE)
@answers_in_statuses
def _retrieve(request: Request) -> Response:
    check_acceptable(request)
    finding_id = finding_in(request)
    found = _data_set(request, finding_id)
    _note_view(request, finding_id)
    return data_sets([found])


@require(Permission.DECIDE)
@answers_in_statuses
def _update(request: Request) -> Response:
    given = data_set_in(request)
    left_out = service.write(
        decision_desk(request), finding_in(request), given, _transaction(request, given),
        performer(request),
    )  # fmt: skip
    words = "Requested optional Attributes are not supported."
    return _done(request, words if left_out else "")


@require(Permission.DECIDE)
@answers_in_statuses
def _change_state(request: Request) -> Response:
    given = data_set_in(request)
    try:
        to = StepState(contents.text(given, "ProcedureStepState"))
    except ValueError as error:
        known = ", ".join(StepState)
        raise InputError(f"Procedure Step State (0074,1000): use one of {known}") from error
    transaction = contents.text(given, "TransactionUID")
    status = service.change(
        decision_desk(request), finding_in(request), to, transaction, performer(request)
    )
    return _done(request, "" if status is Status.SUCCESS else WORDS[status])


@require(Permission.DECIDE)
@answers_in_statuses
def _ask_to_cancel(request: Request) -> Response:
    given = data_set_in(request) if body(request) else {}
    status = service.ask_to_cancel(
        decision_desk(request), finding_in(request), given, performer(request)
    )
    headers = {} if status is Status.SUCCESS else warning(request, WORDS[status])
    return Response(status_code=202, headers=headers)


def finding_in(request: Request) -> int:
    """Return the finding that the path names; raises HTTPException with 404."""
    found = finding_of(request.path_params["workitem"], desk(request).workitem_key)
    if found is None:
        raise HTTPException(404)
    return found


def performer(request: Request) -> Performer:
    """Return who works on a step."""
    who = visitor(request)
    return Performer(
        who=who.name,
        user_id=who.user_id,
        may_approve=who.may(Permission.APPROVE),
        address=who.address,
        at=desk(request).now(),
    )


def _transaction(request: Request, given: Any) -> str:
    """Return the Transaction UID: of the query, bare or named, else of the data set."""
    for name in _TRANSACTION:
        if found := request.query_params.get(name, ""):
            return str(found)
    bare = request.url.query
    return bare if contents.is_uid(bare) else contents.text(given, "TransactionUID")


def _done(request: Request, words: str) -> Response:
    where = f"{PREFIX}/workitems/{request.path_params['workitem']}"
    headers = {"Content-Location": where}
    return data_sets([], headers=headers | (warning(request, words) if words else {}))


def _data_set(request: Request, finding_id: int) -> dict[str, Any]:
    now = service.standing(decision_desk(request), finding_id)
    may_see = visitor(request).sees_patients
    patient, accession = _patient(request, now) if may_see else (Patient(), "")
    row = now.row
    return workitem(
        Step(
            uid=uid_of(finding_id, desk(request).workitem_key),
            state=now.state.value,
            finding=row.finding if may_see else without_patient(row.finding),
            revision=row.revision,
            made_at=row.created_at,
            changed_at=row.created_at if now.step is None else now.step.changed_at,
            study_instance_uid=row.study_instance_uid,
            series_instance_uid=row.series_instance_uid,
            accession_number=accession,
            patient=patient,
            performed=service.read(now.step.performed if now.step else ""),
            progress=service.read(now.step.progress if now.step else ""),
        )
    )


def _note_view(request: Request, finding_id: int) -> None:
    """Keep in the audit that somebody was shown a patient."""
    row = finding_row(desk(request).store, finding_id)
    if row is not None and row.series_key and visitor(request).sees_patients:
        operator = visitor(request).operator(desk(request).now())
        note_view(desk(request).store, operator, row.series_key)


def _patient(request: Request, now: Standing) -> tuple[Patient, str]:
    """Return who it is and the accession number, as the first object of the series says."""
    kept = instance_rows.first_instance_of(desk(request).store, now.row.series_key)
    if kept is None:
        return Patient(), ""
    patient = Patient(
        name=first_text(kept.elements, "PatientName"),
        id=first_text(kept.elements, "PatientID"),
        birth_date=first_text(kept.elements, "PatientBirthDate"),
        sex=first_text(kept.elements, "PatientSex"),
    )
    return patient, first_text(kept.elements, "AccessionNumber")
