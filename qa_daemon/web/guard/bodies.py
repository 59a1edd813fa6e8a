"""The body of a request: read whole, within its bound, before any page sees it."""

from typing import Final

from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.formparsers import FormParser, MultiPartException, MultiPartParser
from starlette.requests import Request
from starlette.types import Message, Receive, Scope

from qa_daemon.errors import InputError
from qa_daemon.web.failures import TooLarge

#: A bulk decision names up to some thousand ids.
FORM_FIELDS_MAX: Final = 5_000


class ClientGone(InputError):  # noqa: N818  a state of the connection
    """The connection closed before the body was whole."""


async def body_of(scope: Scope, receive: Receive, bytes_max: int) -> bytes:
    """Read the whole body.

    Raises
    ------
    TooLarge
        If it is, or says that it will be, larger than `bytes_max`.
    ClientGone
        If it never came.
    """
    announced = dict(scope["headers"]).get(b"content-length", b"0")
    if not announced.isdigit() or int(announced) > bytes_max:
        raise TooLarge(f"request: larger than {bytes_max} bytes")
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGone("request: the connection closed before its end")
        body += message.get("body", b"")
        if len(body) > bytes_max:
            raise TooLarge(f"request: larger than {bytes_max} bytes")
        if not message.get("more_body", False):
            return bytes(body)


def replayed(body: bytes, receive: Receive) -> Receive:
    """Return a `receive` that gives the body once more, then what comes after it."""
    given: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def again() -> Message:
        return given.pop() if given else await receive()

    return again


async def form_in(scope: Scope, body: bytes) -> FormData:
    """Return the fields of a form; none if the body is something else.

    Raises
    ------
    InputError
        If it says that it is a form and is not, or has too many fields.
    """
    kind = dict(scope["headers"]).get(b"content-type", b"").partition(b";")[0].strip().lower()
    parsers = {
        b"application/x-www-form-urlencoded": FormParser,
        b"multipart/form-data": MultiPartParser,
    }
    if kind not in parsers:
        return FormData()

    async def nothing() -> Message:
        return {"type": "http.disconnect"}

    request = Request(scope, replayed(body, nothing))
    try:
        return await request.form(max_files=0, max_fields=FORM_FIELDS_MAX)
    # Within an application Starlette answers by itself what the parser refuses.
    except (HTTPException, MultiPartException, ValueError, KeyError) as error:
        raise InputError("request: no form that can be read") from error
