"""The C-STORE receiver: listens, admits, and runs an association per peer (PS3.4 B)."""

import logging
import socket
import threading
import uuid
from typing import Final

from pynetdicom import AE, _config

from qa_daemon.config.settings import ReceiverSettings
from qa_daemon.intake.admission import Applicant, Rejection, refused_association
from qa_daemon.intake.association import Inbound, Service
from qa_daemon.intake.door import Door, Sender
from qa_daemon.intake.upper_layer.front import Front, Reception
from qa_daemon.intake.upper_layer.listener import listen, tls_context
from qa_daemon.intake.upper_layer.pdu import PduReader
from qa_daemon.limits import Limits
from qa_daemon.telemetry.events import LogEvent
from qa_daemon.telemetry.log import log

HANG_UP_S: Final = 5.0  # for the threads of an association whose connection we have cut


class Receiver:
    """The listening service. Start it after every spool record has its row.

    Raises
    ------
    ConfigurationError
        If it cannot listen where the settings say, or TLS cannot be set up.
    """

    def __init__(self, settings: ReceiverSettings, limits: Limits, door: Door) -> None:
        self._limits = limits
        self._door = door
        self.exchange(settings)
        self._open: list[Inbound] = []
        self._changed = threading.Condition()
        tls = tls_context(settings.tls)
        listener = listen(settings)
        self.port = int(listener.getsockname()[1])
        self._front = Front(
            listener,
            Reception(self._admit, self._establish),
            limits,
            request_timeout_s=settings.request_timeout_s,
            tls=tls,
        )

    def exchange(self, settings: ReceiverSettings) -> None:
        """Take settings in force for associations that begin from now on."""
        self._settings = settings
        entity = _application_entity(settings)
        self._service = Service(entity, settings, self._limits, self._door, self._forget)

    def start(self) -> None:
        """Begin to accept associations."""
        self._front.start()

    def stop(self, timeout_s: float) -> None:
        """Accept no more; let associations end by themselves, then abort those that are left."""
        self._front.stop()
        with self._changed:
            self._changed.wait_for(lambda: not self._open, timeout_s)
            left = list(self._open)
        for association in left:
            association.hang_up()
        for association in left:
            association.join(HANG_UP_S)

    def addresses(self) -> list[str]:
        """Return the address of each open association."""
        with self._changed:
            return [association.sender.peer_address for association in self._open]

    def _forget(self, association: Inbound) -> None:
        """Free the place of an association that has ended."""
        with self._changed:
            if association in self._open:
                self._open.remove(association)
            self._changed.notify_all()
        self._door.association_ended(association.sender.association_id)

    def _admit(self, applicant: Applicant) -> Rejection | None:
        rejection = refused_association(applicant, self._settings, self.addresses())
        if rejection is not None:
            log.warning(
                LogEvent.ASSOCIATION_REFUSED,
                address=applicant.address,
                calling_ae_title=applicant.calling_ae_title,
                status=rejection.reason,
            )
        return rejection

    def _establish(self, connection: socket.socket, request: bytes, applicant: Applicant) -> None:
        connection.settimeout(self._settings.pdu_timeout_s)
        reader = PduReader(
            connection,
            bytearray(request),
            length_max=self._settings.pdu_length_max,
            timeout_s=self._settings.pdu_timeout_s,
        )
        sender = Sender(
            association_id=uuid.uuid4().hex,
            peer_address=applicant.address,
            calling_ae=applicant.calling_ae_title,
            called_ae=applicant.called_ae_title,
        )
        association = Inbound(self._service, sender)
        with self._changed:
            self._open.append(association)
        try:
            association.begin(reader)
        except (OSError, RuntimeError) as error:  # gone already, or no thread to be had
            log.warning(LogEvent.CONNECTION_REFUSED, address=applicant.address, cause=type(error))
            connection.close()
            self._forget(association)


def _application_entity(settings: ReceiverSettings) -> AE:
    # pynetdicom's own log quotes titles and UIDs as received: nothing of it may reach our log.
    _config.LOG_HANDLER_LEVEL = "none"
    logging.getLogger("pynetdicom").setLevel(logging.CRITICAL + 1)
    entity = AE(settings.ae_title)
    entity.maximum_pdu_size = settings.pdu_length_max
    entity.maximum_associations = settings.associations_max + 1  # we count ourselves, before
    entity.acse_timeout = settings.request_timeout_s
    entity.dimse_timeout = settings.idle_timeout_s
    entity.network_timeout = settings.idle_timeout_s
    return entity
