"""An OpenID Connect provider: what it offers, a code for an ID token, the token checked."""

import threading
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

import httpx
from attrs import define, field, frozen

from qa_daemon.errors import ConfigurationError, InputError, RetryableError

TIMEOUT_S: Final = 10.0
ANSWER_BYTES_MAX: Final = 1 << 20
#: Signatures by the provider's private key only: with HS256 whoever knows the client secret, and
#: with `none` anybody, could vouch.
ALGORITHMS: Final = (
    "RS256",
    "RS384",
    "RS512",
    "PS256",
    "PS384",
    "PS512",
    "ES256",
    "ES384",
    "ES512",
)
#: Between the clocks of provider and service.
LEEWAY_S: Final = 60.0


@frozen(kw_only=True)
class Flow:
    """One sign-in under way: what only this browser and this service know of it."""

    state: str
    nonce: str
    verifier: str
    challenge: str
    back: str


@define
class Provider:
    """One provider; what it offers is asked for once."""

    issuer: str
    client_id: str
    client_secret: str = field(repr=False)
    scope: str
    _offered: Mapping[str, Any] | None = field(default=None, init=False)
    _keys: Any = field(default=None, init=False)
    _lock: threading.Lock = field(factory=threading.Lock, init=False)

    def authorization_url(self, flow: Flow) -> str:
        """Return where the browser goes (OpenID Connect Core 3.1.2.1, PKCE of RFC 7636)."""
        asked = {
            "response_type": "code",
            "client_id": self.client_id,
            "redirect_uri": flow.back,
            "scope": self.scope,
            "state": flow.state,
            "nonce": flow.nonce,
            "code_challenge": flow.challenge,
            "code_challenge_method": "S256",
        }
        place = str(self._offer()["authorization_endpoint"])
        return f"{place}{'&' if urlsplit(place).query else '?'}{urlencode(asked)}"

    def claims(self, code: str, flow: Flow, now: datetime) -> dict[str, Any]:
        """Exchange the code and return the claims of the ID token, checked (Core 3.1.3.7).

        Raises
        ------
        InputError
            If the provider refuses the code, or the token is not what it should be.
        RetryableError
            If the provider does not answer.
        """
        given = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": flow.back,
            "code_verifier": flow.verifier,
        }
        place = str(self._offer()["token_endpoint"])
        answer = _asked("POST", place, data=given, auth=self._credentials())
        token = answer.get("id_token")
        if not isinstance(token, str):
            raise InputError("identity provider: gave no ID token")
        claims = self._opened(token)
        self._check(claims, flow, now)
        return claims

    def _credentials(self) -> tuple[str, str]:
        return self.client_id, self.client_secret

    def _offer(self) -> Mapping[str, Any]:
        with self._lock:
            if self._offered is None:
                place = f"{self.issuer.rstrip('/')}/.well-known/openid-configuration"
                offered = _asked("GET", place)
                wanted = {"issuer", "authorization_endpoint", "token_endpoint", "jwks_uri"}
                if not wanted <= offered.keys() or offered["issuer"] != self.issuer:
                    raise InputError("identity provider: is not the issuer that is configured")
                self._offered = offered
            return self._offered

    def _opened(self, token: str) -> dict[str, Any]:
        jwt, errors, keys = _library()
        for is_fresh in (False, True):
            try:
                found = jwt.decode(token, self._key_set(keys, is_fresh=is_fresh), ALGORITHMS)
            except (errors.JoseError, ValueError, TypeError) as error:
                # A new key of the provider is fetched once; another failure is one.
                if is_fresh:
                    raise InputError("identity provider: its ID token is not signed") from error
            else:
                return dict(found.claims)
        raise AssertionError

    def _key_set(self, keys: Any, *, is_fresh: bool) -> Any:
        with self._lock:
            held = self._keys
        if held is None or is_fresh:
            held = keys.import_key_set(_asked("GET", str(self._offer()["jwks_uri"])))
            with self._lock:
                self._keys = held
        return held

    def _check(self, claims: Mapping[str, Any], flow: Flow, now: datetime) -> None:
        audience = claims.get("aud")
        audiences = audience if isinstance(audience, list) else [audience]
        own = self.client_id
        expires, issued = claims.get("exp"), claims.get("iat")
        is_timely = (
            isinstance(expires, int | float)
            and isinstance(issued, int | float)
            and now.timestamp() < expires + LEEWAY_S
            and issued < now.timestamp() + LEEWAY_S
        )
        holds = {
            "iss": claims.get("iss") == self.issuer,
            "aud": own in audiences and claims.get("azp", own) == own,
            "exp": is_timely,
            "nonce": claims.get("nonce") == flow.nonce,
        }
        wrong = [name for name, is_right in holds.items() if not is_right]
        if wrong:
            raise InputError(f"identity provider: the ID token is not for this: {wrong[0]}")


def _asked(method: str, place: str, **more: Any) -> dict[str, Any]:
    try:
        with httpx.stream(method, place, timeout=TIMEOUT_S, **more) as answer:
            body = b""
            for part in answer.iter_bytes():
                body += part
                if len(body) > ANSWER_BYTES_MAX:
                    raise InputError("identity provider: answers too much")
    except httpx.HTTPError as error:
        raise RetryableError("identity provider: does not answer; try again") from error
    if answer.status_code >= httpx.codes.INTERNAL_SERVER_ERROR:
        raise RetryableError("identity provider: does not answer; try again")
    try:
        found = httpx.Response(200, content=body).json()
    except ValueError as error:
        raise InputError("identity provider: answers no JSON") from error
    if answer.status_code != httpx.codes.OK or not isinstance(found, dict):
        raise InputError("identity provider: refuses; start the sign-in again")
    return found


def _library() -> tuple[Any, Any, Any]:
    try:
        from joserfc import errors, jwt  # noqa: PLC0415  of the extra `oidc`
        from joserfc.jwk import KeySet  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise ConfigurationError(
            "web.oidc: OpenID Connect needs its library; pip install 'qa-daemon[oidc]'"
        ) from error
    return jwt, errors, KeySet
