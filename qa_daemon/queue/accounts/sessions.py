"""Sessions: opened by a sign-in, found by their secret, ended by time or by the user."""

import hashlib
import secrets
from datetime import datetime, timedelta
from typing import Final

from attrs import evolve, frozen

from qa_daemon.config.settings import WebSettings
from qa_daemon.queue.accounts.permissions import Role, Visitor, permissions_of
from qa_daemon.store.accounts import session_rows
from qa_daemon.store.accounts.session_rows import Opened, SessionRow
from qa_daemon.store.accounts.user_rows import UserRow
from qa_daemon.store.audit.entries import Operator
from qa_daemon.store.database import Store

#: Seen again within this, a session is not written: a page costs no write each.
TOUCH_S: Final = 30.0
#: What is kept of a browser's own words about itself.
AGENT_LENGTH_MAX: Final = 200
_SECRET_BYTES: Final = 32


@frozen
class Sessions:
    """The signed-in browsers of one service."""

    store: Store
    settings: WebSettings

    def open(self, user: UserRow, address: str, agent: str, now: datetime) -> str:
        """Open a session; return its secret, which is kept nowhere here."""
        secret = secrets.token_urlsafe(_SECRET_BYTES)
        row = SessionRow(
            session_key=digest(secret),
            user_id=user.id,
            opened_at=now,
            seen_at=now,
            address=address,
            agent=agent[:AGENT_LENGTH_MAX],
        )
        session_rows.open_session(self.store, row, Operator(user.name, now, address))
        return secret

    def visitor(self, secret: str, now: datetime, *, acts: bool) -> Visitor | None:
        """Return who holds the secret; None if the session has ended or the user is disabled.

        Parameters
        ----------
        acts
            The user did something, which keeps the session; a page's own polling does not.
        """
        key = digest(secret)
        opened = session_rows.session_of(self.store, key)
        if opened is None or opened.user.disabled_at is not None:
            return None
        if now >= self._ends_at(opened):
            session_rows.close_session(
                self.store, key, Operator(opened.user.name, now), "session timeout"
            )
            return None
        if acts and now - opened.session.seen_at >= timedelta(seconds=TOUCH_S):
            session_rows.touch(self.store, key, now)
            opened = evolve(opened, session=evolve(opened.session, seen_at=now))
        return self._visitor(opened)

    def close(self, visitor: Visitor, now: datetime) -> None:
        """Sign the visitor out."""
        session_rows.close_session(self.store, visitor.session_key, visitor.operator(now), "logout")

    def remove_ended(self, now: datetime) -> int:
        """Forget what has ended by time and nobody has come back with."""
        return session_rows.remove_older(
            self.store,
            now - timedelta(seconds=self.settings.session_s),
            now - timedelta(seconds=self.settings.session_idle_s),
        )

    def _ends_at(self, opened: Opened) -> datetime:
        idle = opened.session.seen_at + timedelta(seconds=self.settings.session_idle_s)
        whole = opened.session.opened_at + timedelta(seconds=self.settings.session_s)
        return min(idle, whole)

    def _visitor(self, opened: Opened) -> Visitor:
        user = opened.user
        role = Role(user.role)
        return Visitor(
            user_id=user.id,
            name=user.name,
            full_name=user.full_name,
            role=role,
            permissions=permissions_of(role, Role(self.settings.names_from)),
            language=user.language,
            session_key=opened.session.session_key,
            ends_at=self._ends_at(opened),
        )


def digest(secret: str) -> str:
    """Return what is kept of a random secret: it has 256 bits, so a plain hash cannot be undone."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
