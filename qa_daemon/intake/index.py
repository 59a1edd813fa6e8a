"""One thread that gives every durable record its row.

The row may follow the answer by `index_lag_s`; beyond that new objects are answered A700. A store
that cannot be written is waited for: the records lie safe, and `adopt` finds them after a restart.
A store that is damaged ends the index: `failure` then tells the process why it has to end.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from functools import partial
from itertools import islice
from typing import Final

from attrs import define, field, frozen

from qa_daemon.dicom.elements import BASIC, Vocabulary
from qa_daemon.dicom.header import read_instance
from qa_daemon.dicom.scan import Refused
from qa_daemon.errors import ConfigurationError, RetryableError
from qa_daemon.limits import Limits
from qa_daemon.records.finding import Rejection
from qa_daemon.records.instance import Instance
from qa_daemon.records.receipt import Envelope, Origin, Receipt, Recorded, Recording, SpoolRecord
from qa_daemon.spool.layout import RecordUnreadable
from qa_daemon.spool.spool import Spool
from qa_daemon.store import instance_rows, recording
from qa_daemon.store.database import Store
from qa_daemon.store.instance_rows import Association, Refusal
from qa_daemon.telemetry.events import LogEvent
from qa_daemon.telemetry.log import log

GROUP_MAX: Final = 100  # one commit costs a flush; 100 rows share it
QUEUE_MAX: Final = 50_000  # some 50 MB of tickets; the lag bound comes first on a working store
RETRY_S: Final = 0.5  # between two attempts on a store that cannot be written

#: Reads a whole object: bytes and spool key in, `Refused` raised where it cannot be read.
Read = Callable[[memoryview, str], Instance]


def reader(limits: Limits, vocabulary: Vocabulary = BASIC) -> Read:
    """Return what reads the objects of the spool, named by their keys."""

    def read(content: memoryview, key: str) -> Instance:
        return read_instance(content, limits, source=key, vocabulary=vocabulary)

    return read


@define(eq=False)
class Ticket:
    """A record on its way to its row.

    Attributes
    ----------
    recorded
        What the store made of it, None until `wait` returned True.
    rejection
        Why the object could not be read, None if it could.
    """

    record: SpoolRecord
    envelope: Envelope
    submitted_at: float = field(factory=time.monotonic)
    recorded: Recorded | None = None
    rejection: Rejection | None = None
    _done: threading.Event = field(factory=threading.Event)

    def wait(self, timeout_s: float) -> bool:
        """Return whether the index is done with it within this time."""
        return self._done.wait(timeout_s)

    def done(self) -> None:
        """Let those who wait go on."""
        self._done.set()


@frozen
class _Note:
    """Something else for the store to know, behind the records that came before."""

    write: Callable[[], None]
    submitted_at: float = field(factory=time.monotonic)


def _unreadable(path: str) -> Rejection:
    return Rejection(path, "unreadable", "reading it failed in a way nobody foresaw", "bug")


class Index:
    """The queue between spool and store.

    Attributes
    ----------
    failure
        What the site has to mend before another row can be written, None while there is nothing.
    """

    def __init__(self, spool: Spool, store: Store, read: Read, lag_max_s: float) -> None:
        self._spool = spool
        self._store = store
        self._read = read
        self._lag_max_s = lag_max_s
        self._queue: deque[Ticket | _Note] = deque()
        self._changed = threading.Condition()
        self._is_stopping = False
        self._is_cut_off = False
        self.failure: ConfigurationError | None = None
        self._thread = threading.Thread(target=self._run, name="index", daemon=True)

    def exchange(self, read: Read) -> None:
        """Read what comes from now on otherwise; a record in hand is read as begun."""
        self._read = read

    def start(self) -> None:
        """Begin to write rows."""
        self._thread.start()

    def stop(self, timeout_s: float) -> None:
        """Write what is queued, as far as the time goes; the rest is adopted at the next start."""
        with self._changed:
            self._is_stopping = True
            self._changed.notify_all()
        self._thread.join(timeout_s)
        with self._changed:
            self._is_cut_off = True
            self._changed.notify_all()
        self._thread.join()

    def submit(self, record: SpoolRecord, envelope: Envelope) -> Ticket:
        """Queue a durable record."""
        ticket = Ticket(record, envelope)
        self._put(ticket)
        return ticket

    def association_opened(self, association: Association) -> None:
        """Note it before the records of the association."""
        self._put(_Note(partial(instance_rows.association_opened, self._store, association)))

    def association_ended(self, association_id: str) -> None:
        """Note it behind the records of the association."""
        ended = instance_rows.association_ended
        self._put(_Note(partial(ended, self._store, association_id, datetime.now(UTC))))

    def refused(self, refusal: Refusal) -> None:
        """Note an object that was not taken in; while the store is away only as many as fit."""
        if len(self._queue) < QUEUE_MAX:
            self._put(_Note(partial(instance_rows.record_refusal, self._store, refusal)))

    def lag_s(self) -> float:
        """Return how long the oldest record has waited for its row."""
        with self._changed:
            return time.monotonic() - self._queue[0].submitted_at if self._queue else 0.0

    def is_late(self) -> bool:
        """Whether rows follow so slowly that nothing more may be acknowledged."""
        is_broken = self.failure is not None
        return is_broken or self.lag_s() > self._lag_max_s or len(self._queue) >= QUEUE_MAX

    def uids_differ(self, record: SpoolRecord, envelope: Envelope) -> bool:
        """Whether the data set names another object than the command set did."""
        receipt = self._receipt(record, envelope)
        if receipt.instance is None:
            return False
        named = (envelope.sop_class_uid, envelope.sop_instance_uid)
        return (receipt.instance.sop_class_uid, receipt.instance.sop_instance_uid) != named

    def adopt(self) -> int:
        """Give every spool record without a row its row; return how many there were.

        To be called before the first association. A torn record is an alarm and left where it is;
        rows whose record is gone are an alarm, too.

        Raises
        ------
        RetryableError
            If the store or the spool cannot be used.
        """
        self._remove(instance_rows.removals_due(self._store))
        instance_rows.end_open_associations(self._store, datetime.now(UTC))
        count = 0
        unknown = self._whole(instance_rows.unknown_keys(self._store, self._spool.keys()))
        while group := list(islice(unknown, GROUP_MAX)):
            self._settle(group)
            count += len(group)
        if count:
            log.info(LogEvent.SPOOL_ADOPTED, instances=count)
        lost = sum(1 for _ in instance_rows.rows_without_record(self._store, self._spool.has))
        if lost:
            log.error(LogEvent.STORE_LOST, instances=lost)
        return count

    def _whole(self, keys: Iterable[str]) -> Iterator[Ticket]:
        for key in keys:
            try:
                self._spool.verify(key)
                yield Ticket(self._spool.record(key), self._spool.envelope(key))
            except RecordUnreadable:
                log.error(LogEvent.SPOOL_DAMAGED, spool_key=key)

    def _put(self, item: Ticket | _Note) -> None:
        with self._changed:
            self._queue.append(item)
            self._changed.notify_all()

    def _run(self) -> None:
        while group := self._next_group():
            first = group[0]
            if isinstance(first, _Note):
                self._persist(partial(self._note, first))
            else:
                tickets = [each for each in group if isinstance(each, Ticket)]
                self._persist(partial(self._settle, tickets))
            if self.failure is not None:
                return
            with self._changed:
                for _ in group:
                    self._queue.popleft()

    def _next_group(self) -> list[Ticket | _Note]:
        """Wait for work; return tickets in a row, or one end, or nothing when it is time to go."""
        with self._changed:
            self._changed.wait_for(lambda: self._queue or self._is_stopping)
            if self._is_cut_off or not self._queue:
                return []
            if isinstance(self._queue[0], _Note):
                return [self._queue[0]]
            group: list[Ticket | _Note] = []
            for item in islice(self._queue, GROUP_MAX):
                if isinstance(item, _Note):
                    break
                group.append(item)
            return group

    def _persist(self, work: Callable[[], None]) -> None:
        """Try until it is done, or the process ends."""
        while True:
            try:
                work()
            except RetryableError as error:
                log.error(LogEvent.INDEX_LATE, lag_s=self.lag_s(), cause=type(error).__name__)
                with self._changed:
                    if self._changed.wait_for(lambda: self._is_cut_off, RETRY_S):
                        return
            except ConfigurationError as error:
                self.failure = error
                return
            else:
                return

    def _settle(self, tickets: list[Ticket]) -> None:
        """Write the rows of a group; one object that breaks the store must not take others along.

        The edge of the thread: without a row a record still lies in the spool, to be adopted.
        """
        try:
            self._write_rows(tickets)
        except (RetryableError, ConfigurationError):
            raise
        except Exception as error:  # noqa: BLE001  see above
            if len(tickets) > 1:
                for ticket in tickets:
                    self._settle([ticket])
                return
            log.bug(error, spool_key=tickets[0].record.key)
            tickets[0].rejection = _unreadable("")
            tickets[0].done()

    def _write_rows(self, tickets: Sequence[Ticket]) -> None:
        receipts = [self._receipt(ticket.record, ticket.envelope) for ticket in tickets]
        # An unreadable file goes to `rejected/` whole: its copy leaves the spool again.
        spare = [receipt.record.key for receipt in receipts if _goes_back(receipt)]
        kept = [receipt for receipt in receipts if not _goes_back(receipt)]
        answers = recording.record(self._store, kept, datetime.now(UTC)) if kept else ()
        recorded = {answer.spool_key: answer for answer in answers}
        repeats = [each for each in answers if each.outcome is Recording.REPEAT]
        self._spool.remove(*spare)
        self._remove([each.spool_key for each in repeats if not self._stands_in(each)])
        for ticket, receipt in zip(tickets, receipts, strict=True):
            ticket.rejection = receipt.rejection
            ticket.recorded = recorded.get(ticket.record.key)
            _say(ticket)
            ticket.done()

    def _stands_in(self, repeat: Recorded) -> bool:
        """Keep the copy if the record that it repeats is lost; return whether it was so."""
        is_lost = not self._spool.has(repeat.kept_key)
        return is_lost and instance_rows.stand_in(self._store, repeat)

    def _remove(self, keys: Sequence[str]) -> None:
        """Remove records that the store has put among those to go."""
        if keys:
            self._spool.remove(*keys)
            instance_rows.removed(self._store, keys)

    def _note(self, note: _Note) -> None:
        try:
            note.write()
        except (RetryableError, ConfigurationError):
            raise
        except Exception as error:  # noqa: BLE001  the edge of the thread: rows go on without it
            log.bug(error)

    def _receipt(self, record: SpoolRecord, envelope: Envelope) -> Receipt:
        path = envelope.file_name
        try:
            instance = self._read(self._spool.open(record.key), record.key)
        except Refused as refused:
            rejection = Rejection(path, refused.reason, str(refused), refused.kind)
        except RetryableError:
            raise
        except Exception as error:  # noqa: BLE001  a bug in reading must not stop the receiver
            log.bug(error, spool_key=record.key)
            rejection = _unreadable(path)
        else:
            return Receipt(record=record, envelope=envelope, instance=instance)
        return Receipt(record=record, envelope=envelope, rejection=rejection)


def _goes_back(receipt: Receipt) -> bool:
    return receipt.rejection is not None and receipt.envelope.origin is Origin.FOLDER


def _say(ticket: Ticket) -> None:
    facts = {"spool_key": ticket.record.key, "bytes": ticket.record.length}
    if ticket.recorded is None:
        return
    if ticket.rejection is not None:
        log.warning(LogEvent.INSTANCE_QUARANTINED, reason=ticket.rejection.reason, **facts)
    elif ticket.recorded.outcome is Recording.REPEAT:
        log.info(LogEvent.INSTANCE_REPEATED, **facts)
    elif ticket.recorded.outcome is Recording.COLLIDING:
        log.warning(LogEvent.INSTANCE_CONFLICTED, **facts)
    else:
        log.debug(LogEvent.INSTANCE_ACCEPTED, **facts)
