"""How the series and the orders of a visit belong together: what a finding about it rests on."""

from attrs import frozen


@frozen
class VisitSeries:
    """A series of the visit, as a person knows it.

    Attributes
    ----------
    accession_numbers
        Of the orders that it names.
    shows
        What its pixels show, such as `KNEE R`; "" where nothing was decided.
    """

    series_instance_uid: str
    study_instance_uid: str
    modality: str = ""
    number: str = ""
    description: str = ""
    accession_numbers: tuple[str, ...] = ()
    shows: str = ""


@frozen
class VisitOrder:
    """An order of the visit.

    Attributes
    ----------
    issuer
        Of the accession number: its namespace, else its universal id.
    asks_for
        Parts with their side, such as `KNEE R`, the surest first.
    is_told
        Whether worklist, message or archive told of it, and not the images alone.
    """

    accession_number: str
    issuer: str = ""
    description: str = ""
    asks_for: tuple[str, ...] = ()
    modalities: tuple[str, ...] = ()
    is_told: bool = True


@frozen
class Testimony:
    """What one witness says of a series, in log odds for the order named and the order meant."""

    witness: str
    said: str
    for_origin: float
    for_target: float


@frozen
class VisitMove:
    """A series that belongs to another order than it names.

    Attributes
    ----------
    origin, target
        Places in `Assignment.orders`, from 0; `origin` None where it names none that is known.
    gain
        Log odds that the move gains.
    """

    series_instance_uid: str
    origin: int | None
    target: int
    gain: float
    testimonies: tuple[Testimony, ...] = ()


@frozen
class Assignment:
    """All that a finding about series and orders of one visit rests on.

    Attributes
    ----------
    kind
        move, swap, split, share, order without images, images without order.
    gain, probability
        Of all moves together, in log odds; 0 where nothing moves.
    fit
        How well each series (row) fits each order (column), in log odds.
    moves
        Those of this finding; other findings of the visit have their own.
    orders_concerned, series_concerned
        Where nothing moves: places in `orders`, and Series Instance UIDs.
    """

    kind: str
    series: tuple[VisitSeries, ...]
    orders: tuple[VisitOrder, ...]
    fit: tuple[tuple[float, ...], ...]
    moves: tuple[VisitMove, ...] = ()
    gain: float = 0.0
    probability: float = 0.0
    orders_concerned: tuple[int, ...] = ()
    series_concerned: tuple[str, ...] = ()
