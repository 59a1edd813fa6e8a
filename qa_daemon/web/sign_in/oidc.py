"""Signing in at an identity provider: there with a fresh flow, back with a code."""

import base64
import hashlib
import hmac
from functools import lru_cache
from typing import Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from qa_daemon.config.settings import OidcSettings
from qa_daemon.errors import InputError
from qa_daemon.queue.accounts import identity
from qa_daemon.store.audit.entries import Operator
from qa_daemon.web import cookies
from qa_daemon.web.endpoints import address_of, desk, open_to_all
from qa_daemon.web.failures import failure
from qa_daemon.web.sign_in.local import own_path, signed_in
from qa_daemon.web.sign_in.provider import Flow, Provider

BACK: Final = "/sign-in/oidc/back"
#: The cookie that holds one sign-in under way.
FLOW: Final = "qa_flow"


def routes() -> list[BaseRoute]:
    """Return the way there and the way back."""
    return [Route("/sign-in/oidc", _go), Route(BACK, _come_back)]


@open_to_all
def _go(request: Request) -> Response:
    settings = desk(request).settings.web.oidc
    if not settings.issuer:
        return failure(request, 404, "")
    after = own_path(request.query_params.get("next", ""))
    secret = f"{cookies.new_secret()}.{_packed(after.encode())}"
    answer = RedirectResponse(_provider(settings).authorization_url(_flow(request, secret)), 303)
    answer.headers.append("Set-Cookie", desk(request).cookies.header(FLOW, secret))
    return answer


@open_to_all
def _come_back(request: Request) -> Response:
    at, given = desk(request), request.query_params
    settings, jar = at.settings.web.oidc, at.cookies
    secret = jar.secret(FLOW, request.cookies.get(jar.name(FLOW)))
    if not settings.issuer or secret is None:
        raise InputError("sign-in: was not begun in this browser; start again")
    flow = _flow(request, secret)
    if not hmac.compare_digest(flow.state.encode(), given.get("state", "").encode()):
        raise InputError("sign-in: belongs to another one; start again")
    if "code" not in given:
        raise InputError("identity provider: did not let you in")
    claims = _provider(settings).claims(given["code"], flow, at.now())
    by = Operator("", at.now(), address_of(request))
    user = identity.welcome(at.store, identity.vouched(claims, settings), by)
    after = own_path(_unpacked(secret.partition(".")[2]).decode("utf-8", "replace"))
    answer = signed_in(request, user, after)
    answer.headers.append("Set-Cookie", jar.header(FLOW, "", keep=False))
    return answer


def _provider(settings: OidcSettings) -> Provider:
    return _kept(settings.issuer, settings.client_id, settings.client_secret, settings.scope)


@lru_cache(maxsize=4)
def _kept(*named: str) -> Provider:
    return Provider(*named)


def _flow(request: Request, secret: str) -> Flow:
    """Derive all that must not be guessed from the one secret that this browser keeps."""
    verifier = _derived(secret, "verifier")
    challenge = _packed(hashlib.sha256(verifier.encode()).digest())
    here = desk(request).settings.web.public_url or str(request.base_url).rstrip("/")
    return Flow(
        state=_derived(secret, "state"),
        nonce=_derived(secret, "nonce"),
        verifier=verifier,
        challenge=challenge,
        back=here + BACK,
    )


def _derived(secret: str, purpose: str) -> str:
    return _packed(hmac.digest(secret.encode(), purpose.encode(), "sha256"))


def _packed(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode("ascii").rstrip("=")


def _unpacked(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
