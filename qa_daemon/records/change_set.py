"""What a decision wants to be written, as it leaves the house."""

from datetime import datetime
from enum import StrEnum

from attrs import frozen

from qa_daemon.records.finding import Suggestion


class ChangeKind(StrEnum):
    """Whether elements are to be changed, or changed back."""

    CHANGE = "change"
    REVERSE = "reverse"


class EntryState(StrEnum):
    """How a change set stands with one of the places that it goes to."""

    QUEUED = "queued"  # for its time, or for a peer that is away
    SENT = "sent"
    REFUSED = "refused"  # for good, by the peer; parked until a person looks
    WITHDRAWN = "withdrawn"  # undone before it left
    SUPERSEDED = "superseded"  # a newer revision came before it left, and asks again
    DROPPED = "dropped"  # by a person


@frozen(kw_only=True)
class ChangeSet:
    """A decision as an instruction to whoever may write.

    Attributes
    ----------
    uid
        Stays the same however often it is sent; a peer that sees it again has it already.
    reverses
        UID of the change set that this one takes back; "" of a first one.
    series_key, series_instance_uid
        "" where the whole study or visit is meant.
    first_by
        The first of two persons; "" where one was enough.
    """

    uid: str
    kind: ChangeKind
    reverses: str = ""
    finding_id: int
    rule: str
    topic: str
    message: str
    series_key: str
    study_instance_uid: str
    series_instance_uid: str
    modality: str
    revision: int
    decided_by: str
    decided_at: datetime
    first_by: str = ""
    words: str = ""
    suggestion: Suggestion
