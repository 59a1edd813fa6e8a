"""Places that change sets go to, each a process of its own: HTTP, SMTP, and a worklist manager.

Run as `places.py KIND FOLDER`. It prints its port, writes what it gets as numbered JSON files into
the folder, and answers by `FOLDER/answer.json`, which a test may exchange at any time.
"""

import asyncio
import json
import sys
import threading
import time
from email import message_from_bytes, policy
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

KIND, FOLDER = sys.argv[1], Path(sys.argv[2])
_COUNT = threading.Lock()


def answer() -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads((FOLDER / "answer.json").read_text())
    except FileNotFoundError:
        return {}
    return found


def keep(what: dict[str, Any]) -> None:
    with _COUNT:
        number = len(list(FOLDER.glob("got-*.json")))
        draft = FOLDER / "draft"
        draft.write_text(json.dumps({**what, "at": time.time()}))
        draft.rename(FOLDER / f"got-{number:03}.json")


def say(port: int) -> None:
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()


def serve_http() -> None:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers.get("Content-Length", 0))
            body = self.rfile.read(length).decode()
            keep({"path": self.path, "headers": dict(self.headers), "body": body})
            said = answer()
            threading.Event().wait(said.get("wait_s", 0))
            content = said.get("body", "thank you").encode() * said.get("times", 1)
            self.send_response(said.get("status", 200))
            for name, value in said.get("headers", {}).items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    say(server.server_port)
    server.serve_forever()


def serve_smtp() -> None:
    from aiosmtpd.smtp import SMTP  # noqa: PLC0415  only this place needs it

    class Handler:
        async def handle_RCPT(  # noqa: N802  the name that aiosmtpd asks for
            self, _server: object, _session: object, envelope: Any, address: str, _options: object
        ) -> str:
            said = answer().get("rcpt", {}).get(address)
            if said:
                return str(said)
            envelope.rcpt_tos.append(address)
            return "250 OK"

        async def handle_DATA(  # noqa: N802  see above
            self, _server: object, _session: object, envelope: Any
        ) -> str:
            message = message_from_bytes(envelope.content, policy=policy.default)
            body = message.get_body()
            assert body is not None
            keep(
                {
                    "to": envelope.rcpt_tos,
                    "headers": dict(message.items()),
                    "body": body.get_content(),
                }
            )
            return str(answer().get("data", "250 taken"))

    async def run() -> None:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: SMTP(Handler()), "127.0.0.1", 0)
        say(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(run())


def serve_ups() -> None:
    from pydicom.dataset import Dataset  # noqa: PLC0415  only this place needs it
    from pynetdicom import AE, evt  # noqa: PLC0415

    made: set[str] = set()

    def create(event: Any) -> tuple[Dataset, None]:
        uid = str(event.request.AffectedSOPInstanceUID)
        item = event.attribute_list
        keep({"uid": uid, "item": item.to_json_dict()})
        said, status = answer(), Dataset()
        status.Status = 0x0111 if uid in made else said.get("status", 0)
        if said.get("comment"):
            status.ErrorComment = said["comment"]
        if status.Status in {0, 0xB300}:
            made.add(uid)
        return status, None

    entity = AE("MANAGER")
    entity.add_supported_context("1.2.840.10008.5.1.4.34.6.1")
    server: Any = entity.start_server(
        ("127.0.0.1", 0), block=False, evt_handlers=[(evt.EVT_N_CREATE, create)]
    )
    say(server.socket.getsockname()[1])
    threading.Event().wait()


if __name__ == "__main__":
    {"http": serve_http, "smtp": serve_smtp, "ups": serve_ups}[KIND]()
