"""Cookies that only this service can have written, and the tokens that forms carry against CSRF."""

import hashlib
import hmac
import secrets
from typing import Final

from attrs import field, frozen
from itsdangerous import BadSignature, Signer

SESSION: Final = "qa_session"
#: Before anybody has signed in, forms are bound to this one.
VISIT: Final = "qa_visit"
#: Where forms and scripts put the token.
CSRF_FIELD: Final = "csrf"
CSRF_HEADER: Final = "x-csrf-token"
_SECRET_BYTES: Final = 32


@frozen
class Cookies:
    """Writes and reads the cookies of one service.

    Attributes
    ----------
    is_secure
        People come by HTTPS: cookies are `Secure` and bound to this very host (RFC 6265bis, the
        prefix `__Host-`).
    """

    _key: bytes = field(repr=False)
    is_secure: bool

    def name(self, kind: str) -> str:
        """Return the name under which the browser keeps it."""
        return f"__Host-{kind}" if self.is_secure else kind

    def header(self, kind: str, secret: str, *, keep: bool = True) -> str:
        """Return a Set-Cookie value; without `keep` one that makes the browser forget it.

        SameSite=Lax, not Strict: a link in a mail has to open the finding for who is signed
        in. What changes anything is a POST, which is withheld from other sites, and has a token.
        """
        value = self._signer(kind).sign(secret).decode("ascii") if keep else ""
        parts = [f"{self.name(kind)}={value}", "Path=/", "HttpOnly", "SameSite=Lax"]
        if self.is_secure:
            parts.append("Secure")
        if not keep:
            parts.append("Max-Age=0")
        return "; ".join(parts)

    def secret(self, kind: str, value: str | None) -> str | None:
        """Return what a cookie holds; None if it is missing or not ours."""
        if not value:
            return None
        try:
            return self._signer(kind).unsign(value.encode("ascii")).decode("ascii")
        except (BadSignature, UnicodeError):
            return None

    def derived(self, purpose: str) -> bytes:
        """Return a key of its own for something else that only this service can have made."""
        return hmac.new(self._key, purpose.encode("ascii"), hashlib.sha256).digest()

    def csrf_token(self, bound_to: str) -> str:
        """Return the token of forms for one session, or one visit before there is a session."""
        return hmac.new(self._key, f"csrf {bound_to}".encode(), hashlib.sha256).hexdigest()

    def is_csrf_token(self, bound_to: str, given: str) -> bool:
        """Whether a form came from a page that we gave to this very session."""
        wanted = self.csrf_token(bound_to)
        return hmac.compare_digest(wanted.encode(), given.encode("utf-8", "replace"))

    def _signer(self, kind: str) -> Signer:
        return Signer(self._key, salt=kind, digest_method=hashlib.sha256)


def new_secret() -> str:
    """Return 256 random bits as text."""
    return secrets.token_urlsafe(_SECRET_BYTES)
