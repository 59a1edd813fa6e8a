"""Decisions, and where what they want to be written goes."""

from pathlib import Path

from attrs import field, frozen

from qa_daemon.config import accepted
from qa_daemon.records.finding import Topic

#: Longer, and a wrong tag would lie in the archive for a shift.
UNDO_WINDOW_S_MAX = 43_200.0


@frozen(kw_only=True)
class DecisionSettings:
    """How people decide."""

    # nothing leaves before, and everything can be undone until then
    undo_window_s: float = field(default=60.0, validator=accepted.between(0, UNDO_WINDOW_S_MAX))
    # topics of which a second person, an approver, must answer, too
    four_eyes: tuple[str, ...] = field(
        default=(), validator=accepted.each(accepted.one_of([each.value for each in Topic]))
    )
    # findings decided at one blow
    batch_max: int = field(default=500, validator=accepted.between(1, 5000))


@frozen(kw_only=True)
class ExportFolderSettings:
    """Change sets as files."""

    enabled: bool = True
    path: Path | None = None  # default: STATE/exports


@frozen(kw_only=True)
class ExportSettings:
    """Where change sets go."""

    folder: ExportFolderSettings = field(factory=ExportFolderSettings)

    @property
    def channels(self) -> tuple[str, ...]:
        """Return the names of the places, as the outbox keeps them."""
        return ("folder",) if self.folder.enabled else ()
