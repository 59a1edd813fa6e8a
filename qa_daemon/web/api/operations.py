"""Operations: declared once, they make their route and their entry of the OpenAPI document."""

import inspect
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from attrs import field, frozen
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from qa_daemon.errors import InputError
from qa_daemon.queue.accounts.permissions import Permission
from qa_daemon.web.api.parameters import Parameter
from qa_daemon.web.endpoints import body, require

PREFIX: Final = "/api/v1"
JSON: Final = "application/json"
DICOM_JSON: Final = "application/dicom+json"


@frozen(kw_only=True)
class Answered:
    """One status that an operation answers with.

    Attributes
    ----------
    schema
        Name of a schema of `schemas`; "" where there is no JSON.
    """

    status: int
    description: str
    schema: str = ""
    media_type: str = JSON


@frozen(kw_only=True)
class Operation:
    """One thing that can be asked.

    Attributes
    ----------
    answer
        Gets the request and the values of the parameters, by name; for those with a `body` the
        read JSON under `body`. May be `async`.
    body
        Name of the schema of the request body; "" = it has none.
    """

    id: str
    path: str
    summary: str
    tag: str
    permission: Permission
    answer: Callable[[Request, Mapping[str, Any]], Any]
    answered: Sequence[Answered]
    method: str = "GET"
    description: str = ""
    parameters: Sequence[Parameter] = ()
    body: str = field(default="")

    @property
    def route(self) -> BaseRoute:
        """How it is reached."""
        return Route(PREFIX + self.path, _endpoint(self), methods=[self.method], name=self.id)


def routes_of(operations: Iterable[Operation]) -> list[BaseRoute]:
    """Return the routes of operations."""
    return [operation.route for operation in operations]


def json_answer(
    told: Any,
    status: int = 200,
    *,
    media_type: str = JSON,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Return JSON; ASCII, so that whatever was received can be written."""
    content = json.dumps(told, allow_nan=False).encode("ascii")
    return Response(content, status, dict(headers or {}), media_type)


def read_json(content: bytes) -> Any:
    """Return the JSON of a body.

    Raises
    ------
    InputError
        If it is none.
    """
    try:
        return json.loads(content, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise InputError("request: the body is not JSON") from error


def _no_number(word: str) -> None:
    raise ValueError(f"{word} is no number of JSON")


def _endpoint(operation: Operation) -> Callable[[Request], Any]:
    if inspect.iscoroutinefunction(operation.answer):

        async def ask_later(request: Request) -> Response:
            answer: Response = await operation.answer(request, _values(operation, request))
            return answer

        return require(operation.permission)(_named(ask_later, operation))

    def ask(request: Request) -> Response:
        answer: Response = operation.answer(request, _values(operation, request))
        return answer

    return require(operation.permission)(_named(ask, operation))


def _named(function: Any, operation: Operation) -> Any:
    function.__name__ = operation.id
    return function


def _values(operation: Operation, request: Request) -> dict[str, Any]:
    """Return the values of the parameters.

    Raises
    ------
    InputError
        If one is wrong, unknown, or given twice.
    """
    known = {each.name for each in operation.parameters if each.place == "query"}
    for name in request.query_params:
        if name not in known:
            raise InputError(f"{name[:64]}: no parameter of this request")
        if len(request.query_params.getlist(name)) > 1:
            raise InputError(f"{name}: is given twice")
    values = {each.name: each.read(_given(each, request)) for each in operation.parameters}
    if operation.body:
        values["body"] = read_json(body(request))
    return values


def _given(parameter: Parameter, request: Request) -> str | None:
    if parameter.place == "path":
        return str(request.path_params[parameter.name])
    if parameter.place == "header":
        return request.headers.get(parameter.name)
    return request.query_params.get(parameter.name)
