"""Which models of the site are in force or run in shadow: `models.json` in the state folder.

Beside what the release brings, which is in force wherever nothing was promoted. The file outlives
restarts and updates; only `qa-daemon models` writes it. An unreadable one refuses a start rather
than bringing another model into force in silence.
"""

import fcntl
import json
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Final

from attrs import asdict, evolve, field, frozen, validators

from qa_daemon.config.settings import Settings
from qa_daemon.errors import ConfigurationError
from qa_daemon.predict.catalog import Wanted

FILE: Final = "models.json"
#: Held while the file is read, changed and replaced, so that of two commands neither is lost.
LOCK: Final = "models.lock"
#: Whose models were named in the log already.
_TOLD: Final = "models.told"


@frozen(kw_only=True)
class Entry:
    """A model that somebody chose."""

    model: str = field(validator=validators.instance_of(str))
    by: str
    at: str

    @classmethod
    def of(cls, model: str, by: str, at: datetime) -> "Entry":
        """Return the entry of a choice."""
        return cls(model=model, by=by, at=at.isoformat(timespec="seconds"))


@frozen
class Standing:
    """What was chosen, by slot (`catalog.slot_of`)."""

    promoted: Mapping[str, Entry] = field(factory=dict)
    shadows: Mapping[str, Entry] = field(factory=dict)

    def with_promoted(self, slot: str, entry: Entry) -> "Standing":
        """Return it with a model in force; it is no shadow any more."""
        shadows = {t: e for t, e in self.shadows.items() if e.model != entry.model}
        return Standing({**self.promoted, slot: entry}, shadows)

    def with_shadow(self, slot: str, entry: Entry) -> "Standing":
        """Return it with a model in shadow, instead of an earlier one of this slot."""
        return evolve(self, shadows={**self.shadows, slot: entry})

    def without(self, name: str) -> "Standing":
        """Return it without a model, wherever it stands."""
        return Standing(
            {t: e for t, e in self.promoted.items() if e.model != name},
            {t: e for t, e in self.shadows.items() if e.model != name},
        )


def read_standing(state: Path) -> Standing:
    """Return what was chosen; nothing where there is no such file, or no right to look.

    Raises
    ------
    ConfigurationError
        If the file is there and is something else.
    """
    path = state / FILE
    try:
        said = json.loads(path.read_bytes())
        return Standing(
            *(
                {str(target): Entry(**entry) for target, entry in said[part].items()}
                for part in ("promoted", "shadows")
            )
        )
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return Standing()  # `check` of a user who may not look into the service's folder
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ConfigurationError(
            f"{path}: is damaged; remove it to go back to the models of the release, "
            "then promote again"
        ) from error


def change_standing(state: Path, change: Callable[[Standing], Standing]) -> None:
    """Replace what was chosen by what `change` makes of it, one command at a time.

    Parameters
    ----------
    change
        Gets what is chosen at that moment; what it raises leaves the file as it is.

    Raises
    ------
    ConfigurationError
        If the file is damaged, cannot be written, or is being changed by another command.
    """
    with _locked(state / LOCK):
        write_standing(state, change(read_standing(state)))


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise ConfigurationError(
            f"{path}: cannot be opened: {error.strerror}; run this as the service's user"
        ) from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError as error:
        raise ConfigurationError(
            f"{path}: another `qa-daemon models` is changing what is in force; run this again"
        ) from error
    finally:
        os.close(descriptor)


def write_standing(state: Path, standing: Standing) -> None:
    """Replace the file at once, flushed: a loss of power leaves the old or the new one.

    Raises
    ------
    ConfigurationError
        If it cannot be written.
    """
    said = {
        part: {target: asdict(entry) for target, entry in sorted(entries.items())}
        for part, entries in (("promoted", standing.promoted), ("shadows", standing.shadows))
    }
    _replaced(state / FILE, json.dumps(said, indent=1) + "\n")


def wanted_models(settings: Settings) -> Wanted:
    """Return which packages are to be in force, by the configuration and what was chosen."""
    standing = read_standing(settings.state)
    chosen = (entry.model for entry in standing.shadows.values())
    return Wanted(
        licences=settings.models.licences,
        further=settings.site_models_folder,
        promoted={target: entry.model for target, entry in standing.promoted.items()},
        shadows=tuple(dict.fromkeys((*settings.models.shadows, *chosen))),
    )


def is_news(state: Path, digest: str) -> bool:
    """Whether this set of models has not been named in the log yet; from now on it has."""
    path = state / _TOLD
    try:
        if path.read_text(encoding="ascii").strip() == digest:
            return False
    except (OSError, ValueError):
        pass
    _replaced(path, digest + "\n")
    return True


def _replaced(path: Path, text: str) -> None:
    try:
        descriptor, draft = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                os.fchmod(file.fileno(), 0o644)  # `check` of other users may read it
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            Path(draft).replace(path)
        except BaseException:
            Path(draft).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise ConfigurationError(
            f"{path}: cannot be written: {error.strerror}; run this as the service's user"
        ) from error
