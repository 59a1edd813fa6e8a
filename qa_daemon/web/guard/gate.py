"""The gate before all pages: host, address, size, session, CSRF, headers of every answer."""

import contextlib
import ipaddress
from typing import Final
from urllib.parse import quote, urlsplit

from anyio import to_thread
from attrs import define, evolve, field
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData, MutableHeaders
from starlette.requests import HTTPConnection, Request
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from qa_daemon.errors import ConfigurationError, InputError, RetryableError
from qa_daemon.queue.accounts import tokens
from qa_daemon.queue.accounts.permissions import Role, Visitor
from qa_daemon.web import cookies
from qa_daemon.web.desk import Desk
from qa_daemon.web.endpoints import address_of, wants_json
from qa_daemon.web.failures import answer_to, bug, failure
from qa_daemon.web.guard import bodies

HEALTH: Final = ("/healthz", "/readyz")
#: All that is shown to who has not signed in: health, signing in, and what draws that page.
OPEN: Final = (*HEALTH, "/sign-in", "/first/", "/enter/", "/static/")
SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
LOOPBACK_NAMES: Final = frozenset({"localhost", "127.0.0.1", "::1"})
#: Threads that ask the store at once; more would only wait for its connections.
THREADS_MAX: Final = 16
#: A page's own polling says so, and does not keep a session alive that nobody uses.
BACKGROUND_HEADER: Final = "x-qa-background"
EVENTS: Final = "/events"
#: What browsers fetch by themselves, which no person did.
LOADED: Final = ("/static/", "/favicon.ico")
#: Close code of a WebSocket that is refused (RFC 6455 7.4.1: policy violation).
REFUSED: Final = 1008

HEADERS: Final = {
    "Content-Security-Policy": "default-src 'self'; object-src 'none'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
#: A year; only where people come by HTTPS.
STRICT_TRANSPORT: Final = "max-age=31536000"


@define
class Gate:
    """Lets requests through, with `visitor`, `form`, `body` and `csrf` in their state."""

    app: ASGIApp
    desk: Desk
    _hosts: frozenset[str] = field(init=False)

    def __attrs_post_init__(self) -> None:
        web = self.desk.settings.web
        hosts = {web.host}
        if web.public_url:
            hosts.add(urlsplit(web.public_url).hostname or "")
        if web.host in LOOPBACK_NAMES:
            hosts |= LOOPBACK_NAMES
        self._hosts = frozenset(host.casefold() for host in hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request (ASGI)."""
        to_thread.current_default_thread_limiter().total_tokens = THREADS_MAX
        if scope["type"] == "websocket":
            await self._listen(scope, receive, send)
        elif scope["type"] == "http":  # lifespan: there is nothing to do
            await self._answer(scope, receive, send)

    async def _listen(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Open a WebSocket to who has signed in, on a page of ours or with a program's token."""
        state = scope.setdefault("state", {})
        state |= {"desk": self.desk, "visitor": None, "form": FormData(), "body": b""}
        asked = HTTPConnection(scope)
        found = None
        if self._stranger(asked) is None:
            with contextlib.suppress(InputError, RetryableError, ConfigurationError):
                found = await run_in_threadpool(self._visitor, asked)
        if found is None or (found.session_key and not _is_of_this_site(asked)):
            await send({"type": "websocket.close", "code": REFUSED})  # before it opens: 403
            return
        state["visitor"] = found
        await self.app(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope["app"] = self.app  # so that the router raises what it cannot answer, as pages do
        state = scope.setdefault("state", {})
        state |= {"desk": self.desk, "visitor": None, "form": FormData(), "body": b""}
        request = Request(scope, receive)
        guarded = _Guarded(send, self.desk.cookies.is_secure)
        try:
            refusal = await self._refusal(request, guarded)
            if refusal is None:
                after = bodies.replayed(state["body"], receive)
                await self.app(scope, after, guarded.send)
            else:
                await refusal(scope, receive, guarded.send)
        except Exception as error:  # noqa: BLE001  the last place where a bug can be told as one
            answer = bug(request, error)
            if not guarded.has_begun:
                await answer(scope, receive, guarded.send)

    async def _refusal(self, request: Request, guarded: "_Guarded") -> Response | None:
        """Return why the request goes no further, or None after its state was filled."""
        if request.url.path in HEALTH:
            return None
        if (refusal := self._stranger(request)) is not None:
            return refusal
        try:
            await self._read(request)
            found = await run_in_threadpool(self._visitor, request)
        except (InputError, RetryableError, ConfigurationError) as error:
            return answer_to(request, error)
        request.scope["state"]["visitor"] = found
        self._bind(request, found, guarded)
        return self._forbidden(request, found)

    def _forbidden(self, request: Request, found: Visitor | None) -> Response | None:
        """Refuse who has not signed in, and what another site has sent in our visitor's name."""
        if found is None and not request.url.path.startswith(OPEN):
            return _to_sign_in(request)
        if request.method not in SAFE_METHODS and not self._is_ours(request, found):
            words = "This page is too old to be sent: nothing was written. Open it again."
            return failure(request, 403, words)
        return None

    def _stranger(self, request: HTTPConnection) -> Response | None:
        """Refuse names that are not ours (DNS rebinding) and addresses that may not connect."""
        try:
            host = urlsplit(f"//{request.headers.get('host', '')}").hostname or ""
        except ValueError:
            host = ""
        if host.casefold() not in self._hosts:
            return failure(request, 400, "This service is not known by that name.")
        allowed = self.desk.settings.web.addresses
        if allowed and not _is_within(address_of(request), allowed):
            return failure(request, 403, "This address may not open these pages.")
        return None

    async def _read(self, request: Request) -> None:
        if request.method in SAFE_METHODS:
            return
        bytes_max = self.desk.settings.web.body_bytes_max
        body = await bodies.body_of(request.scope, request.receive, bytes_max)
        request.scope["state"]["body"] = body
        request.scope["state"]["form"] = await bodies.form_in(request.scope, body)

    def _visitor(self, request: HTTPConnection) -> Visitor | None:
        found = self._found(request)
        return None if found is None else evolve(found, address=address_of(request))

    def _found(self, request: HTTPConnection) -> Visitor | None:
        kind, _, token = request.headers.get("authorization", "").partition(" ")
        if kind.casefold() == "bearer":
            names_from = Role(self.desk.settings.web.names_from)
            return tokens.visitor_of(self.desk.store, token.strip(), names_from, self.desk.now())
        jar = self.desk.cookies
        secret = jar.secret(cookies.SESSION, request.cookies.get(jar.name(cookies.SESSION)))
        if secret is None:
            return None
        path = request.url.path
        polls = BACKGROUND_HEADER in request.headers or path.endswith(EVENTS)
        polls = polls or path.startswith(LOADED)
        return self.desk.sessions.visitor(secret, self.desk.now(), acts=not polls)

    def _bind(self, request: Request, found: Visitor | None, guarded: "_Guarded") -> None:
        """Bind forms to the session, or before there is one to a cookie of this visit."""
        jar, state = self.desk.cookies, request.scope["state"]
        if found is not None:
            bound = found.session_key
        else:
            visit = jar.secret(cookies.VISIT, request.cookies.get(jar.name(cookies.VISIT)))
            if visit is None:
                visit = cookies.new_secret()
                guarded.cookie = jar.header(cookies.VISIT, visit)
            bound = visit
        state["bound_to"] = bound
        state["csrf"] = jar.csrf_token(bound)

    def _is_ours(self, request: Request, found: Visitor | None) -> bool:
        """Whether a request that changes something comes from a page of ours."""
        if found is not None and not found.session_key:
            return True  # a program's token, which no browser sends by itself
        if request.headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}:
            return False
        sent = request.scope["state"]["form"].get(cookies.CSRF_FIELD)
        given = request.headers.get(cookies.CSRF_HEADER) or (sent if isinstance(sent, str) else "")
        return self.desk.cookies.is_csrf_token(request.scope["state"]["bound_to"], given)


@define
class _Guarded:
    """Sends an answer with the headers that every answer has."""

    _send: Send
    _is_secure: bool
    cookie: str = ""
    has_begun: bool = False

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.has_begun = True
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers.setdefault(name, value)
            headers.setdefault("Cache-Control", "no-store")
            if self._is_secure:
                headers["Strict-Transport-Security"] = STRICT_TRANSPORT
            if self.cookie:
                headers.append("Set-Cookie", self.cookie)
        await self._send(message)


def _is_of_this_site(asked: HTTPConnection) -> bool:
    """Whether a browser opens it from a page of ours: other sites' pages send our cookie, too."""
    origin = urlsplit(asked.headers.get("origin", ""))
    return bool(origin.netloc) and origin.netloc == asked.headers.get("host", "")


def _to_sign_in(request: Request) -> Response:
    if wants_json(request) or request.method not in SAFE_METHODS:
        return failure(request, 401, "Sign in first: the session has ended, or there was none.")
    asked = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return RedirectResponse(f"/sign-in?next={quote(asked, safe='')}", 303)


def _is_within(address: str, networks: tuple[str, ...]) -> bool:
    try:
        given = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    return any(given in ipaddress.ip_network(network) for network in networks)
