"""What is known about an object at the moment it came in, and what became of it."""

from datetime import datetime
from enum import StrEnum

from attrs import field, frozen, validators

from qa_daemon.records.finding import Rejection
from qa_daemon.records.instance import Instance


class Origin(StrEnum):
    """The way by which an object came."""

    CSTORE = "cstore"
    FOLDER = "folder"


def _is_aware(_owner: object, attribute: object, value: datetime) -> None:
    """Refuse a time without a zone: it would mean something else on the next machine."""
    if value.tzinfo is None:
        msg = f"{attribute}: give the time zone"
        raise ValueError(msg)


@frozen(kw_only=True)
class Envelope:
    """What surrounds an object: enough to rebuild the database from the spool alone.

    Attributes
    ----------
    received_at
        When the object began to arrive, with its time zone.
    association_id
        Names the association in the log and the store; "" for files.
    sop_class_uid, sop_instance_uid
        As in the C-STORE command set (PS3.7 9.3.1.1), "" for files. Hostile until checked.
    transfer_syntax_uid
        As negotiated; for files as in their file meta, "" if they have none.
    file_name
        The path under the watched folder, members as `a.zip!/dir/x`; "" for C-STORE.
    data_set_offset
        Bytes of preamble and file meta before the data set; the digest begins there.
    """

    received_at: datetime = field(validator=[validators.instance_of(datetime), _is_aware])
    origin: Origin = Origin.CSTORE
    calling_ae: str = ""
    called_ae: str = ""
    peer_address: str = ""
    association_id: str = ""
    sop_class_uid: str = ""
    sop_instance_uid: str = ""
    transfer_syntax_uid: str = ""
    file_name: str = ""
    data_set_offset: int = field(default=0, validator=validators.ge(0))


@frozen
class SpoolRecord:
    """A durable object.

    Attributes
    ----------
    key
        Generated, 32 hex digits; keys sort by the time of arrival.
    length
        Bytes of the whole object, file meta included.
    data_set_sha256
        Over the data set bytes alone (from `data_set_offset` on), hex.
    """

    key: str
    length: int
    data_set_sha256: str


@frozen(kw_only=True)
class Receipt:
    """One spooled object for the store: what it is, or why it could not be read.

    Exactly one of `instance` and `rejection` is set.
    """

    record: SpoolRecord
    envelope: Envelope
    instance: Instance | None = None
    rejection: Rejection | None = None

    def __attrs_post_init__(self) -> None:
        """Hold the one-of."""
        assert (self.instance is None) != (self.rejection is None)


class Recording(StrEnum):
    """What the store made of a receipt."""

    NEW = "new"  # a row of its own
    COLLIDING = "colliding"  # a row of its own; the same SOP Instance UID lies there otherwise
    REPEAT = "repeat"  # counted only: the same UID with the same bytes lies there already
    KNOWN = "known"  # this spool key has its row already


@frozen
class Recorded:
    """The answer to one receipt.

    Attributes
    ----------
    spool_key
        Of the receipt.
    kept_key
        Where the object lies: differs from `spool_key` for a repeat, whose second copy is to be
        removed from the spool.
    series_key
        "" for objects that could not be read.
    revision
        Of the series, after this object.
    """

    spool_key: str
    outcome: Recording
    kept_key: str
    series_key: str = ""
    revision: int = 0


@frozen(kw_only=True)
class Arrival:
    """How far a series has come in, as the decision to settle it needs.

    Attributes
    ----------
    begun_at, last_received_at
        Of this revision: its first and its latest object, repeats included.
    instance_count
        Readable instances of all revisions.
    associations_ended
        Every association that brought objects of this revision has ended; False where files took
        part, as they have none.
    later_series_begun_at
        When another series of the same study from the same calling AE began after this one.
    """

    series_key: str
    study_instance_uid: str
    series_instance_uid: str
    modality: str
    revision: int
    calling_ae: str
    begun_at: datetime
    last_received_at: datetime
    instance_count: int
    associations_ended: bool
    later_series_begun_at: datetime | None = None
