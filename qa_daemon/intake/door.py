"""The only way in: one `Passage` per object, from its first byte to the answer.

An object is acknowledged when its record is durable in the spool; its row follows (contract,
section 1). Answers are values: an object that cannot be kept is no exception.
"""

from datetime import UTC, datetime
from typing import Final, Protocol

from attrs import frozen

from qa_daemon.config.settings import Acknowledge, ReceiverSettings
from qa_daemon.dicom.part10 import MetaIdentity, file_meta
from qa_daemon.intake import admission
from qa_daemon.intake.admission import Answer, Room, as_text
from qa_daemon.intake.index import Index, Ticket
from qa_daemon.intake.upper_layer.command import Command
from qa_daemon.limits import Limits
from qa_daemon.records.finding import Rejection
from qa_daemon.records.receipt import Envelope, Origin, SpoolRecord
from qa_daemon.spool.spool import Spool
from qa_daemon.spool.write import RecordWriter, SpoolUnavailable
from qa_daemon.store.instance_rows import Association, Refusal
from qa_daemon.telemetry.events import LogEvent
from qa_daemon.telemetry.log import log

# Statuses of refusals of which a copy is kept, with the reason to be noted (contract, section 1).
SET_ASIDE: Final = {
    0xC000: "unreadable",
    0xC001: "limit",
    0x0117: "unsupported",
    0xA900: "unsupported",
}


@frozen(kw_only=True)
class Sender:
    """The association by which an object comes."""

    association_id: str
    peer_address: str
    calling_ae: str
    called_ae: str


class Passage(Protocol):
    """One object on its way in. For one thread at a time."""

    def write(self, chunk: memoryview) -> None:
        """Take bytes of the data set; they may be thrown away, `finish` tells."""

    def finish(self) -> Answer:
        """Make the object durable, or say why not."""

    def abandon(self) -> None:
        """Keep nothing."""


class Door:
    """Lets objects into the spool and gives their records to the index."""

    def __init__(
        self, spool: Spool, index: Index, room: Room, settings: ReceiverSettings, limits: Limits
    ) -> None:
        self.spool = spool
        self.index = index
        self.room = room
        self.settings = settings
        self.limits = limits

    def open(self, command: Command, transfer_syntax_uid: str, sender: Sender) -> "StorePassage":
        """Begin to take the object of a C-STORE."""
        refusal = admission.refused_uids(
            command.sop_class_uid, command.sop_instance_uid, self.settings
        )
        meta = _file_meta(command, transfer_syntax_uid, sender)
        envelope = Envelope(
            received_at=datetime.now(UTC),
            origin=Origin.CSTORE,
            calling_ae=sender.calling_ae,
            called_ae=sender.called_ae,
            peer_address=sender.peer_address,
            association_id=sender.association_id,
            sop_class_uid=as_text(command.sop_class_uid),
            sop_instance_uid=as_text(command.sop_instance_uid),
            transfer_syntax_uid=transfer_syntax_uid,
            data_set_offset=len(meta),
        )
        return StorePassage(self, envelope, meta, refusal or self.refused_now())

    def refused_now(self) -> Answer | None:
        """Return A700 with its reason while nothing can be taken."""
        return self.room.refused() or (admission.INDEX_LATE if self.index.is_late() else None)

    def begin(self, envelope: Envelope) -> RecordWriter | Answer:
        """Open a spool record, or return A700."""
        try:
            return self.spool.begin(envelope)
        except SpoolUnavailable as error:
            return self.unwritable(error)

    def unwritable(self, error: SpoolUnavailable) -> Answer:
        """Return A700, once the reason is said."""
        log.error(LogEvent.SPOOL_UNWRITABLE, cause=type(error.__cause__).__name__)
        return admission.SPOOL_UNWRITABLE

    def admit(self, record: SpoolRecord, envelope: Envelope) -> Ticket:
        """Give a durable record to the index."""
        return self.index.submit(record, envelope)

    def association_opened(self, sender: Sender) -> None:
        """Tell the index who sends from now on."""
        self.index.association_opened(
            Association(
                id=sender.association_id,
                calling_ae=sender.calling_ae,
                called_ae=sender.called_ae,
                peer_address=sender.peer_address,
                opened_at=datetime.now(UTC),
            )
        )

    def association_ended(self, association_id: str) -> None:
        """Tell the index, in order with the association's records."""
        self.index.association_ended(association_id)


class StorePassage:
    """The object of one C-STORE."""

    def __init__(self, door: Door, envelope: Envelope, meta: bytes, refusal: Answer | None) -> None:
        self._door = door
        self._envelope = envelope
        self._refusal = refusal
        self._length = 0
        # What is set aside if the object is refused in the end.
        self._copy = bytearray(meta)
        self._writer: RecordWriter | None = None
        if refusal is None:
            begun = door.begin(envelope)
            if isinstance(begun, Answer):
                self._refusal = begun
            else:
                self._writer = begun
                self._put(meta)

    def write(self, chunk: memoryview) -> None:
        """Take bytes of the data set; after a refusal they are only drained."""
        self._length += len(chunk)
        if len(self._copy) < self._door.limits.quarantine_bytes_max:
            self._copy += chunk[: self._door.limits.quarantine_bytes_max - len(self._copy)]
        if self._length > self._door.limits.object_bytes_max:
            self._refuse(admission.TOO_LARGE)
        self._put(chunk)

    def finish(self) -> Answer:
        """Return the answer; 0000 only once the record is durable."""
        if not self._length and (self._refusal is None or self._refusal.status != 0xA700):
            self._refuse(self._refusal or admission.DATA_SET_EMPTY)
        if self._writer is None:
            assert self._refusal is not None
            return self._refused(self._refusal)
        try:
            record = self._writer.commit()
        except SpoolUnavailable as error:
            return self._refused(self._door.unwritable(error))
        return self._indexed(record)

    def abandon(self) -> None:
        """Keep nothing: the sender has no answer."""
        if self._writer is not None:
            self._writer.abort()

    def _put(self, chunk: bytes | memoryview) -> None:
        if self._writer is None:
            return
        try:
            self._writer.write(chunk)
        except SpoolUnavailable as error:
            self._refuse(self._door.unwritable(error))

    def _refuse(self, answer: Answer) -> None:
        if self._writer is not None:
            self._writer.abort()
            self._writer = None
        self._refusal = answer

    def _refused(self, answer: Answer) -> Answer:
        facts = {
            "status": answer.status,
            "calling_ae_title": self._envelope.calling_ae,
            "sop_class": self._envelope.sop_class_uid,
            "bytes": self._length,
        }
        if answer.status in SET_ASIDE:
            self._set_aside(answer)
            log.warning(LogEvent.INSTANCE_QUARANTINED, **facts)
        else:
            log.warning(LogEvent.INSTANCE_REFUSED, **facts)
        return answer

    def _set_aside(self, answer: Answer) -> None:
        reason, envelope = SET_ASIDE[answer.status], self._envelope
        try:
            key = self._door.spool.set_aside(bytes(self._copy), envelope, reason, answer.comment)
        except SpoolUnavailable as error:  # the sender keeps the object, it was refused
            self._door.unwritable(error)
            return
        self._door.index.refused(
            Refusal(
                rejection=Rejection("", reason, answer.comment, f"status-{answer.status:04x}"),
                received_at=envelope.received_at,
                origin=envelope.origin,
                calling_ae=envelope.calling_ae,
                peer_address=envelope.peer_address,
                quarantine_key=key,
            )
        )

    def _indexed(self, record: SpoolRecord) -> Answer:
        settings = self._door.settings
        if settings.strict and self._door.index.uids_differ(record, self._envelope):
            self._door.spool.remove(record.key)
            return self._refused(admission.UID_DIFFERS)
        ticket = self._door.admit(record, self._envelope)
        if settings.acknowledge is Acknowledge.DATABASE and not (
            ticket.wait(settings.index_lag_s) and ticket.recorded is not None
        ):
            return self._refused(admission.INDEX_LATE)
        return admission.STORED


def _file_meta(command: Command, transfer_syntax_uid: str, sender: Sender) -> bytes:
    """Return preamble and group 0002 (PS3.10 7.1) with the AE titles of both sides."""
    return file_meta(
        MetaIdentity(
            sop_class_uid=as_text(command.sop_class_uid),
            sop_instance_uid=as_text(command.sop_instance_uid),
            transfer_syntax_uid=transfer_syntax_uid,
            source_ae=sender.calling_ae,
            sending_ae=sender.calling_ae,
            receiving_ae=sender.called_ae,
        )
    )
