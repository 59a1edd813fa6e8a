"""Events: paged by cursor, or as a stream of server-sent events from the same cursor on."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from typing import Any, Final

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from qa_daemon.queue.accounts.permissions import Permission
from qa_daemon.store.database import Store
from qa_daemon.store.feed.event_rows import Event, Position, feed_after, latest
from qa_daemon.web.api.operations import Answered, Operation, json_answer
from qa_daemon.web.api.parameters import (
    COUNT,
    CURSOR,
    LIMIT_MAX,
    Parameter,
    cursor_of,
    numbers_in,
    text,
)
from qa_daemon.web.api.problem import problem
from qa_daemon.web.endpoints import desk

EVENT_STREAM: Final = "text/event-stream"
#: How often a stream looks for news; the database is asked by number, which costs nothing.
POLL_S: Final = 1.0
#: A line of silence, so that proxies keep the connection.
SILENCE_S: Final = 15.0
#: A stream ends after this, and the client comes back with where it was: rights are asked anew.
STREAM_S: Final = 900.0
#: Streams at once; each asks the database once a second.
STREAMS_MAX: Final = 50
_LAST: Final = Parameter(
    name="Last-Event-ID",
    schema=text("^[A-Za-z0-9_-]+$", 64),
    description="Sent by browsers when a stream broke: as `cursor`.",
    place="header",
)

_open: set[object] = set()


async def _events(request: Request, given: Mapping[str, Any]) -> Response:
    store = await run_in_threadpool(lambda: desk(request).store)
    position = await run_in_threadpool(_begin, store, given)
    if EVENT_STREAM in request.headers.get("accept", ""):
        if len(_open) >= STREAMS_MAX:
            return problem(503, f"{STREAMS_MAX} streams are open; try again", {"Retry-After": "30"})
        return StreamingResponse(_stream(request, store, position), media_type=EVENT_STREAM)
    found = await run_in_threadpool(feed_after, store, position, given["limit"])
    following = found[-1].after if found else position
    return json_answer({"items": [_as_json(event) for event in found], "next": _cursor(following)})


def _begin(store: Store, given: Mapping[str, Any]) -> Position:
    cursor = given["cursor"] or given["Last-Event-ID"]
    if cursor is None:
        return Position()
    if cursor == "now":
        return latest(store)
    return Position(*numbers_in(cursor, 2))


async def _stream(request: Request, store: Store, position: Position) -> AsyncIterator[bytes]:
    mark = object()
    _open.add(mark)
    try:
        loop = asyncio.get_running_loop()
        ends = loop.time() + STREAM_S
        spoken = loop.time()
        yield b"retry: 2000\n\n"
        while loop.time() < ends and not await request.is_disconnected():
            found = await run_in_threadpool(feed_after, store, position, LIMIT_MAX)
            for event in found:
                position = event.after
                yield _message(event)
            if found:
                spoken = loop.time()
            elif loop.time() - spoken > SILENCE_S:
                spoken = loop.time()
                yield b": silence\n\n"
            if len(found) < LIMIT_MAX:
                await asyncio.sleep(POLL_S)
    finally:
        _open.discard(mark)


def _message(event: Event) -> bytes:
    told = json.dumps(_as_json(event))
    return f"id: {_cursor(event.after)}\nevent: {event.kind}\ndata: {told}\n\n".encode("ascii")


def _cursor(position: Position) -> str:
    return cursor_of(position.finding_id, position.audit_id)


def _as_json(event: Event) -> dict[str, Any]:
    return {
        "kind": event.kind,
        "at": event.at.isoformat(),
        "finding_id": event.finding_id,
        "issue_key": event.issue_key,
        "who": event.who,
    }


OPERATIONS: Final = (
    Operation(
        id="listEvents",
        path="/events",
        summary="What happened, the earliest first: findings made, what people said of them",
        tag="events",
        permission=Permission.SEE,
        answer=_events,
        answered=(
            Answered(status=200, description="A page.", schema="EventPage"),
            Answered(status=200, description="A stream.", media_type=EVENT_STREAM),
        ),
        parameters=(CURSOR, COUNT, _LAST),
        description=(
            "With `Accept: text/event-stream` a stream that ends after 15 minutes; come back with "
            "its last id. `cursor=now` leaves out what was. Events hold numbers, never a value of "
            "a patient."
        ),
    ),
)
