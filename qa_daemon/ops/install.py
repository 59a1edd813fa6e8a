"""Install the systemd service: write its files, then let systemd know. For root."""

import os
import shutil
import subprocess
from pathlib import Path
from typing import Final

from qa_daemon.errors import ConfigurationError
from qa_daemon.ops.systemd import Installation, commands, rendered_units

COMMAND_DEADLINE_S: Final = 120


def install(installation: Installation, root: Path = Path("/")) -> tuple[str, ...]:
    """Write the files below `root`, run the commands, and return what was done, a line each.

    Raises
    ------
    ConfigurationError
        If this is not root, systemd is absent, or a command fails; it says which.
    """
    if os.geteuid() != 0:
        raise ConfigurationError("only root installs a service; --print shows what would be done")
    if shutil.which("systemctl") is None:
        raise ConfigurationError("systemd is not here; --print shows what would be done")
    done = [f"wrote {path}" for path in write_files(installation, root)]
    for command in commands(installation):
        done.append(" ".join(command))
        _run(command)
    return tuple(done)


def write_files(installation: Installation, root: Path) -> tuple[Path, ...]:
    """Write every file below `root` and return their paths; a reader sees old or new, never half.

    Raises
    ------
    ConfigurationError
        If one cannot be written.
    """
    written: list[Path] = []
    for path, text in rendered_units(installation).items():
        place = root / path.relative_to("/")
        draft = place.with_name(f".{place.name}.new")
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
            draft.write_text(text, encoding="utf-8")
            draft.chmod(0o644)
            draft.replace(place)
        except OSError as error:
            raise ConfigurationError(f"{place} cannot be written: {error.strerror}") from error
        written.append(place)
    return tuple(written)


def _run(command: tuple[str, ...]) -> None:
    try:
        # The commands are ours, their paths rendered from the configuration of the site.
        subprocess.run(  # noqa: S603
            command, check=True, timeout=COMMAND_DEADLINE_S, capture_output=True, text=True
        )
    except (OSError, subprocess.SubprocessError) as error:
        reason = getattr(error, "stderr", None) or str(error)
        raise ConfigurationError(f"`{' '.join(command)}` failed: {reason.strip()}") from error
