"""An association to a peer that ends in time, and a C-FIND over it that stays within bounds."""

import contextlib
import socket
from collections.abc import Iterator, Sequence
from time import monotonic
from typing import Final

from attrs import frozen
from pydicom.dataset import Dataset
from pynetdicom import AE, evt
from pynetdicom.association import Association

from qa_daemon.errors import RetryableError
from qa_daemon.peers.bounded import Bounds

#: PS3.4 C.4.1.1.4: more answers follow.
_PENDING: Final = frozenset({0xFF00, 0xFF01})
_SUCCESS: Final = 0x0000
#: Values with these are patterns (PS3.4 C.2.2.2.4), and there is no way to say them plainly.
WILDCARDS: Final = frozenset("*?\\")


@frozen(kw_only=True)
class Peer:
    """Whom to ask.

    Attributes
    ----------
    deadline_s
        For one association with all that is asked over it.
    answers_max
        More are not taken; the query was too wide.
    """

    ae_title: str
    host: str
    port: int
    own_ae_title: str = "QADAEMON"
    deadline_s: float = 15.0
    answers_max: int = 200


@frozen
class Conversation:
    """An open association and until when it may be used."""

    peer: Peer
    association: Association
    sop_class: str
    until: float

    def find(self, identifier: Dataset) -> tuple[Dataset, ...]:
        """Return all answers to a query.

        Raises
        ------
        RetryableError
            If the peer fails, is too slow, or has too many answers.
        """
        answers: list[Dataset] = []
        for status, answer in self.association.send_c_find(identifier, self.sop_class):
            if monotonic() > self.until:
                raise self._failure("takes too long")
            code = status.get("Status") if status else None
            if code in _PENDING:
                if len(answers) >= self.peer.answers_max:
                    raise self._failure(f"has more than {self.peer.answers_max} answers")
                if answer is not None:
                    answers.append(answer)
            elif code != _SUCCESS:
                said = "breaks off" if code is None else f"answers {code:04X} to a query"
                raise self._failure(said)
        return tuple(answers)

    def _failure(self, what: str) -> RetryableError:
        self.association.abort()
        return RetryableError(f"{_named(self.peer)}: {what}")


@contextlib.contextmanager
def conversation(peer: Peer, sop_class: str) -> Iterator[Conversation]:
    """Open an association for one SOP class; it is released, or aborted, at the end.

    Raises
    ------
    RetryableError
        If the peer cannot be reached or refuses.
    """
    entity = AE(peer.own_ae_title)
    entity.add_requested_context(sop_class)
    # A third for each wait, so that connecting, asking and releasing stay within the deadline.
    entity.connection_timeout = entity.acse_timeout = peer.deadline_s / 3
    entity.dimse_timeout = entity.network_timeout = peer.deadline_s / 3
    until = monotonic() + peer.deadline_s
    _reach(peer)
    association = entity.associate(
        peer.host,
        peer.port,
        ae_title=peer.ae_title,
        evt_handlers=[(evt.EVT_CONN_OPEN, Bounds(until).hold)],
    )
    if not association.is_established:
        reason = "refuses the association" if association.is_rejected else "does not answer"
        raise RetryableError(f"{_named(peer)}: {reason}; see its log, and the AE titles")
    try:
        if not association.accepted_contexts:
            raise RetryableError(f"{_named(peer)}: does not serve {sop_class}")
        yield Conversation(peer, association, sop_class, until)
    finally:
        if association.is_established:
            association.release()


def _reach(peer: Peer) -> None:
    """Try the port first: pynetdicom leaves the socket of a failed connection open."""
    try:
        with socket.create_connection((peer.host, peer.port), timeout=peer.deadline_s / 3):
            pass
    except OSError as error:
        raise RetryableError(
            f"{_named(peer)}: cannot be reached: {error.strerror or 'no answer'}; see host and port"
        ) from error


def _named(peer: Peer) -> str:
    return f"{peer.ae_title} at {peer.host}:{peer.port}"


def is_plain(text: str) -> bool:
    """Whether a value can be asked for: filled, and no pattern."""
    return bool(text) and not WILDCARDS.intersection(text)


def values(answer: Dataset, keyword: str) -> Sequence[Dataset]:
    """Return the items of a sequence, `()` if it is absent."""
    found = answer.get(keyword)
    return found if found is not None and answer[keyword].VR == "SQ" else ()


def text(answer: Dataset, keyword: str) -> str:
    """Return a value as stripped text, "" if it is absent or empty; of several the first."""
    found = answer.get(keyword)
    if found is None:
        return ""
    if isinstance(found, str):
        return found.strip()
    if isinstance(found, Sequence):
        return str(found[0]).strip() if found else ""
    return str(found).strip()
