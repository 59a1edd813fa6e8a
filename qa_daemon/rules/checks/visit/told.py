"""A proposal about a visit in words, and as the value that pictures of it are drawn from."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from qa_daemon.dicom.regions import body_parts
from qa_daemon.orders.evidence import Weighed, Witness
from qa_daemon.orders.proposal import Assigned, Filed, Kind, Move, Proposal
from qa_daemon.records.assignment import (
    Assignment,
    Testimony,
    VisitMove,
    VisitOrder,
    VisitSeries,
)
from qa_daemon.records.element import first_text
from qa_daemon.records.order import NamedRegion, Order, OrderSource
from qa_daemon.records.series import Series
from qa_daemon.rules.facts import VisitFacts

#: Series that a message names; a reader looks at the list for the rest.
NAMED_MAX: Final = 4
_BEGINNINGS: Final[Mapping[Kind, str]] = {
    Kind.SWAP: "The images of {orders} orders seem exchanged. ",
    Kind.SPLIT: "Images of several orders seem filed under one. ",
    Kind.MOVE: "",
    Kind.SHARE: "",
}
_SIDES: Final = {"L": "left", "R": "right", "B": "left and right"}
_DECIMALS: Final = 2


def message(visit: VisitFacts, proposal: Proposal) -> str:
    """Return what is to be done, with series and accessions as a technician knows them."""
    orders = {order.key for move in proposal.moves for order in (move.origin, move.target) if order}
    told = [_moved(visit, proposal.kind, move) for move in proposal.moves[:NAMED_MAX]]
    more = len(proposal.moves) - NAMED_MAX
    if more > 0:
        told.append(f"So with {more} more series.")
    return _BEGINNINGS[proposal.kind].format(orders=len(orders)) + " ".join(told)


def _moved(visit: VisitFacts, kind: Kind, move: Move) -> str:
    series = series_of(visit, move.series_instance_uid)
    shown = in_words(_seen(move.support)) or _lean(move)
    begins = f"{name_of(series)} {shown}"
    target = f"{number_of(move.target)} ({asked(move.target)})"
    if kind is Kind.SHARE:
        own = "" if move.origin is None else f" under {number_of(move.origin)}"
        return f"{begins}; filed{own}, it serves {target}, too, which has no images of its own."
    if move.origin is None:
        return f"{begins} and names no order that is known; it fits {target}."
    return (
        f"{begins}; its accession {number_of(move.origin)} was ordered as {asked(move.origin)}. "
        f"It fits {target}."
    )


def _lean(move: Move) -> str:
    """Return what is said of images that nobody could judge."""
    return "was made together with these" if not _seen(move.support) else "shows something else"


def in_words(shown: Sequence[str]) -> str:
    """Return `shows the left knee` for what witnesses of the pixels said, "" for nothing."""
    parts = " ".join(_SIDES.get(each) or _word(each) for each in shown)
    return f"shows the {parts}" if parts else ""


def _word(term: str) -> str:
    known = body_parts().get(term)
    return term.lower() if known is None else known.meaning.lower().removesuffix(" joint")


def _seen(weighed: Weighed) -> list[str]:
    """Return side and part that the pixels show, the side first."""
    said = {item.witness: item.said for item in weighed.items}
    return [said[each] for each in (Witness.PIXEL_SIDE, Witness.PIXELS) if each in said]


def asked(order: Order) -> str:
    """Return what an order asks for, in words: its surest parts, else its own text."""
    heavy = [each for each in order.regions if each.weight >= order.regions[0].weight / 2]
    return ", ".join(map(_region, heavy)) or order.description or "unknown parts"


def _region(region: NamedRegion) -> str:
    side = f"{_SIDES[region.side]} " if region.side else ""
    return side + _word(region.region)


def number_of(order: Order) -> str:
    """Return the accession number of an order, or what stands for it."""
    return order.key.accession_number or order.requested_procedure_id or "an order without number"


def name_of(series: Series) -> str:
    """Return a series as a technician knows it: `Series 3 "Knie re."`."""
    number = first_text(series.shared, "SeriesNumber")
    description = first_text(series.shared, "SeriesDescription")
    quoted = f'"{description}"' if description else ""
    return " ".join(filter(None, ("Series", number, quoted))) if number or quoted else "A series"


def series_of(visit: VisitFacts, series_instance_uid: str) -> Series:
    """Return a series of the visit."""
    return next(each for each in visit.series if each.series_instance_uid == series_instance_uid)


# --- the value -----------------------------------------------------------------------------------


def assignment(visit: VisitFacts, proposal: Proposal) -> Assignment:
    """Return everything that a finding about this proposal rests on."""
    known = visit.assigned
    columns = {order.key: column for column, order in enumerate(known.orders)}
    filed = {each.series_instance_uid: each for each in visit.filed}
    return Assignment(
        kind=proposal.kind.value,
        series=tuple(_series(each, filed[each.series_instance_uid]) for each in visit.series),
        orders=tuple(map(_order, known.orders)),
        fit=_fit(known),
        moves=tuple(
            VisitMove(
                move.series_instance_uid,
                None if move.origin is None else columns[move.origin.key],
                columns[move.target.key],
                round(move.gain, _DECIMALS),
                tuple(_testimonies(move)),
            )
            for move in proposal.moves
        ),
        gain=round(proposal.gain, _DECIMALS),
        probability=round(proposal.probability, 4),
        orders_concerned=tuple(columns[order.key] for order in proposal.orders),
        series_concerned=proposal.series_instance_uids,
    )


def _fit(known: Assigned) -> tuple[tuple[float, ...], ...]:
    return tuple(tuple(round(each, _DECIMALS) for each in row) for row in known.fit)


def _series(series: Series, filed: Filed) -> VisitSeries:
    seen = {each.witness: each.regions for each in filed.said if not each.is_written}
    part = max(seen.get(Witness.PIXELS, ()), key=lambda each: each.weight, default=None)
    side = max(seen.get(Witness.PIXEL_SIDE, ()), key=lambda each: each.weight, default=None)
    said = (part.region if part else "", side.side or "" if side else "")
    return VisitSeries(
        series.series_instance_uid,
        series.study_instance_uid,
        series.modality,
        first_text(series.shared, "SeriesNumber"),
        first_text(series.shared, "SeriesDescription"),
        tuple(key.accession_number for key in filed.keys),
        " ".join(filter(None, said)),
    )


def _order(order: Order) -> VisitOrder:
    return VisitOrder(
        order.key.accession_number,
        order.key.issuer.namespace or order.key.issuer.universal_id,
        order.description,
        tuple(f"{each.region} {each.side or ''}".strip() for each in order.regions),
        tuple(sorted(order.modalities)),
        order.source is not OrderSource.IMAGES,
    )


def _testimonies(move: Move) -> Iterator[Testimony]:
    """Yield each witness, what it says, and its log odds for the order named and the one meant."""
    against = {(each.witness, each.said): each.log_odds for each in move.against.items}
    for each in move.support.items:
        yield Testimony(
            each.witness.value,
            each.said,
            round(against.get((each.witness, each.said), 0.0), _DECIMALS),
            round(each.log_odds, _DECIMALS),
        )


def evidence(visit: VisitFacts, proposal: Proposal) -> dict[str, str]:
    """Return the evidence for people: a line for each series with its witnesses and weights."""
    told = {"proposal": proposal.kind.value, "gain": f"{proposal.gain:+.1f}"}
    for number, move in enumerate(proposal.moves, start=1):
        series = name_of(series_of(visit, move.series_instance_uid))
        origin = "no order" if move.origin is None else number_of(move.origin)
        name = f"{number}: {series}, {origin} -> {number_of(move.target)}"
        told[name] = "; ".join(_weights(_testimonies(move)))
    return told


def _weights(testimonies: Iterable[Testimony]) -> Iterator[str]:
    for each in testimonies:
        yield f"{each.witness} {each.said} {each.for_origin:+.1f} / {each.for_target:+.1f}"
