"""Subscriptions, and the connection on which event reports come (PS3.18 8.10, 11.10 to 11.13)."""

import asyncio
import json
import re
from collections.abc import Mapping
from typing import Any, Final

from attrs import define, field
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from qa_daemon.errors import InputError
from qa_daemon.queue.accounts.permissions import Permission
from qa_daemon.queue.workitems import events
from qa_daemon.queue.workitems.events import Listener
from qa_daemon.store.workitems import subscription_rows
from qa_daemon.store.workitems.subscription_rows import ALL
from qa_daemon.web.api.problem import problem
from qa_daemon.web.deciding import decision_desk
from qa_daemon.web.endpoints import desk, require, visitor
from qa_daemon.web.workitems.answers import PREFIX, warning
from qa_daemon.web.workitems.transactions import answers_in_statuses, finding_in

#: Well-known UIDs of the whole worklist and of a filtered one (PS3.4 CC.2.3.1).
WORKLIST: Final = "1.2.840.10008.5.1.4.34.5"
FILTERED: Final = "1.2.840.10008.5.1.4.34.5.1"
#: Connections at once; each asks the database once a second.
CONNECTIONS_MAX: Final = 50
POLL_S: Final = 1.0
#: A connection ends after this; who comes back is asked anew who they are.
CONNECTION_S: Final = 3600.0
#: Codes of RFC 6455 7.4.1: going away, and try again later.
_GOING: Final = 1001
_LATER: Final = 1013
#: An AE title (PS3.5 6.2): without backslash and control characters, not only spaces.
_AE_TITLE: Final = re.compile(r"(?=.*[^ ])[\x20-\x5b\x5d-\x7e]{1,16}")


def routes() -> list[BaseRoute]:
    """Return the routes of subscriptions."""
    one = PREFIX + "/workitems/{workitem}/subscribers/{ae_title}"
    return [
        Route(one, _subscribe, methods=["POST"]),
        Route(one, _unsubscribe, methods=["DELETE"]),
        Route(one + "/suspend", _suspend, methods=["POST"]),
        WebSocketRoute(PREFIX + "/subscribers/{ae_title}", _connect),
    ]


@require(Permission.SEE)
@answers_in_statuses
def _subscribe(request: Request) -> Response:
    if request.path_params["workitem"] == FILTERED:
        words = "Filtered Worklist Subscriptions are not supported."
        return problem(403, words, warning(request, words))
    lock = request.query_params.get("deletionlock", "false")
    if lock not in {"true", "false"}:
        raise InputError("deletionlock: true or false")
    title, store = _ae_title(request.path_params), desk(request).store
    at, user = desk(request).now(), visitor(request).user_id
    if not subscription_rows.subscribe(store, title, _target(request), user, at):
        return problem(403, "This title belongs to another account, or has too many subscriptions.")
    scheme = "wss" if request.url.scheme == "https" else "ws"
    where = f"{scheme}://{request.url.netloc}{PREFIX}/subscribers/{title.replace(' ', '%20')}"
    headers = {"Content-Location": where}
    if lock == "true":
        # Findings go when their series goes, whoever listens; so no lock can be promised.
        headers |= warning(request, "Deletion Lock not granted.")
    return Response(status_code=201, headers=headers)


@require(Permission.SEE)
@answers_in_statuses
def _unsubscribe(request: Request) -> Response:
    title, user = _ae_title(request.path_params), visitor(request).user_id
    store = desk(request).store
    if not subscription_rows.unsubscribe(store, title, _target(request), user):
        return problem(404, "There is no such subscription.")
    return Response(status_code=200)


@require(Permission.SEE)
@answers_in_statuses
def _suspend(request: Request) -> Response:
    if request.path_params["workitem"] != WORKLIST:
        raise InputError("only a subscription to the whole worklist can be suspended")
    title, user = _ae_title(request.path_params), visitor(request).user_id
    if not subscription_rows.suspend(desk(request).store, title, user):
        return problem(404, "There is no such subscription.")
    return Response(status_code=200)


def _target(request: Request) -> int:
    return ALL if request.path_params["workitem"] == WORKLIST else finding_in(request)


def _ae_title(parameters: Mapping[str, Any]) -> str:
    title = str(parameters["ae_title"])
    if _AE_TITLE.fullmatch(title) is None:
        raise InputError("AE title: 1 to 16 printable characters without backslash")
    return title.strip(" ")


@define
class _Open:
    """The connections of this process."""

    sockets: set[WebSocket] = field(factory=set)


_OPEN: Final = _Open()


async def _connect(socket: WebSocket) -> None:
    """Send event reports until the client goes, or it is time to be asked anew."""
    title = str(socket.path_params["ae_title"])
    is_wrong = not visitor(socket).may(Permission.SEE) or _AE_TITLE.fullmatch(title) is None
    if is_wrong or len(_OPEN.sockets) >= CONNECTIONS_MAX:
        await socket.close(_LATER)
        return
    await socket.accept()
    _OPEN.sockets.add(socket)
    leaving = asyncio.ensure_future(_left(socket))
    try:
        listener = await run_in_threadpool(_listener, socket, title.strip(" "))
        loop = asyncio.get_running_loop()
        ends = loop.time() + CONNECTION_S
        while not leaving.done() and loop.time() < ends:
            for report in await run_in_threadpool(listener.reports):
                await socket.send_text(json.dumps(report))
            await asyncio.wait([leaving], timeout=POLL_S)
        if not leaving.done():
            await socket.close(_GOING)
    except WebSocketDisconnect:
        pass
    finally:
        leaving.cancel()
        _OPEN.sockets.discard(socket)


async def _left(socket: WebSocket) -> None:
    """Wait until the client has gone; what it sends means nothing."""
    while (await socket.receive())["type"] != "websocket.disconnect":
        pass


def _listener(socket: WebSocket, title: str) -> Listener:
    who = visitor(socket)
    return events.listener(decision_desk(socket), desk(socket).workitem_key, title, who.user_id)
