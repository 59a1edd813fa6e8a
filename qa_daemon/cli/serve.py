"""`qa-daemon serve`."""

import argparse
from collections.abc import Callable
from functools import partial
from importlib.metadata import version

from qa_daemon.config.load import load_settings
from qa_daemon.config.settings import Settings
from qa_daemon.ops import notify
from qa_daemon.ops.frame import make_folder
from qa_daemon.ops.supervise import Role, Supervisor
from qa_daemon.telemetry import log as telemetry
from qa_daemon.telemetry.events import LogEvent
from qa_daemon.telemetry.facts import Pseudonyms
from qa_daemon.telemetry.log import log


def serve(options: argparse.Namespace) -> int:
    """Run one role, or all four as children."""
    load = partial(_load, options)
    if options.role is not None:
        from qa_daemon.ops.roles import run  # noqa: PLC0415  the supervisor needs none of it

        return run(Role(options.role), load)
    return _all(options, load)


def _load(options: argparse.Namespace) -> Settings:
    return load_settings(
        options.config, overrides={"receiver.port": options.port, "state": options.state}
    )


def _all(options: argparse.Namespace, load: Callable[[], Settings]) -> int:
    settings = load()
    make_folder(settings)
    telemetry.start(settings.log.level, settings.log.format, Pseudonyms.kept_in(settings.state))
    log.info(LogEvent.SERVICE_STARTED, version=version("qa-daemon"))
    supervisor = Supervisor(
        command=partial(_arguments, options),
        stop_timeout_s=settings.stop_timeout_s,
        notify=_tell,
        log=log.warning,
    )
    return supervisor.run(tuple(Role))


def _arguments(options: argparse.Namespace, role: Role) -> list[str]:
    arguments = ["serve", role.value]
    for name in ("config", "state", "port"):
        value = getattr(options, name)
        if value is not None:
            arguments += [f"--{name}", str(value)]
    return arguments


def _tell(message: str) -> None:
    notify.notify(message)
    if message == notify.READY:
        log.info(LogEvent.SERVICE_READY)
