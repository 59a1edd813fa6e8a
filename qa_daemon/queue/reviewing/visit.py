"""The visit of a finding: its series and orders, what belongs where, and how well each fits."""

from collections.abc import Sequence
from math import exp
from typing import Final

from attrs import frozen

from qa_daemon.orders.asked import with_told
from qa_daemon.orders.evidence import weigh
from qa_daemon.orders.proposal import Proposal
from qa_daemon.orders.visit import each_once
from qa_daemon.records.element import first_text
from qa_daemon.records.inference import Inference
from qa_daemon.records.order import Order, OrderSource, Told
from qa_daemon.records.series import Series
from qa_daemon.rules.facts import VisitFacts
from qa_daemon.series.assemble import assemble
from qa_daemon.store import instance_rows, result_rows
from qa_daemon.store.database import Store
from qa_daemon.store.previews import preview_rows
from qa_daemon.store.visits import order_rows

#: A graph of more is no graph; the matrix is cut the same.
SERIES_MAX: Final = 12
ORDERS_MAX: Final = 8


@frozen(kw_only=True)
class SeriesCard:
    """One series of the visit.

    Attributes
    ----------
    thumbnail
        The file of its picture, "" where there is none.
    """

    series_key: str
    name: str
    modality: str
    shows: tuple[str, ...]
    probability: float | None
    thumbnail: str
    is_own: bool


@frozen(kw_only=True)
class OrderCard:
    """One order of the visit."""

    accession: str
    text: str
    expects: tuple[str, ...]
    holds: int
    told_by: str


@frozen
class Wire:
    """A line between an order and a series, by their places: as it is, proposed, or both."""

    order: int
    series: int
    is_now: bool
    is_proposed: bool


@frozen(kw_only=True)
class Visit:
    """What the graph and the matrix show.

    Attributes
    ----------
    fit
        By series, then by order: 0 to 1.
    """

    series: tuple[SeriesCard, ...]
    orders: tuple[OrderCard, ...]
    wires: tuple[Wire, ...]
    fit: tuple[tuple[float, ...], ...]
    kind: str = ""
    probability: float | None = None

    @property
    def moves(self) -> bool:
        """Whether anything is proposed."""
        return any(each.is_proposed and not each.is_now for each in self.wires)


def visit_of(store: Store, series_key: str, own: Series) -> Visit | None:
    """Return the visit of a series; None where there is nothing to compare it with."""
    others = order_rows.members(store, series_key, SERIES_MAX + 1)
    rows = [(series_key, own.revision), *(row for row in others if row[0] != series_key)]
    found: dict[str, tuple[Series, Inference]] = {series_key: (own, _inference(store, rows[0]))}
    for key, revision in rows[1:SERIES_MAX]:
        instances = instance_rows.instances_of(store, key, revision)
        if instances:
            found[key] = assemble(instances, revision), _inference(store, (key, revision))
    told = with_told(each_once(_told(store, own)), [each for each, _ in found.values()])
    orders = tuple(order for order in told if not order.is_cancelled)[:ORDERS_MAX]
    if len(found) < 2 and len(orders) < 2:
        return None
    inferences = {each.series_instance_uid: inference for each, inference in found.values()}
    series = tuple(each for each, _ in found.values())
    facts = VisitFacts(series, inferences=inferences, orders=orders)
    cards = tuple(_card(store, key, *found[key], is_own=key == series_key) for key in found)
    wires = _wires(facts, orders)
    proposal = _proposal(facts, own.series_instance_uid)
    return Visit(
        series=cards,
        orders=tuple(_order_card(order, at, wires) for at, order in enumerate(orders)),
        wires=wires,
        fit=tuple(_fit(facts, row) for row in range(len(series))),
        kind="" if proposal is None else proposal.kind.value,
        probability=None if proposal is None else proposal.probability,
    )


def orders_named(store: Store, own: Series) -> tuple[Order, ...]:
    """Return the orders that a series names, else those that are known of its visit."""
    told = with_told(each_once(_told(store, own)), [own])
    accession = first_text(own.shared, "AccessionNumber")
    named = tuple(each for each in told if accession and each.key.accession_number == accession)
    return named or told


def _told(store: Store, own: Series) -> Sequence[Told]:
    first = own.instances[0].elements
    patient, day = first_text(first, "PatientID"), first_text(first, "StudyDate")
    issuer = first_text(first, "IssuerOfPatientID")
    return order_rows.orders_of(store, patient, day, issuer) if patient and day else ()


def _inference(store: Store, row: tuple[str, int]) -> Inference:
    result = result_rows.result_of(store, *row)
    return (None if result is None else result.inference) or Inference()


def _card(
    store: Store, key: str, series: Series, inference: Inference, *, is_own: bool
) -> SeriesCard:
    shown = inference.of("body_part")
    if shown is None or shown.abstained:
        shown = inference.of("body_region")
    decided = shown if shown is not None and not shown.abstained else None
    drawn = preview_rows.previews_of(store, key)
    pictures = () if drawn is None else drawn.pictures
    middle = pictures[len(pictures) // 2] if pictures else None
    return SeriesCard(
        series_key=key,
        name=first_text(series.shared, "SeriesDescription"),
        modality=series.modality,
        shows=() if decided is None else decided.labels or (),
        probability=None if decided is None else decided.probability,
        thumbnail="" if middle is None else middle.shown[0].thumbnail,
        is_own=is_own,
    )


def _order_card(order: Order, at: int, wires: Sequence[Wire]) -> OrderCard:
    regions = [f"{each.region} {each.side or ''}".strip() for each in order.regions]
    return OrderCard(
        accession=order.key.accession_number,
        text=order.description,
        expects=tuple(dict.fromkeys(regions)),
        holds=sum(each.order == at and each.is_now for each in wires),
        told_by="" if order.source is OrderSource.IMAGES else order.source.value,
    )


def _wires(facts: VisitFacts, orders: Sequence[Order]) -> tuple[Wire, ...]:
    proposed = {
        move.series_instance_uid: move.target.key
        for proposal in facts.proposals
        for move in proposal.moves
    }
    wires = []
    for row, filed in enumerate(facts.filed):
        target = proposed.get(filed.series_instance_uid)
        for column, order in enumerate(orders):
            is_now = any(order.key.means(key) for key in filed.keys)
            is_meant = order.key == target if target is not None else is_now
            if is_now or is_meant:
                wires.append(Wire(column, row, is_now, is_meant))
    return tuple(wires)


def _fit(facts: VisitFacts, row: int) -> tuple[float, ...]:
    filed = facts.filed[row]
    named = [order for order in facts.orders if any(order.key.means(key) for key in filed.keys)]
    odds = [weigh(filed.said, order, filed.modality, named).log_odds for order in facts.orders]
    return tuple(1 / (1 + exp(-min(max(each, -30.0), 30.0))) for each in odds)


def _proposal(facts: VisitFacts, series_uid: str) -> Proposal | None:
    for proposal in facts.proposals:
        if any(move.series_instance_uid == series_uid for move in proposal.moves):
            return proposal
    return next((each for each in facts.proposals if each.moves), None)
