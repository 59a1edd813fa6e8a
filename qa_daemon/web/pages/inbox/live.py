"""Events of the list: how many have come since, and the counts. Never a value of a patient."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Final

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from qa_daemon.queue.accounts.permissions import Permission
from qa_daemon.store.listing import facet_rows
from qa_daemon.web.endpoints import desk, require
from qa_daemon.web.pages.inbox.views import counts_of
from qa_daemon.web.rendering import speech_of

#: How often the store is asked whether anything changed: two reads of an index.
POLL_S: Final = 2.0
#: A line that says nothing keeps proxies from cutting the connection.
QUIET_S: Final = 15.0
#: After so long the browser is to come again, so that a session that ended ends this, too.
CONNECTION_S: Final = 300.0
#: Row numbers have no more digits.
NUMBER_LENGTH_MAX: Final = 18


def routes() -> list[BaseRoute]:
    """Return the stream."""
    return [Route("/inbox/events", _events, methods=["GET"])]


@require(Permission.SEE)
async def _events(request: Request) -> Response:
    since = request.query_params.get("since", "")[:NUMBER_LENGTH_MAX]
    last_id = request.headers.get("last-event-id", "")
    heard = _heard(request, int(since) if since.isdecimal() else 0, last_id)
    return StreamingResponse(heard, media_type="text/event-stream")


async def _heard(request: Request, since: int, last_id: str) -> AsyncIterator[str]:
    yield f"retry: {int(POLL_S * 1000)}\n\n"
    said_id, quiet_s, lasted_s = last_id, 0.0, 0.0
    while lasted_s < CONNECTION_S and not await request.is_disconnected():
        stamp = str(await run_in_threadpool(desk(request).counting.stamp))
        if stamp != said_id:
            said = await run_in_threadpool(_said, request, since)
            yield f"id: {stamp}\nevent: queue\ndata: {said}\n\n"
            said_id, quiet_s = stamp, 0.0
        elif quiet_s >= QUIET_S:
            yield ": still here\n\n"
            quiet_s = 0.0
        await asyncio.sleep(POLL_S)
        quiet_s += POLL_S
        lasted_s += POLL_S


def _said(request: Request, since: int) -> str:
    arrived = facet_rows.arrived(desk(request).store, since)
    speech = speech_of(request)
    views = {key: speech.number(count) for key, count in counts_of(request).items()}
    return json.dumps({"new": arrived, "views": views})
