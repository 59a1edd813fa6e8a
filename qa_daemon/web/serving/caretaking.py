"""What the web role does beside answering: the first link, ended sessions, changed settings."""

import hashlib
import sys
from time import monotonic
from typing import Final

from attrs import define, field

from qa_daemon.config.load import show
from qa_daemon.errors import ConfigurationError, RetryableError
from qa_daemon.queue.accounts import links
from qa_daemon.store.audit import entries
from qa_daemon.store.audit.entries import Deed, Operator
from qa_daemon.telemetry.events import LogEvent
from qa_daemon.telemetry.log import log
from qa_daemon.web.desk import Desk

#: How often ended sessions are forgotten.
SWEEP_S: Final = 600.0
#: Who acts when nobody has asked for it.
SERVICE: Final = "(service)"


@define
class Caretaking:
    """Does what is due at each turn of the role; whatever the store refuses, it does later."""

    desk: Desk
    address: str
    _has_invited: bool = field(default=False, init=False)
    _noted: str = field(default="", init=False)
    _swept_at: float = field(default=float("-inf"), init=False)

    def turn(self) -> None:
        """Do it."""
        try:
            self._invite()
            self._note_settings()
            if monotonic() - self._swept_at >= SWEEP_S:
                self.desk.sessions.remove_ended(self.desk.now())
                self._swept_at = monotonic()
        except (RetryableError, ConfigurationError) as error:
            log.error(LogEvent.STORE_LOST, cause=type(error).__name__)

    def _invite(self) -> None:
        """Print the link to make the first user: to standard output, never into the log."""
        if self._has_invited:
            return
        secret = links.offer_first(self.desk.store, self.desk.now())
        if secret is not None:
            hours = links.LASTS.total_seconds() / 3600
            sys.stdout.write(
                "Nobody can sign in yet. Make the first administrator here, once, within "
                f"{hours:g} h:\n{self.address}/first/{secret}\n"
            )
            sys.stdout.flush()
        self._has_invited = True

    def _note_settings(self) -> None:
        """Keep in the audit that other settings are in force than when it last was said."""
        digest = hashlib.sha256(show(self.desk.settings).encode()).hexdigest()
        if digest == self._noted:
            return
        store = self.desk.store
        if entries.last_detail(store, "configuration") != digest:
            deed = Deed(action="configuration", subject="service.yaml", detail=digest)
            entries.note(store, Operator(SERVICE, self.desk.now()), deed)
        self._noted = digest
