"""A work item by N-CREATE of Unified Procedure Step - Push (PS3.4 CC.2.5)."""

from pydicom.dataset import Dataset

from qa_daemon.config.export import UpsSettings
from qa_daemon.errors import RetryableError
from qa_daemon.export.package import Answer, Package, Verdict
from qa_daemon.export.written.as_workitem import UPS_PUSH, workitem
from qa_daemon.peers.association import Peer
from qa_daemon.peers.workitems import create

#: The peer has an instance of this UID already (PS3.7 C.5.7), which is this one.
_DUPLICATE = 0x0111
#: Out of resources, processing failure (PS3.7 C.5.16, C.5.6; PS3.4 CC.2.5.4): time may mend them.
_PASSING = frozenset({0x0110, 0x0213})
#: Made, with attributes changed by the peer (PS3.4 CC.2.5.4).
_MODIFIED = 0xB300


def send(settings: UpsSettings, own_ae_title: str, package: Package) -> Answer:
    """Make the work item whose UID is that of the change set."""
    peer = Peer(
        ae_title=settings.ae_title,
        host=settings.host,
        port=settings.port,
        own_ae_title=own_ae_title,
        deadline_s=settings.deadline_s,
    )
    item = Dataset.from_json(workitem(package))
    try:
        status, comment = create(peer, UPS_PUSH, package.change_set.uid, item)
    except RetryableError as error:
        return Answer(verdict=Verdict.LATER, words=str(error))
    said = " ".join(filter(None, (f"status {status:04X}", comment)))
    if status in {0x0000, _DUPLICATE, _MODIFIED}:
        return Answer(verdict=Verdict.SENT, words=said)
    return Answer(verdict=Verdict.LATER if status in _PASSING else Verdict.REFUSED, words=said)
