"""What an assignment says: which series belong to which order, and which mistakes were made."""

from enum import StrEnum

from attrs import frozen

from qa_daemon.orders.evidence import Statement, Weighed
from qa_daemon.records.order import Order, OrderKey


class Kind(StrEnum):
    """How images and orders disagree."""

    MOVE = "move"
    SWAP = "swap"
    SPLIT = "split"
    SHARE = "share"
    ORDER_WITHOUT_IMAGES = "order without images"
    IMAGES_WITHOUT_ORDER = "images without order"


@frozen
class Filed:
    """A series of the visit, the orders that it names, and what is said of it."""

    series_instance_uid: str
    modality: str
    keys: tuple[OrderKey, ...]
    said: tuple[Statement, ...]


@frozen
class Move:
    """One series that belongs to another order than it names.

    Attributes
    ----------
    origin, target
        Both orders; `origin` None where the series names none that is known.
    against, support
        The evidence for the one and for the other.
    """

    series_instance_uid: str
    origin: Order | None
    target: Order
    against: Weighed
    support: Weighed

    @property
    def gain(self) -> float:
        """Log odds that the move gains."""
        return self.support.log_odds - self.against.log_odds

    @property
    def leaning(self) -> float:
        """What a model that abstained has for the move; it proves nothing."""
        return self.support.leaning - self.against.leaning


@frozen
class Proposal:
    """What belongs together: all moves of one mistake.

    Attributes
    ----------
    gain
        Log odds of all moves together; 0 where nothing moves.
    probability
        That the mistake was made, given the prior of `orders.assign`.
    orders, series_instance_uids
        Those concerned where nothing moves.
    """

    kind: Kind
    moves: tuple[Move, ...] = ()
    gain: float = 0.0
    probability: float = 0.0
    orders: tuple[Order, ...] = ()
    series_instance_uids: tuple[str, ...] = ()


@frozen
class Assigned:
    """How series and orders of a visit belong together.

    Attributes
    ----------
    orders
        Those that are in force.
    fit
        How well each series (row) fits each of them (column), in log odds.
    proposals
        What should change so that images and orders agree, surest first.
    """

    orders: tuple[Order, ...] = ()
    fit: tuple[tuple[float, ...], ...] = ()
    proposals: tuple[Proposal, ...] = ()
