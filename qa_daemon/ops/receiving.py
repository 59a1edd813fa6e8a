"""The receiver put together: store, spool, index, door, association acceptor, watched folder."""

import contextlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from time import monotonic
from typing import Final

from attrs import define, field

from qa_daemon.config.settings import Settings
from qa_daemon.errors import RetryableError
from qa_daemon.grounds.rulebook import vocabulary_in_force
from qa_daemon.intake.admission import Room
from qa_daemon.intake.door import Door
from qa_daemon.intake.folder import Folder
from qa_daemon.intake.hl7.listener import Listener
from qa_daemon.intake.index import Index, reader
from qa_daemon.intake.scp import Receiver
from qa_daemon.records.order import Order
from qa_daemon.spool.spool import Spool
from qa_daemon.store import instance_rows
from qa_daemon.store.database import Store
from qa_daemon.store.visits import order_rows
from qa_daemon.telemetry.events import LogEvent
from qa_daemon.telemetry.facts import SiteText
from qa_daemon.telemetry.log import log

# How often records of deleted series are looked for.
REMOVAL_S: Final = 2.0
# The index is done with a repeat within milliseconds of its row; this is ample.
REMOVAL_GRACE_S: Final = 10.0


@define
class Reception:
    """Everything that takes objects in, running."""

    settings: Settings
    store: Store
    spool: Spool
    door: Door
    receiver: Receiver
    listener: Listener | None = None
    _removed_at: float = field(default=0.0, init=False)

    def turn(self) -> float:
        """Erase what was deleted; return how long to rest.

        Raises
        ------
        ConfigurationError
            If the database is damaged: nothing may be acknowledged on it.
        """
        if self.door.index.failure is not None:
            raise self.door.index.failure
        if monotonic() - self._removed_at >= REMOVAL_S:
            self._removed_at = monotonic()
            try:
                remove_due(self.store, self.spool, datetime.now(UTC))
            except RetryableError as error:
                log.warning(LogEvent.STORE_LOCKED, cause=type(error).__name__)
        return REMOVAL_S

    def apply(self, settings: Settings) -> None:
        """Exchange who may send and what is read; associations that are open go on as begun."""
        self.settings = settings
        self.door.index.exchange(reader(settings.limits, vocabulary_in_force(settings)))
        self.receiver.exchange(settings.receiver)
        if self.listener is not None:
            self.listener.exchange(settings.orders.hl7)
        self.door.settings = settings.receiver
        self.door.room.settings = settings.spool


@contextlib.contextmanager
def receiving(settings: Settings) -> Iterator[Reception]:
    """Run the receiver: adopt what lies in the spool, then listen; drain at the end.

    Raises
    ------
    ConfigurationError
        If the port is taken, or the spool belongs to another process.
    RetryableError
        If the store cannot be written.
    """
    limits = settings.limits
    with (
        Store(settings.store_url, settings.store.lock_timeout_s) as store,
        Spool(settings.spool_folder, limits) as spool,
        contextlib.ExitStack() as stack,
    ):
        spool.recover()
        read = reader(limits, vocabulary_in_force(settings))
        index = Index(spool, store, read, settings.receiver.index_lag_s)
        index.adopt()
        room = Room(settings.spool_folder, settings.spool, spool.used_bytes)
        door = Door(spool, index, room, settings.receiver, limits)
        receiver = Receiver(settings.receiver, limits, door)
        index.start()
        # Stopped in reverse: no new objects first, then the rows of those that came.
        patience_s = settings.stop_timeout_s / 4
        stack.callback(index.stop, patience_s)
        if settings.folder.enabled:
            folder = Folder(settings.incoming_folder, door, settings.folder, limits)
            folder.start()
            stack.callback(folder.stop, patience_s)
        receiver.start()
        stack.callback(receiver.stop, patience_s)
        listener = None
        if settings.orders.hl7.enabled:
            listener = Listener(settings.orders.hl7, partial(_keep, store))
            listener.start()
            stack.callback(listener.stop)
        log.info(
            LogEvent.SERVICE_STARTED,
            listening=SiteText(f"{settings.receiver.host}:{receiver.port}"),
        )
        yield Reception(settings, store, spool, door, receiver, listener)


def _keep(store: Store, told: tuple[Order, ...]) -> None:
    order_rows.keep(store, told, datetime.now(UTC))


def remove_due(store: Store, spool: Spool, now: datetime) -> int:
    """Erase the spool records of deleted series and of repeats; return how many.

    Not at once: the index may still find that a repeat has to stand in for a record that was lost.
    """
    keys = instance_rows.removals_due(store, now - timedelta(seconds=REMOVAL_GRACE_S))
    if keys:
        spool.remove(*keys)
        instance_rows.removed(store, keys)
        log.info(LogEvent.SPOOL_REMOVED, count=len(keys))
    return len(keys)
