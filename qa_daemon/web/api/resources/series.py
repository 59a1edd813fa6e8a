"""Series: where each stands, and where to look at it."""

from collections.abc import Mapping
from typing import Any, Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from qa_daemon.queue.accounts.permissions import Permission
from qa_daemon.queue.viewer import Subject, viewer_link
from qa_daemon.records.states import SeriesState
from qa_daemon.store import series_rows
from qa_daemon.store.series_rows import SeriesFilter, SeriesRow
from qa_daemon.web.api.operations import Answered, Operation, json_answer
from qa_daemon.web.api.parameters import COUNT, TIME, Parameter, choice, text
from qa_daemon.web.api.resources.findings import SERIES_KEY
from qa_daemon.web.endpoints import desk

_FILTERS: Final = (
    Parameter(name="state", schema=choice(*SeriesState), description="Where it stands."),
    Parameter(name="study_instance_uid", schema=text(length_max=64), description="Of the study."),
    Parameter(name="modality", schema=text(length_max=16), description="Such as CT."),
    Parameter(name="calling_ae", schema=text(length_max=16), description="Title of the sender."),
    Parameter(name="since", schema=TIME, description="Last object received since then."),
)
_KEY: Final = Parameter(
    name="series_key",
    schema=SERIES_KEY,
    description="Key of the series.",
    place="path",
    required=True,
)


def _list(request: Request, given: Mapping[str, Any]) -> Response:
    wanted = SeriesFilter(
        states=() if given["state"] is None else (SeriesState(given["state"]),),
        study_instance_uid=given["study_instance_uid"],
        modality=given["modality"],
        calling_ae=given["calling_ae"],
        received_since=given["since"],
    )
    rows = series_rows.series_list(desk(request).store, wanted, given["limit"])
    return json_answer({"items": [_as_json(request, row) for row in rows]})


def _show(request: Request, given: Mapping[str, Any]) -> Response:
    row = series_rows.series_row(desk(request).store, given["series_key"])
    if row is None:
        raise HTTPException(404)
    return json_answer(_as_json(request, row))


def _as_json(request: Request, row: SeriesRow) -> dict[str, Any]:
    subject = Subject(row.study_instance_uid, row.series_instance_uid)
    return {
        "key": row.series_key,
        "study_instance_uid": row.study_instance_uid,
        "series_instance_uid": row.series_instance_uid,
        "modality": row.modality,
        "calling_ae": row.calling_ae,
        "state": row.state.value,
        "state_since": row.state_since.isoformat(),
        "revision": row.revision,
        "instances": row.instance_count,
        "first_received_at": row.first_received_at.isoformat(),
        "last_received_at": row.last_received_at.isoformat(),
        "viewer": viewer_link(desk(request).settings.viewer, subject) or None,
    }


OPERATIONS: Final = (
    Operation(
        id="listSeries",
        path="/series",
        summary="Series, the latest arrival first",
        tag="series",
        permission=Permission.SEE,
        answer=_list,
        answered=(Answered(status=200, description="The series.", schema="SeriesList"),),
        parameters=(*_FILTERS, COUNT),
    ),
    Operation(
        id="getSeries",
        path="/series/{series_key}",
        summary="One series",
        tag="series",
        permission=Permission.SEE,
        answer=_show,
        answered=(Answered(status=200, description="The series.", schema="Series"),),
        parameters=(_KEY,),
    ),
)
