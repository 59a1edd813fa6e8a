"""The OpenAPI 3.1 document, made of the declared operations, and its own operation."""

from collections.abc import Iterable, Mapping
from importlib.metadata import version
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from qa_daemon.queue.accounts.permissions import LEAST_ROLE, Permission
from qa_daemon.web.api.operations import PREFIX, Answered, Operation, json_answer
from qa_daemon.web.api.parameters import Parameter
from qa_daemon.web.api.problem import MEDIA_TYPE
from qa_daemon.web.api.schemas import SCHEMAS

OPENAPI: Final = "3.1.0"
DOCUMENT: Final = Answered(status=200, description="This document.", schema="OpenApi")
_DESCRIPTION: Final = (
    "Finds wrong DICOM metadata by looking at pixels; people decide. Not a medical device: what it "
    "says is about headers, and no finding is a diagnosis. Programs send `Authorization: Bearer` "
    "with a token of an account; pages of this service use their session with the header "
    "`X-CSRF-Token`."
)
#: What any request may come to.
_FAILURES: Final = {
    400: "A parameter or the body is wrong; `detail` says which and how.",
    401: "Nobody has signed in, or the token is not valid.",
    403: "The account, or its token, may not do this.",
    404: "There is nothing here that this account may see.",
    413: "The body is too large.",
    503: "The database does not answer; nothing was written.",
}


def document(operations: Iterable[Operation]) -> dict[str, Any]:
    """Return the document of these operations."""
    paths: dict[str, dict[str, Any]] = {}
    for operation in operations:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(operation)
    return {
        "openapi": OPENAPI,
        "info": {
            "title": "qa-daemon",
            "version": version("qa-daemon"),
            "description": _DESCRIPTION,
        },
        "servers": [{"url": PREFIX}],
        "security": [{"token": []}, {"session": []}],
        "paths": paths,
        "components": {
            "schemas": {**SCHEMAS, "OpenApi": {"type": "object"}},
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer"},
                "session": {"type": "apiKey", "in": "cookie", "name": "qa_session"},
            },
        },
    }


def operation_of(operations: Iterable[Operation]) -> Operation:
    """Return the operation that gives the document of `operations` and of itself."""
    told = list(operations)

    def show(_request: Request, _given: Mapping[str, Any]) -> Response:
        return json_answer(document([*told, own]))

    own = Operation(
        id="getOpenApi",
        path="/openapi.json",
        summary="This document",
        tag="about",
        permission=Permission.SEE,
        answer=show,
        answered=(DOCUMENT,),
    )
    return own


def _operation(operation: Operation) -> dict[str, Any]:
    least = LEAST_ROLE[operation.permission].value
    told: dict[str, Any] = {
        "operationId": operation.id,
        "summary": operation.summary,
        "tags": [operation.tag],
        "description": f"{operation.description} Needs the role {least} or more.".strip(),
        "parameters": [_parameter(each) for each in operation.parameters],
        "responses": _responses(operation),
    }
    if operation.body:
        schema = {"$ref": f"#/components/schemas/{operation.body}"}
        told["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": schema}},
        }
    return told


def _parameter(parameter: Parameter) -> dict[str, Any]:
    schema = dict(parameter.schema)
    if parameter.default is not None:
        schema["default"] = parameter.default
    return {
        "name": parameter.name,
        "in": parameter.place,
        "description": parameter.description,
        "required": parameter.required,
        "schema": schema,
    }


def _responses(operation: Operation) -> dict[str, Any]:
    failures = {str(status): _failure(words) for status, words in _FAILURES.items()}
    own: dict[str, dict[str, Any]] = {}
    for answered in operation.answered:
        told = own.setdefault(str(answered.status), {"description": answered.description})
        if answered.media_type:
            told.setdefault("content", {})[answered.media_type] = _content(answered)
    return failures | own


def _content(answered: Answered) -> dict[str, Any]:
    if not answered.schema:
        return {}
    return {"schema": {"$ref": f"#/components/schemas/{answered.schema}"}}


def _failure(words: str) -> dict[str, Any]:
    schema = {"$ref": "#/components/schemas/Problem"}
    return {"description": words, "content": {MEDIA_TYPE: {"schema": schema}}}
