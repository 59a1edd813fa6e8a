"""What all pages work with: settings, the store, sessions, the clock, the signing key."""

import threading
from datetime import UTC, datetime
from urllib.parse import urlsplit

from attrs import define, field

from qa_daemon.config.kept import kept_key
from qa_daemon.config.settings import Settings
from qa_daemon.queue.accounts.sessions import Sessions
from qa_daemon.queue.deciding.desk import Desk as DecisionDesk
from qa_daemon.queue.listing.counting import Counting
from qa_daemon.store.database import Store
from qa_daemon.store.migrations.schema import prepare
from qa_daemon.web.cookies import Cookies


@define
class Desk:
    """One per process; for all of its threads.

    Attributes
    ----------
    settings
        In force; `apply` of the role exchanges them whole.
    places
        Addresses of the pages that there are, for those that link to others.
    """

    settings: Settings
    cookies: Cookies
    places: frozenset[str] = frozenset()
    _store: Store | None = field(default=None, init=False)
    _decisions: DecisionDesk | None = field(default=None, init=False)
    _counting: Counting | None = field(default=None, init=False)
    _lock: threading.Lock = field(factory=threading.Lock, init=False)

    @property
    def store(self) -> Store:
        """The store, made and opened by the first who asks; health answers without it.

        Raises
        ------
        RetryableError
            If it is away.
        ConfigurationError
            If it is damaged, or another release's.
        """
        with self._lock:
            if self._store is None:
                url, timeout_s = self.settings.store_url, self.settings.store.lock_timeout_s
                prepare(url, timeout_s)
                self._store = Store(url, timeout_s)
            return self._store

    @property
    def decisions(self) -> DecisionDesk:
        """The desk at which decisions are made: one, as it keeps the rules that it has read."""
        store = self.store
        with self._lock:
            if self._decisions is None:
                self._decisions = DecisionDesk(store, self.settings)
            self._decisions.apply(self.settings)
            return self._decisions

    @property
    def counting(self) -> Counting:
        """The counts that all pages share, kept until something changes."""
        store = self.store
        with self._lock:
            if self._counting is None:
                self._counting = Counting(store)
            return self._counting

    @property
    def sessions(self) -> Sessions:
        """The signed-in browsers."""
        return Sessions(self.store, self.settings.web)

    def address(self, port: int) -> str:
        """Return what people type to come here, without a slash at its end."""
        web = self.settings.web
        if web.public_url:
            return web.public_url
        scheme = "https" if self.cookies.is_secure else "http"
        host = f"[{web.host}]" if ":" in web.host else web.host
        return f"{scheme}://{host}:{port}"

    @property
    def workitem_key(self) -> bytes:
        """What the UIDs of work items are made with."""
        return self.cookies.derived("workitems")

    @property
    def pseudonym_key(self) -> bytes:
        """What stands for patients is made with: the same on every page."""
        return self.cookies.derived("pseudonyms")

    def now(self) -> datetime:
        """Return the time, in UTC."""
        return datetime.now(UTC)

    def close(self) -> None:
        """Close the store."""
        with self._lock:
            if self._store is not None:
                self._store.close()
                self._store = self._decisions = self._counting = None


def desk_for(settings: Settings) -> Desk:
    """Return the desk of a service, with the key that its state folder keeps."""
    web = settings.web
    is_secure = (
        urlsplit(web.public_url).scheme == "https"
        if web.public_url
        else web.tls.certificate is not None
    )
    return Desk(settings, Cookies(kept_key(settings.web_key_file), is_secure))
