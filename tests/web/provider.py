"""A small OpenID Connect provider in a process of its own: it vouches for whoever is named.

    python provider.py      prints its port, then serves until it is ended

Names that begin with `bad-` get an ID token that is wrong in just that way.
"""

import base64
import hashlib
import json
import sys
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey

CLIENT: Final = ("qa", "client secret")
PAGE: Final = (
    "<!doctype html><title>Provider</title><form method=post>"
    "<label>Who <input name=who autofocus></label><button>Go on</button></form>"
)
#: What is wrong with the token of a name.
WRONG: Final[dict[str, Callable[[dict[str, Any]], object]]] = {
    "bad-issuer": lambda claims: claims.update(iss="https://other.example"),
    "bad-audience": lambda claims: claims.update(aud="another client"),
    "bad-nonce": lambda claims: claims.update(nonce="of another sign-in"),
    "bad-time": lambda claims: claims.update(exp=time.time() - 3600),
    "bad-name": lambda claims: claims.update(preferred_username="a\u202eb"),
}


class Provider(BaseHTTPRequestHandler):
    key = RSAKey.generate_key(2048, {"kid": "one", "use": "sig"})
    stranger = RSAKey.generate_key(2048, {"kid": "one", "use": "sig"})
    codes: Final[dict[str, tuple[str, dict[str, str]]]] = {}

    @property
    def issuer(self) -> str:
        assert isinstance(self.server, ThreadingHTTPServer)
        return f"http://127.0.0.1:{self.server.server_port}"

    def do_GET(self) -> None:
        place = urlsplit(self.path)
        if place.path == "/.well-known/openid-configuration":
            self._answer(
                {
                    "issuer": self.issuer,
                    "authorization_endpoint": f"{self.issuer}/authorize",
                    "token_endpoint": f"{self.issuer}/token",
                    "jwks_uri": f"{self.issuer}/keys",
                }
            )
        elif place.path == "/keys":
            self._answer({"keys": [self.key.as_dict(private=False)]})
        else:
            self._send(200, PAGE.encode(), "text/html")

    def do_POST(self) -> None:
        place = urlsplit(self.path)
        length = int(self.headers["Content-Length"])
        sent = {
            name: values[0] for name, values in parse_qs(self.rfile.read(length).decode()).items()
        }
        if place.path == "/token":
            self._token(sent)
            return
        asked = {name: values[0] for name, values in parse_qs(place.query).items()}
        code = hashlib.sha256(json.dumps([sent, asked]).encode()).hexdigest()
        self.codes[code] = (sent["who"], asked)
        back = urlencode({"code": code, "state": asked["state"]})
        self.send_response(303)
        self.send_header("Location", f"{asked['redirect_uri']}?{back}")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _token(self, sent: dict[str, str]) -> None:
        who, asked = self.codes.pop(sent["code"], ("", {}))
        proof = base64.b64encode(":".join(CLIENT).encode()).decode()
        challenge = hashlib.sha256(sent.get("code_verifier", "").encode()).digest()
        is_right = (
            self.headers["Authorization"] == f"Basic {proof}"
            and base64.urlsafe_b64encode(challenge).decode().rstrip("=") == asked["code_challenge"]
            and sent["redirect_uri"] == asked["redirect_uri"]
        )
        if not is_right:
            self._send(400, b'{"error": "invalid_grant"}', "application/json")
            return
        name, _, role = who.partition("/")
        now = int(time.time())
        claims = {
            "iss": self.issuer, "sub": f"subject of {name}", "aud": CLIENT[0], "iat": now,
            "exp": now + 60, "nonce": asked["nonce"], "preferred_username": name,
            "realm_access": {"roles": [role, "offline_access"]},
        }  # fmt: skip
        if name in WRONG:
            WRONG[name](claims)
        key = self.stranger if name == "bad-signature" else self.key
        token = jwt.encode({"alg": "RS256", "kid": "one"}, claims, key)
        if name == "bad-algorithm":
            unsigned = [json.dumps(part).encode() for part in ({"alg": "none"}, claims)]
            token = (
                ".".join(base64.urlsafe_b64encode(p).decode().rstrip("=") for p in unsigned) + "."
            )
        self._answer({"id_token": token, "access_token": "x", "token_type": "Bearer"})

    def _answer(self, found: object) -> None:
        self._send(200, json.dumps(found).encode(), "application/json")

    def _send(self, status: int, body: bytes, kind: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_words: object) -> None:
        """Say nothing."""


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", 0), Provider)
    sys.stdout.write(f"{server.server_port}\n")
    sys.stdout.flush()
    server.serve_forever()
