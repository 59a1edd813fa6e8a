"""The systemd service: its files rendered for one installation, printed, or installed by root."""

import os
import shlex
import shutil
import subprocess
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from string import Template
from types import MappingProxyType
from typing import Final

from attrs import frozen

from qa_daemon.config.packs import shipped
from qa_daemon.config.settings import Settings
from qa_daemon.errors import ConfigurationError

CONFIGURATION: Final = Path("/etc/qa-daemon/service.yaml")
STATE: Final = Path("/var/lib/qa-daemon")
UNITS: Final = Path("/etc/systemd/system")
SYSUSERS: Final = Path("/etc/sysusers.d/qa-daemon.conf")
TMPFILES: Final = Path("/etc/tmpfiles.d/qa-daemon.conf")
ROLES: Final = ("receiver", "worker", "outbound", "web")
# What the unit gives beyond stop_timeout_s, so that the service ends itself first.
STOP_RESERVE_S: Final = 10
# Ports below need a capability of their own (ip_unprivileged_port_start).
UNPRIVILEGED_PORT_MIN: Final = 1024
# Folders that ProtectHome=yes hides from the service.
HIDDEN: Final = (Path("/home"), Path("/root"), Path("/run/user"))
COMMAND_DEADLINE_S: Final = 120

_ALONE = "Conflicts=qa-daemon.target"
_OF_TARGET = "PartOf=qa-daemon.target\nConflicts=qa-daemon.service"


@frozen
class Installation:
    """What is installed, and for which configuration.

    Attributes
    ----------
    executable
        The command `qa-daemon` with its full path.
    settings
        The configuration in force: ports, folders and times of the units follow from it.
    configuration
        The service.yaml that the service shall read.
    """

    executable: Path
    settings: Settings
    configuration: Path = CONFIGURATION


def rendered_units(installation: Installation) -> Mapping[Path, str]:
    """Return the text of every file by the path where it belongs.

    Raises
    ------
    ConfigurationError
        If something that the service needs lies where its sandbox hides it.
    """
    _refuse_unreachable(installation)
    roles = " ".join(f"qa-daemon@{role}.service" for role in ROLES)
    return MappingProxyType(
        {
            UNITS / "qa-daemon.service": _service(installation, ""),
            UNITS / "qa-daemon@.service": _service(installation, "%i"),
            UNITS / "qa-daemon.target": _template("target").substitute(roles=roles),
            SYSUSERS: _template("sysusers").template,
            TMPFILES: _template("tmpfiles").template,
        }
    )


def commands(installation: Installation) -> tuple[tuple[str, ...], ...]:
    """Return what root runs once the files are in place, one tuple of arguments per command.

    The shipped service.yaml is copied only where the site has none yet.
    """
    configuration = str(installation.configuration)
    copy = ("install", "-D", "-m", "0640", "-g", "qa-daemon", str(shipped("service.yaml")))
    return (
        ("systemd-sysusers", str(SYSUSERS)),
        ("systemd-tmpfiles", "--create", str(TMPFILES)),
        *(() if installation.configuration.exists() else ((*copy, configuration),)),
        ("systemctl", "daemon-reload"),
        ("systemctl", "enable", "--now", "qa-daemon.service"),
    )


def printed(installation: Installation) -> str:
    """Return all files and commands as a shell script that a person may read and root may run."""
    parts = [
        "#!/bin/sh\n# Installs the service qa-daemon. Read this, then run it as root.\nset -eu"
    ]
    for path, text in rendered_units(installation).items():
        parts.append(f"install -d {path.parent}\ncat >{path} <<'END_OF_FILE'\n{text}END_OF_FILE")
    parts.append("\n".join(shlex.join(command) for command in commands(installation)))
    return "\n\n".join(parts) + "\n"


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


def _service(installation: Installation, role: str) -> str:
    settings = installation.settings
    arguments = [str(installation.executable), "serve", *([role] if role else [])]
    arguments += ["--config", str(installation.configuration)]
    if settings.state != STATE:
        arguments += ["--state", str(settings.state)]
    binds_low = 0 < settings.receiver.port < UNPRIVILEGED_PORT_MIN
    return _template("service").substitute(
        title=f"role {role}" if role else "finds wrong DICOM metadata by looking at the pixels",
        name="qa-daemon@.service" if role else "qa-daemon.service",
        relations=_OF_TARGET if role else _ALONE,
        # In a command systemd expands $ too.
        command=" ".join(_quoted(argument).replace("$", "$$") for argument in arguments),
        stop_s=f"{settings.stop_timeout_s + STOP_RESERVE_S:g}",
        instance="-%i" if role else "",
        writable=_writable(settings),
        capabilities="CAP_NET_BIND_SERVICE" if binds_low else "",
        # In a user namespace of its own the capability would not count for the machine's ports.
        private_users="no" if binds_low else "yes",
        wanted_by="qa-daemon.target" if role else "multi-user.target",
    )


def _writable(settings: Settings) -> str:
    """Return a line that opens the folders outside the state folder for writing."""
    folders = {
        settings.state,
        settings.spool_folder,
        settings.incoming_folder,
        settings.report_folder,
    }
    outside = sorted(folder for folder in folders if not folder.is_relative_to(STATE))
    return "".join(f"ReadWritePaths={_quoted(str(folder))}\n" for folder in outside)


def _refuse_unreachable(installation: Installation) -> None:
    settings = installation.settings
    tls = settings.receiver.tls
    needed = {
        "the command": installation.executable,
        "service.yaml": installation.configuration,
        "state": settings.state,
        "spool.path": settings.spool_folder,
        "folder.path": settings.incoming_folder,
        "reports.folder": settings.report_folder,
        "models.folder": settings.models.folder,
        "receiver.tls.certificate": tls.certificate,
        "receiver.tls.private_key": tls.private_key,
        "receiver.tls.client_authorities": tls.client_authorities,
        **{f"rules.folders[{n}]": path for n, path in enumerate(settings.rules.folders)},
    }
    present = {name: path for name, path in needed.items() if path is not None}
    broken = [name for name, path in present.items() if not str(path).isprintable()]
    if broken:
        raise ConfigurationError(f"unprintable characters in the path of {', '.join(broken)}")
    hidden = [
        f"{name} lies in {path}"
        for name, path in present.items()
        if any(path.is_relative_to(folder) for folder in HIDDEN)
    ]
    if hidden:
        raise ConfigurationError(
            f"the service may not look into home folders: {'; '.join(hidden)}."
            " Put them elsewhere, the command for instance into /opt/qa-daemon"
        )


def _template(name: str) -> Template:
    text = (files("qa_daemon.ops") / "units" / f"{name}.template").read_text(encoding="utf-8")
    return Template(text)


def _quoted(argument: str) -> str:
    """Return an argument or path as a unit file takes it; `%i` alone is the unit's instance."""
    if argument == "%i":
        return argument
    plain = argument.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    return f'"{plain}"' if set(plain) & set(" \t\"'\\;") else plain
