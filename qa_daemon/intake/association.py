"""One association on pynetdicom (PS3.7 9.1, PS3.8). Provisional: an own path replaces it.

Of pynetdicom we use the state machine, the negotiation and C-ECHO. Data set fragments go straight
into the spool as they come; no data set is decoded or kept in memory.
"""

import contextlib
import select
import socket
import ssl
from collections.abc import Callable
from typing import Final, cast

from attrs import frozen
from pydicom.uid import UID
from pynetdicom import AE, evt
from pynetdicom._globals import MODE_ACCEPTOR
from pynetdicom.association import Association
from pynetdicom.dimse import DIMSEServiceProvider
from pynetdicom.pdu_primitives import A_ASSOCIATE, P_DATA
from pynetdicom.presentation import PresentationContext, build_context
from pynetdicom.transport import AddressInformation, AssociationSocket

from qa_daemon.config.settings import ReceiverSettings
from qa_daemon.intake.admission import Answer, is_storage
from qa_daemon.intake.door import Door, Passage, Sender
from qa_daemon.intake.upper_layer.command import (
    C_ECHO_RQ,
    C_STORE_RQ,
    Command,
    read_command,
    store_response,
)
from qa_daemon.intake.upper_layer.pdu import PduReader
from qa_daemon.limits import Limits
from qa_daemon.telemetry.events import LogEvent
from qa_daemon.telemetry.log import log

VERIFICATION: Final = "1.2.840.10008.1.1"
# Messages of one association that lie spooled and unanswered; the next ones wait in the network.
UNANSWERED_MAX: Final = 2
PROTOCOL_ERROR: Final = "Evt19"  # PS3.8 table 9-8: answered by A-ABORT


def accepted_contexts(
    proposed: list[PresentationContext], settings: ReceiverSettings
) -> list[PresentationContext]:
    """Return what we support of the proposal: each storage class with every transfer syntax."""
    syntaxes: dict[str, list[UID]] = {}
    for context in proposed:
        name = str(context.abstract_syntax)
        if name == VERIFICATION or is_storage(name, settings):
            syntaxes.setdefault(name, []).extend(context.transfer_syntax)
    return [build_context(name, list(dict.fromkeys(found))) for name, found in syntaxes.items()]


@frozen
class Service:
    """What all associations share.

    Attributes
    ----------
    ended
        Called by an association once it has ended and its connection is closed.
    """

    ae: AE
    settings: ReceiverSettings
    limits: Limits
    door: Door
    ended: "Callable[[Inbound], None]"


@frozen
class _Request:
    """A C-STORE whose data set has come; stands in pynetdicom's queue of messages."""

    command: Command
    passage: Passage


class _Messages(DIMSEServiceProvider):
    """Takes C-STORE requests apart fragment by fragment (PS3.8 E.2); leaves C-ECHO to its base."""

    def __init__(self, association: "Inbound", service: Service) -> None:
        super().__init__(association)
        self._association = association
        self._service = service
        self._command = bytearray()
        self._underway: _Request | None = None

    def receive_primitive(self, primitive: P_DATA) -> None:
        """Take the fragments of one P-DATA-TF. Runs in the thread that reads the connection."""
        try:
            for context_id, fragment in primitive.presentation_data_value_list:
                self._take(context_id, memoryview(fragment))
        except ValueError:
            self._give_up()
        except Exception as error:  # noqa: BLE001  the edge: a bug ends this association only
            log.bug(error)
            self._give_up()

    def _give_up(self) -> None:
        self.abandon()
        self.dul.event_queue.put(PROTOCOL_ERROR)

    def _take(self, context_id: int, fragment: memoryview) -> None:
        if not fragment:
            raise ValueError("a fragment without its control byte")
        is_command, is_last = fragment[0] & 1, fragment[0] & 2
        if bool(is_command) != (self._underway is None):
            raise ValueError("fragments out of order")
        if not is_command:
            cast("_Request", self._underway).passage.write(fragment[1:])
            if is_last:
                self._pass_on(context_id)
            return
        self._command += fragment[1:]
        if len(self._command) > self._service.limits.command_set_bytes_max:
            raise ValueError("command set too long")
        if is_last:
            content, self._command = bytes(self._command), bytearray()
            self._begin(context_id, content)

    def _begin(self, context_id: int, content: bytes) -> None:
        command = read_command(content)
        if command.field == C_ECHO_RQ:
            whole = P_DATA()
            whole.presentation_data_value_list.append((context_id, b"\3" + content))
            super().receive_primitive(whole)
            return
        context = self._association._accepted_cx.get(context_id)  # noqa: SLF001  no other way
        if command.field != C_STORE_RQ or context is None:
            raise ValueError("no request that this service serves")
        sender = self._association.sender
        passage = self._service.door.open(command, str(context.transfer_syntax[0]), sender)
        self._underway = _Request(command, passage)
        if not command.has_data_set:
            self._pass_on(context_id)

    def _pass_on(self, context_id: int) -> None:
        request, self._underway = self._underway, None
        self.msg_queue.put((context_id, request))  # type: ignore[arg-type]  # only `_serve_request` looks at it

    def abandon(self) -> None:
        """Keep nothing of what was not answered."""
        if self._underway is not None:
            self._underway.passage.abandon()
            self._underway = None

    def abandon_all(self) -> None:
        """Keep nothing of what was not answered, once the connection is read no more."""
        self.abandon()
        while not self.msg_queue.empty():
            message: object = self.get_msg()[1]
            if isinstance(message, _Request):
                message.passage.abandon()


class _VettedSocket(AssociationSocket):
    """Lets pynetdicom see nothing but whole PDUs within their bounds."""

    def __init__(self, association: "Inbound", reader: PduReader) -> None:
        super().__init__(association, client_socket=reader.connection)
        self._reader = reader
        self._at_header = True

    @property
    def ready(self) -> bool:
        """Whether there is something to read, and room for what it may hold."""
        if self.socket is None or not self._is_connected:
            return False
        if self._reader.read_ahead:
            return True
        if self.assoc.dimse.msg_queue.qsize() >= UNANSWERED_MAX:
            return False
        if isinstance(self.socket, ssl.SSLSocket) and self.socket.pending():
            return True
        poll = select.poll()  # select() fails on descriptors from 1024 on
        poll.register(self.socket, select.POLLIN)
        return bool(poll.poll(0))

    def recv(self, nr_bytes: int) -> bytearray:
        """Return a header, then its body, and so on: the order in which pynetdicom asks."""
        at_header, self._at_header = self._at_header, not self._at_header
        return self._reader.read_header() if at_header else self._reader.read(nr_bytes)


class Inbound(Association):
    """One association with a peer that sends."""

    def __init__(self, service: Service, sender: Sender) -> None:
        super().__init__(service.ae, MODE_ACCEPTOR)
        self.name = "association"
        self.sender = sender
        self.service = service
        self.messages = _Messages(self, service)
        self.dimse = self.messages
        self.connection: socket.socket | None = None
        self.bind(evt.EVT_REQUESTED, self._support_what_is_asked)

    def begin(self, reader: PduReader) -> None:
        """Take the connection over; it is closed when the association ends."""
        self.connection = reader.connection
        self.set_socket(_VettedSocket(self, reader))
        host, port = reader.connection.getsockname()[:2]
        self.acceptor.maximum_length = self.ae.maximum_pdu_size
        self.acceptor.ae_title = self.ae.ae_title
        self.acceptor.address_info = AddressInformation(host, port)
        self.acceptor.implementation_class_uid = self.ae.implementation_class_uid
        self.acceptor.implementation_version_name = self.ae.implementation_version_name
        self.requestor.address_info = AddressInformation(self.sender.peer_address, 0)
        self.start()

    def run_reactor(self) -> None:
        """Serve until the association ends, however it ends."""
        self.service.door.association_opened(self.sender)
        log.info(
            LogEvent.ASSOCIATION_OPENED,
            address=self.sender.peer_address,
            calling_ae_title=self.sender.calling_ae,
        )
        try:
            super().run_reactor()
        finally:
            self.messages.abandon_all()
            if self.connection is not None:
                self.connection.close()
            self.service.ended(self)
            log.info(LogEvent.ASSOCIATION_ENDED, address=self.sender.peer_address)

    def hang_up(self) -> None:
        """Cut the connection; what was not answered is not ours."""
        if self.connection is not None:
            with contextlib.suppress(OSError):
                self.connection.shutdown(socket.SHUT_RDWR)

    def _support_what_is_asked(self, _event: evt.Event) -> None:
        request = cast("A_ASSOCIATE", self.requestor.primitive)
        proposed = request.presentation_context_definition_list
        self.acceptor.supported_contexts = accepted_contexts(proposed, self.service.settings)

    def _serve_request(self, msg: object, context_id: int) -> None:
        """Answer a C-STORE; leave C-ECHO to pynetdicom."""
        if not isinstance(msg, _Request):
            super()._serve_request(msg, context_id)  # type: ignore[arg-type]  # what the queue held
            return
        try:
            answer = msg.passage.finish()
        except Exception as error:  # noqa: BLE001  the edge: unanswered, so the sender repeats
            log.bug(error)
            self.abort()
            return
        self._respond(msg.command, answer, context_id)

    def _respond(self, command: Command, answer: Answer, context_id: int) -> None:
        response = P_DATA()
        content = b"\3" + store_response(command, answer)
        response.presentation_data_value_list.append((context_id, content))
        self.dul.send_pdu(response)
