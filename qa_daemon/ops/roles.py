"""The four roles, each one process: built from settings, run until a signal ends it."""

from collections.abc import Callable, Mapping
from functools import partial
from importlib.metadata import version
from typing import Final

from qa_daemon.config.settings import Settings
from qa_daemon.ops.frame import BEAT_S, Frame, framed
from qa_daemon.ops.supervise import Role
from qa_daemon.telemetry.events import LogEvent
from qa_daemon.telemetry.facts import SiteText
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
        frame.persist(partial(ROLES[role], frame))
    return 0


def _receiver(frame: Frame) -> None:
    from qa_daemon.ops.receiving import receiving  # noqa: PLC0415  only this role pays for it
    from qa_daemon.store.migrations.schema import prepare  # noqa: PLC0415

    prepare(frame.settings.store_url, frame.settings.store.lock_timeout_s)
    with receiving(frame.settings) as reception:
        frame.ready()
        frame.loop(reception.turn, reception.apply)


def _worker(frame: Frame) -> None:
    from qa_daemon.ops.working import working  # noqa: PLC0415  only this role pays for it
    from qa_daemon.pipeline.steps import Interrupted  # noqa: PLC0415
    from qa_daemon.store.migrations.schema import prepare  # noqa: PLC0415

    def goes_on() -> None:
        frame.beat()
        if frame.is_ending:
            raise Interrupted

    prepare(frame.settings.store_url, frame.settings.store.lock_timeout_s)
    with working(frame.settings, goes_on) as shift:
        frame.ready()
        frame.loop(shift.turn, shift.apply)


def _outbound(frame: Frame) -> None:
    from qa_daemon.export.sending import sending  # noqa: PLC0415  only this role pays for it
    from qa_daemon.export.syslog.shipping import shipping  # noqa: PLC0415
    from qa_daemon.pipeline.delivery import Delivery  # noqa: PLC0415
    from qa_daemon.pipeline.ordering.refresh import refreshing  # noqa: PLC0415
    from qa_daemon.queue.audit.message import Source  # noqa: PLC0415
    from qa_daemon.store.database import Store  # noqa: PLC0415
    from qa_daemon.store.migrations.schema import prepare  # noqa: PLC0415

    settings = frame.settings
    prepare(settings.store_url, settings.store.lock_timeout_s)
    source = Source(settings.receiver.ae_title, settings.audit.site)
    with (
        Store(settings.store_url, settings.store.lock_timeout_s) as store,
        refreshing(store, settings) as refresh,
        sending(store, settings, version("qa-daemon")) as sender,
        shipping(store, settings.audit.syslog, source),
    ):
        delivery = Delivery(store, settings, version("qa-daemon"))

        def apply(fresh: Settings) -> None:
            delivery.apply(fresh)
            refresh.apply(fresh)
            sender.apply(fresh)

        frame.ready()
        frame.loop(delivery.turn, apply)


def _web(frame: Frame) -> None:
    from qa_daemon.web.app import build  # noqa: PLC0415  only this role pays for it
    from qa_daemon.web.desk import desk_for  # noqa: PLC0415
    from qa_daemon.web.serving.caretaking import Caretaking  # noqa: PLC0415
    from qa_daemon.web.serving.listening import listener  # noqa: PLC0415

    settings = frame.settings
    desk = desk_for(settings)
    listening = listener(build(desk), settings.web, settings.stop_timeout_s / 4)

    def apply(fresh: Settings) -> None:
        desk.settings = fresh

    caretaking = Caretaking(desk, desk.address(listening.port))

    def turn() -> float:
        assert listening.is_alive, "the listener has ended by itself"
        caretaking.turn()
        return BEAT_S

    listening.start()
    try:
        place = f"{settings.web.host}:{listening.port}"
        log.info(LogEvent.WEB_LISTENING, listening=SiteText(place))
        frame.ready()
        frame.loop(turn, apply)
    finally:
        listening.stop()
        desk.close()


ROLES: Final[Mapping[Role, Callable[[Frame], None]]] = {
    Role.RECEIVER: _receiver,
    Role.WORKER: _worker,
    Role.OUTBOUND: _outbound,
    Role.WEB: _web,
}
