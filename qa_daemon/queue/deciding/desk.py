"""What decisions are made with: the store, and the settings in force."""

from attrs import define

from qa_daemon.config.settings import Settings
from qa_daemon.store.database import Store


@define
class Desk:
    """For all threads of a process; a reload exchanges its settings whole."""

    store: Store
    settings: Settings

    def apply(self, settings: Settings) -> None:
        """Take new settings in force."""
        self.settings = settings

    @property
    def channels(self) -> tuple[str, ...]:
        """The places that a change set goes to."""
        return self.settings.export.channels
