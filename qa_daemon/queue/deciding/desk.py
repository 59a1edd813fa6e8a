"""What decisions are made with: the store, the settings and the rules in force."""

import threading
from datetime import date

from attrs import define, field

from qa_daemon.config.settings import Settings
from qa_daemon.grounds.rulebook import rulebook, today
from qa_daemon.rules.schema import RulePack
from qa_daemon.store.database import Store


@define
class Desk:
    """For all threads of a process; a reload exchanges its settings whole."""

    store: Store
    settings: Settings
    _rules: tuple[date, Settings, RulePack] | None = field(default=None, init=False)
    _lock: threading.Lock = field(factory=threading.Lock, init=False)

    def apply(self, settings: Settings) -> None:
        """Take new settings in force."""
        self.settings = settings

    @property
    def channels(self) -> tuple[str, ...]:
        """The places that a change set goes to."""
        return self.settings.export.channels

    @property
    def rules(self) -> RulePack:
        """The rules of today, read with the first question that needs them.

        Raises
        ------
        ConfigurationError
            If a rule file is wrong.
        """
        with self._lock:
            held, day, settings = self._rules, today(), self.settings
            if held is None or held[0] != day or held[1] is not settings:
                held = self._rules = (day, settings, rulebook(settings, day).pack)
            return held[2]
