"""Orders on schedule: who has images is asked about, in good time and never in anybody's way."""

import contextlib
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Final

from attrs import define, field

from qa_daemon.config.settings import QuerySettings, Settings
from qa_daemon.errors import RetryableError
from qa_daemon.orders.asked import keys_of, step_ids_of
from qa_daemon.peers.archive import studies_archived
from qa_daemon.peers.association import Peer
from qa_daemon.peers.worklist import Visited, orders_scheduled
from qa_daemon.records.element import first_text
from qa_daemon.records.order import Order
from qa_daemon.records.series import Series
from qa_daemon.series.assemble import assemble
from qa_daemon.store import instance_rows
from qa_daemon.store.database import Store
from qa_daemon.store.visits import news_rows, order_rows
from qa_daemon.store.visits.order_rows import DueVisit
from qa_daemon.telemetry.events import LogEvent
from qa_daemon.telemetry.log import log

#: Visits between two looks at the signals: each may take its deadline.
BATCH_MAX: Final = 4
REST_S: Final = 5.0
#: The first pause after a peer that did not answer; it doubles up to `refresh_s`.
RETRY_S: Final = 30.0
#: For a query that is under way at the end; the thread dies with the process.
PATIENCE_S: Final = 2.0
FORGET_S: Final = 3600.0
#: News in one transaction; each may concern the hundred series of a patient's day.
NEWS_MAX: Final = 50

Ask = Callable[[Peer, Visited], tuple[Order, ...]]


@define
class Refresh:
    """Asks worklist and archive about visits."""

    store: Store
    settings: Settings
    _forgotten_at: datetime | None = field(default=None, init=False)

    def apply(self, settings: Settings) -> None:
        """Take new settings in force."""
        self.settings = settings

    def turn(self) -> float:
        """Ask about the visits that are due; return how long to rest."""
        now = datetime.now(UTC)
        peers = list(_peers(self.settings))
        try:
            self._forget(now)
            if not peers:
                return self._tell(now)
            since = now - timedelta(seconds=self.settings.orders.visit_s)
            due = order_rows.due(self.store, since, now, BATCH_MAX)
            for visit in due:
                self._ask(visit, peers)
            rest_s = self._tell(datetime.now(UTC))
        except RetryableError as error:
            log.warning(LogEvent.STORE_LOCKED, cause=type(error).__name__)
            return REST_S
        return 0.0 if len(due) == BATCH_MAX else rest_s

    def _tell(self, now: datetime) -> float:
        """Have judged again what news concern, whoever brought them; return how long to rest."""
        count, keys = news_rows.carry_out(self.store, now, NEWS_MAX)
        if keys:
            log.info(LogEvent.ORDERS_TOLD, count=len(keys), kind="judge again")
        return 0.0 if count == NEWS_MAX else REST_S

    def _forget(self, now: datetime) -> None:
        if self._forgotten_at is None or (now - self._forgotten_at).total_seconds() > FORGET_S:
            self._forgotten_at = now
            order_rows.forget(self.store, now - timedelta(days=self.settings.orders.keep_days))

    def _ask(self, visit: DueVisit, peers: list[tuple[str, Peer, Ask]]) -> None:
        """Ask all peers about one visit. The edge: one that fails must not keep others waiting."""
        told: list[Order] = []
        failed = False
        wanted = self._visited(visit)
        for name, peer, ask in peers if wanted is not None else ():
            assert wanted is not None
            try:
                told += ask(peer, wanted)
            except RetryableError as error:
                failed = True
                log.warning(LogEvent.ORDERS_UNKNOWN, kind=name, cause=type(error).__name__)
            except Exception as error:  # noqa: BLE001  see above
                failed = True
                log.bug(error, kind=name)
        now = datetime.now(UTC)
        news = order_rows.keep(self.store, told, now)
        attempts = visit.attempts + 1 if failed else 0
        pause_s = min(self.settings.orders.refresh_s, RETRY_S * 2 ** max(attempts - 1, 0))
        pause_s = pause_s if failed else self.settings.orders.refresh_s
        due_at = now + timedelta(seconds=pause_s)
        order_rows.asked(self.store, visit.visit_key, now, due_at, attempts)
        if news:
            log.info(LogEvent.ORDERS_TOLD, count=len(news), kind="query")

    def _visited(self, visit: DueVisit) -> Visited | None:
        instances = instance_rows.instances_of(self.store, visit.series_key, visit.revision)
        return visited(assemble(instances)) if instances else None


def visited(series: Series) -> Visited:
    """Return what a series says of its visit."""
    first = series.instances[0].elements
    return Visited(
        patient_id=first_text(first, "PatientID"),
        day=first_text(first, "StudyDate"),
        issuer_of_patient_id=first_text(first, "IssuerOfPatientID"),
        study_instance_uids=(series.study_instance_uid,),
        step_ids=step_ids_of(series),
        accession_numbers=tuple(key.accession_number for key in keys_of(series)),
        modalities=(series.modality,),
    )


def _peers(settings: Settings) -> Iterator[tuple[str, Peer, Ask]]:
    orders = settings.orders
    if orders.worklist.host:
        yield "worklist", _peer(orders.worklist, settings), orders_scheduled
    if orders.archive.host:
        yield "archive", _peer(orders.archive, settings), _archived


def _archived(peer: Peer, wanted: Visited) -> tuple[Order, ...]:
    return studies_archived(peer, wanted.patient_id, wanted.day)


def _peer(settings: QuerySettings, whole: Settings) -> Peer:
    return Peer(
        ae_title=settings.ae_title,
        host=settings.host,
        port=settings.port,
        own_ae_title=whole.receiver.ae_title,
        deadline_s=settings.deadline_s,
        answers_max=settings.answers_max,
    )


@contextlib.contextmanager
def refreshing(store: Store, settings: Settings) -> Iterator[Refresh]:
    """Ask on a thread of its own, so that a slow peer delays nobody; it ends with the block."""
    refresh, ends = Refresh(store, settings), threading.Event()

    def run() -> None:
        rest_s = 0.0
        while not ends.wait(rest_s):
            try:
                rest_s = refresh.turn()
            except Exception as error:  # noqa: BLE001  the edge of the thread: it asks again
                log.bug(error)
                rest_s = RETRY_S

    thread = threading.Thread(target=run, name="orders", daemon=True)
    thread.start()
    try:
        yield refresh
    finally:
        ends.set()
        thread.join(PATIENCE_S)
