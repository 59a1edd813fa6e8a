"""What the standard's statuses are in HTTP, and data sets in and out (PS3.18 8.5, 8.7, 11)."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response

from qa_daemon.errors import InputError
from qa_daemon.queue.workitems.contents import DataSet
from qa_daemon.queue.workitems.states import WORDS, Status, StepRefused
from qa_daemon.web.api.operations import DICOM_JSON, read_json
from qa_daemon.web.api.problem import problem
from qa_daemon.web.endpoints import body

PREFIX: Final = "/dicom-web"
#: What may be sent and asked for; XML and multipart are not served (PS3.18 8.7.3 leaves it open).
MEDIA_TYPES: Final = (DICOM_JSON, "application/json")

#: PS3.18 Tables 11.6.3-1 and 11.7.3-1; what is not here is a conflict.
_HTTP: Final[Mapping[Status, int]] = {
    Status.WRONG_TRANSACTION: 400,
    Status.NOT_BY_ACTION: 400,
    Status.UNKNOWN: 404,
}
_INCONSISTENT: Final = "The submitted request is inconsistent with the state of the UPS Instance."
#: Words of the Warning header where the standard has others than those of the status.
_WARNINGS: Final[Mapping[Status, str]] = {
    Status.WRONG_TRANSACTION: "The Transaction UID is incorrect.",
    Status.COMPLETED: WORDS[Status.COMPLETED],
    Status.NOT_CANCELED: WORDS[Status.NOT_CANCELED],
    Status.NOT_CONTACTABLE: WORDS[Status.NOT_CONTACTABLE],
}


def warning(request: HTTPConnection, words: str) -> dict[str, str]:
    """Return the Warning header of PS3.18: 299, this service, and the standard's words."""
    return {"Warning": f"299 {request.url.scheme}://{request.url.netloc}{PREFIX}: {words}"}


def failed(request: Request, refused: StepRefused) -> Response:
    """Return a failure status with the warning that the standard wants beside it."""
    words = _WARNINGS.get(refused.status, _INCONSISTENT)
    if refused.status is Status.WRONG_TRANSACTION and "missing" in str(refused):
        words = "The Transaction UID is missing."
    status = _HTTP.get(refused.status, 409)
    return problem(status, str(refused), warning(request, words), dimse_status=refused.status.value)


def data_sets(
    found: Sequence[DataSet], status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """Return data sets in the DICOM JSON model."""
    content = json.dumps(list(found), allow_nan=False).encode("ascii")
    return Response(content, status, dict(headers or {}), DICOM_JSON)


def data_set_in(request: Request) -> DataSet:
    """Return the one data set of a request.

    Raises
    ------
    HTTPException
        415, if it is sent as something else.
    InputError
        If it is not one data set of the DICOM JSON model.
    """
    sent = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if sent not in MEDIA_TYPES:
        raise HTTPException(415, f"Send {DICOM_JSON}.")
    given = read_json(body(request))
    if isinstance(given, list) and len(given) == 1:
        given = given[0]
    if not isinstance(given, dict):
        raise InputError("request: has to be one data set of the DICOM JSON model (PS3.18 F.2)")
    return _checked(given)


def check_acceptable(request: Request) -> None:
    """Refuse who wants the answer in another form; raises HTTPException with 406."""
    wanted = request.headers.get("accept", "*/*") or "*/*"
    named = {each.partition(";")[0].strip().lower() for each in wanted.split(",")}
    if not named & {*MEDIA_TYPES, "*/*", "application/*"}:
        raise HTTPException(406, f"Answers come as {DICOM_JSON}.")


def _checked(given: dict[str, Any]) -> DataSet:
    for tag, element in given.items():
        if not isinstance(element, dict):
            raise InputError(f"{tag[:16]}: an element is an object with vr and Value")
    return given
