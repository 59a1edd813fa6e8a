"""N-CREATE of a work item at a peer (PS3.7 10.1.5)."""

from typing import Final

from pydicom.dataset import Dataset

from qa_daemon.errors import RetryableError
from qa_daemon.peers.association import Peer, conversation

#: As much of Error Comment as a peer may send (LO).
COMMENT_LENGTH_MAX: Final = 64


def create(peer: Peer, sop_class: str, uid: str, item: Dataset) -> tuple[int, str]:
    """Return the status of the peer and its Error Comment, "" without one.

    Raises
    ------
    RetryableError
        If the peer cannot be reached, does not serve the class, or breaks off.
    """
    with conversation(peer, sop_class) as talk:
        answer, _ = talk.association.send_n_create(item, sop_class, uid)
    if not answer or "Status" not in answer:
        raise RetryableError(f"{peer.ae_title} at {peer.host}:{peer.port}: breaks off")
    comment = str(answer.get("ErrorComment") or "")[:COMMENT_LENGTH_MAX]
    return int(answer.Status), comment.strip()
