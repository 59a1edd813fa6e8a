"""PDUs (PS3.8 9.3): their headers, the two that we write ourselves, and a reader that vets them."""

import contextlib
import socket
import time
from enum import IntEnum
from typing import Final

from attrs import define, field

from qa_daemon.intake.admission import Applicant, Rejection, as_text
from qa_daemon.telemetry.events import LogEvent
from qa_daemon.telemetry.log import log

HEADER_LENGTH: Final = 6  # type, reserved, length in four bytes
REQUEST_LENGTH_MIN: Final = 68  # fixed fields of A-ASSOCIATE-RQ (PS3.8 table 9-11)
ITEM_HEADER_LENGTH: Final = 4  # type, reserved, length in two bytes
PRESENTATION_CONTEXT_ITEM: Final = 0x20
SHORT_PDU_LENGTH_MAX: Final = 64  # release and abort have 4
CLOSE_WAIT_S: Final = 2.0  # the peer may read our refusal before the connection goes


class PduType(IntEnum):
    """PDU types of PS3.8 9.3."""

    A_ASSOCIATE_RQ = 1
    A_ASSOCIATE_AC = 2
    A_ASSOCIATE_RJ = 3
    P_DATA_TF = 4
    A_RELEASE_RQ = 5
    A_RELEASE_RP = 6
    A_ABORT = 7


class AbortReason(IntEnum):
    """Reasons of an A-ABORT by the service provider (PS3.8 table 9-26)."""

    NOT_SPECIFIED = 0
    UNRECOGNIZED_PDU = 1
    UNEXPECTED_PDU = 2
    INVALID_PARAMETER_VALUE = 6


def abort_pdu(reason: AbortReason) -> bytes:
    """Return an A-ABORT of source 2 (PS3.8 9.3.8)."""
    return bytes((PduType.A_ABORT, 0, 0, 0, 0, 4, 0, 0, 2, reason))


def reject_pdu(rejection: Rejection) -> bytes:
    """Return an A-ASSOCIATE-RJ (PS3.8 9.3.4)."""
    head = bytes((PduType.A_ASSOCIATE_RJ, 0, 0, 0, 0, 4, 0))
    return head + bytes((rejection.result, rejection.source, rejection.reason))


def applicant(request_pdu: bytes, address: str) -> Applicant:
    """Return who sent a whole A-ASSOCIATE-RQ (PS3.8 table 9-11)."""
    calling, called = request_pdu[26:42], request_pdu[10:26]
    return Applicant(address, as_text(calling.strip(b" \0")), as_text(called.strip(b" \0")))


class PduViolationError(OSError):
    """The peer broke the rules of PS3.8; A-ABORT is sent and the connection shut down."""


def header_fault(header: bytes, length_max: int) -> AbortReason | None:
    """Return what is wrong with the header of a PDU that follows the A-ASSOCIATE-RQ."""
    length = int.from_bytes(header[2:HEADER_LENGTH], "big")
    if header[0] == PduType.P_DATA_TF:
        return AbortReason.INVALID_PARAMETER_VALUE if length > length_max else None
    if header[0] in (PduType.A_RELEASE_RQ, PduType.A_RELEASE_RP, PduType.A_ABORT):
        over = length > SHORT_PDU_LENGTH_MAX
        return AbortReason.INVALID_PARAMETER_VALUE if over else None
    if header[0] in PduType.__members__.values():
        return AbortReason.UNEXPECTED_PDU
    return AbortReason.UNRECOGNIZED_PDU


@define
class PduReader:
    """Reads whole PDUs from a connection whose A-ASSOCIATE-RQ has been read already.

    Attributes
    ----------
    read_ahead
        What was read before: the A-ASSOCIATE-RQ.
    length_max
        The announced maximum of the variable field of P-DATA-TF (PS3.8 D.1).
    timeout_s
        From the first to the last byte of one PDU.
    """

    connection: socket.socket
    read_ahead: bytearray
    length_max: int
    timeout_s: float
    _deadline: float = field(default=0.0, init=False)

    def read_header(self) -> bytearray:
        """Return the six bytes of the next header, fewer at the end of the stream.

        Raises
        ------
        PduViolationError
            If the type is unknown or the length over its bound.
        OSError
            If the connection fails.
        """
        self._deadline = time.monotonic() + self.timeout_s
        self._answer_at_once()
        is_request = bool(self.read_ahead)
        header = self.read(HEADER_LENGTH)
        if not is_request and len(header) == HEADER_LENGTH:
            fault = header_fault(bytes(header), self.length_max)
            if fault is not None:
                raise self._violation(fault)
        return header

    def read(self, size: int) -> bytearray:
        """Return `size` bytes of the PDU, fewer at the end of the stream."""
        if self.read_ahead:
            content = self.read_ahead[:size]
            del self.read_ahead[:size]
            return content
        content = bytearray(size)
        view, filled = memoryview(content), 0
        while filled < size:
            count = self._receive(view[filled:])
            if not count:
                break
            filled += count
        view.release()
        del content[filled:]
        return content

    def _answer_at_once(self) -> None:
        """Have this PDU acknowledged by TCP without the usual 40 ms.

        A peer that sends command and data set in two small segments without TCP_NODELAY waits for
        that acknowledgement: 51 ms per small object became 8. Linux forgets the option each time.
        """
        if hasattr(socket, "TCP_QUICKACK") and self.connection.family != socket.AF_UNIX:
            with contextlib.suppress(OSError):  # gone already: reading will tell
                self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)

    def _receive(self, into: memoryview) -> int:
        left_s = self._deadline - time.monotonic()
        if left_s <= 0:
            raise self._violation(AbortReason.NOT_SPECIFIED)
        self.connection.settimeout(left_s)
        try:
            return self.connection.recv_into(into)
        except TimeoutError as error:
            raise self._violation(AbortReason.NOT_SPECIFIED) from error
        finally:
            self.connection.settimeout(self.timeout_s)

    def _violation(self, reason: AbortReason) -> PduViolationError:
        with contextlib.suppress(OSError):
            self.connection.settimeout(CLOSE_WAIT_S)
            self.connection.sendall(abort_pdu(reason))
            self.connection.shutdown(socket.SHUT_RDWR)
        log.warning(LogEvent.ASSOCIATION_ABORTED, reason=reason.name.lower())
        return PduViolationError(f"PDU refused: {reason.name.lower()}")


def request_fault(received: bytes | bytearray, length_max: int) -> AbortReason | None:
    """Return what is wrong with the first bytes of a connection, which begin A-ASSOCIATE-RQ.

    Once it is whole, its contexts are looked at, too: pynetdicom fails on an even id, and would
    accept an association without any.
    """
    if received and received[0] != PduType.A_ASSOCIATE_RQ:
        known = received[0] in PduType.__members__.values()
        return AbortReason.UNEXPECTED_PDU if known else AbortReason.UNRECOGNIZED_PDU
    if len(received) < HEADER_LENGTH:
        return None
    length = int.from_bytes(received[2:HEADER_LENGTH], "big")
    if not REQUEST_LENGTH_MIN <= length <= length_max:
        return AbortReason.INVALID_PARAMETER_VALUE
    if len(received) < HEADER_LENGTH + length:
        return None
    items = memoryview(received)[HEADER_LENGTH + REQUEST_LENGTH_MIN : HEADER_LENGTH + length]
    are_proper = _are_proper(_context_ids(items))
    return None if are_proper else AbortReason.INVALID_PARAMETER_VALUE


def _context_ids(items: memoryview) -> list[int]:
    """Return the ids of the proposed contexts (PS3.8 9.3.2.2); 0 for an item that is cut short."""
    found = []
    while len(items):
        end = ITEM_HEADER_LENGTH + int.from_bytes(items[2:ITEM_HEADER_LENGTH], "big")
        if len(items) < max(end, ITEM_HEADER_LENGTH):
            return [0]
        if items[0] == PRESENTATION_CONTEXT_ITEM:
            found.append(items[ITEM_HEADER_LENGTH] if end > ITEM_HEADER_LENGTH else 0)
        items = items[end:]
    return found


def _are_proper(context_ids: list[int]) -> bool:
    """Whether there is a context at all, and each has an odd id of its own (PS3.8 7.1.1.13)."""
    is_odd = all(number % 2 for number in context_ids)
    return bool(context_ids) and is_odd and len(set(context_ids)) == len(context_ids)
