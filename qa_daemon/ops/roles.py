"""The four roles, each one process: built from settings, run until a signal ends it."""

from collections.abc import Callable, Mapping
from functools import partial
from importlib.metadata import version
from typing import Final

from qa_daemon.config.settings import Settings
from qa_daemon.errors import ConfigurationError, RetryableError
from qa_daemon.ops.frame import BEAT_S, Frame, framed
from qa_daemon.ops.health import HealthServer, Readiness
from qa_daemon.ops.supervise import Role
from qa_daemon.store import series_rows
from qa_daemon.store.database import Store
from qa_daemon.store.migrations.schema import prepare
from qa_daemon.telemetry.events import LogEvent
from qa_daemon.telemetry.log import log


def run(role: Role, load: Callable[[], Settings]) -> int:
    """Run one role until SIGTERM or SIGINT; return 0.

    Rooms of other roles are never imported: the receiver knows no models, the worker no sockets.

    Raises
    ------
    ConfigurationError
        If the site has to mend something before it can start.
    """
    with framed(role, load) as frame:
        frame.persist(partial(_work, frame))
    return 0


def _work(frame: Frame) -> None:
    prepare(frame.settings.store_url, frame.settings.store.lock_timeout_s)
    ROLES[frame.role](frame)


def _receiver(frame: Frame) -> None:
    from qa_daemon.ops.receiving import receiving  # noqa: PLC0415  only this role pays for it

    with receiving(frame.settings) as reception:
        frame.ready()
        frame.loop(reception.turn, reception.apply)


def _worker(frame: Frame) -> None:
    from qa_daemon.ops.working import working  # noqa: PLC0415  only this role pays for it
    from qa_daemon.pipeline.steps import Interrupted  # noqa: PLC0415

    def goes_on() -> None:
        frame.beat()
        if frame.is_ending:
            raise Interrupted

    with working(frame.settings, goes_on) as shift:
        frame.ready()
        frame.loop(shift.turn, shift.apply)


def _outbound(frame: Frame) -> None:
    with _store(frame.settings) as store:
        frame.ready()
        # Behind `ready`: nobody waits for this role, and its rooms take 0.4 s to load.
        from qa_daemon.pipeline.delivery import Delivery  # noqa: PLC0415

        release = version("qa-daemon")
        frame.loop(lambda: Delivery(store, frame.settings, release).turn(), _no_more_to_do)


def _web(frame: Frame) -> None:
    host, port = frame.settings.web.host, frame.settings.web.port
    with _store(frame.settings) as store:
        try:
            server = HealthServer((host, port), lambda: _readiness(store))
        except OSError as error:
            raise ConfigurationError(
                f"web {host}:{port}: cannot listen there: {error.strerror}; "
                "set web.port to a free one"
            ) from error
        server.start()
        try:
            frame.ready()
            frame.loop(lambda: BEAT_S, _no_more_to_do)
        finally:
            server.stop()


def _store(settings: Settings) -> Store:
    return Store(settings.store_url, settings.store.lock_timeout_s)


def _no_more_to_do(_settings: Settings) -> None:
    """Take nothing in hand: this role reads its settings at each turn, or at the next start."""


def _readiness(store: Store) -> Readiness:
    try:
        counted = series_rows.counts(store)
    except (RetryableError, ConfigurationError) as error:
        log.error(LogEvent.STORE_LOST, cause=type(error).__name__)
        return Readiness(is_ready=False, facts={"status": "store unavailable"})
    facts = {
        "status": "ready",
        "series": {state.value: count for state, count in counted.series.items()},
        "instances": counted.instances,
        "unreadable": counted.unreadable,
        "repeats": counted.repeats,
    }
    return Readiness(is_ready=True, facts=facts)


ROLES: Final[Mapping[Role, Callable[[Frame], None]]] = {
    Role.RECEIVER: _receiver,
    Role.WORKER: _worker,
    Role.OUTBOUND: _outbound,
    Role.WEB: _web,
}
