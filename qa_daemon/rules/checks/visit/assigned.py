"""What must hold between the images of a whole visit and its orders.

The assignment (`orders.assign`) is made once per visit; each check tells one kind of its proposals.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from qa_daemon.orders.assign import Kind, Move, Proposal
from qa_daemon.orders.evidence import Weighed, Witness
from qa_daemon.records.order import Order, OrderSource
from qa_daemon.rules.checks.registry import Options, of_study
from qa_daemon.rules.facts import Answer, Hit, NotApplicable, NotEvaluated, StudyFacts, VisitFacts

_MOVING: Final = frozenset({Kind.MOVE, Kind.SWAP, Kind.SPLIT})
_MESSAGES: Final[Mapping[Kind, str]] = {
    Kind.MOVE: "These images show {shown}, but are filed under an order for {own}; another order "
    "of the visit asks for {other}.",
    Kind.SWAP: "The images of {count} orders are exchanged: these show {shown}, and are filed "
    "under an order for {own} instead of one for {other}.",
    Kind.SPLIT: "Images of several orders are filed under one: these show {shown}, which another "
    "order of the visit asks for ({other}).",
    Kind.SHARE: "These images show {shown} and serve a second order of the visit, too ({other}); "
    "it has no images of its own.",
}


@of_study
def images_of_another_order(facts: StudyFacts, _: Options) -> Answer:
    """Check that no images of the visit belong to another of its orders."""
    return _judged(facts, _MOVING)


@of_study
def images_of_a_second_order(facts: StudyFacts, _: Options) -> Answer:
    """Check that no order without images is served by the images of another one.

    A group case is legal: then each order stands in Request Attributes Sequence (PS3.17 J.4).
    """
    return _judged(facts, frozenset({Kind.SHARE}))


@of_study
def order_has_images(facts: StudyFacts, _: Options) -> Answer:
    """Check that each order of the visit that was told of has images."""
    visit = _visit(facts)
    if not _told(visit.orders):
        return NotApplicable()
    return tuple(
        Hit(evidence=_named(order), message=f"An order for {_asked(order)} has no images.")
        for proposal in visit.proposals
        if proposal.kind is Kind.ORDER_WITHOUT_IMAGES
        for order in proposal.orders
    )


@of_study
def images_have_an_order(facts: StudyFacts, _: Options) -> Answer:
    """Check that images name an order that was told of, where any was."""
    visit = _visit(facts)
    if not _told(visit.orders):
        return NotApplicable()
    return tuple(
        Hit(sop_instance_uids=_uids(visit, uid))
        for proposal in visit.proposals
        if proposal.kind is Kind.IMAGES_WITHOUT_ORDER
        for uid in proposal.series_instance_uids
    )


@of_study
def study_of_the_order(facts: StudyFacts, _: Options) -> Answer:
    """Check that images that are to move need not change their study, too.

    A new Study Instance UID breaks every reference to the old one; PS3.4 B.4.1.3 discourages it.
    """
    visit = _visit(facts)
    moves = [move for _, move in _moves(visit, _MOVING)]
    if not moves:
        return NotApplicable()
    return tuple(
        Hit(sop_instance_uids=_uids(visit, move.series_instance_uid), evidence=_named(move.target))
        for move in moves
        if move.target.study_instance_uid
        and move.target.study_instance_uid != _study(visit, move.series_instance_uid)
    )


def _visit(facts: StudyFacts) -> VisitFacts:
    assert isinstance(facts, VisitFacts), "a rule of level visit"
    return facts


def _told(orders: Iterable[Order]) -> bool:
    return any(order.source is not OrderSource.IMAGES for order in orders)


def _judged(facts: StudyFacts, kinds: frozenset[Kind]) -> Answer:
    visit = _visit(facts)
    if len(visit.orders) < 2 and not _told(visit.orders):
        return NotApplicable()
    if not any(one.witness is Witness.PIXELS for each in visit.filed for one in each.said):
        return NotEvaluated("no picture was decided")
    return tuple(_hit(visit, proposal, move) for proposal, move in _moves(visit, kinds))


def _moves(visit: VisitFacts, kinds: frozenset[Kind]) -> Iterator[tuple[Proposal, Move]]:
    for proposal in visit.proposals:
        if proposal.kind in kinds:
            yield from ((proposal, move) for move in proposal.moves)


def move_of(visit: VisitFacts, series_instance_uid: str) -> tuple[Proposal, Move] | None:
    """Return what is proposed for a series; None if nothing is."""
    found = _moves(visit, _MOVING | {Kind.SHARE})
    return next(
        (each for each in found if each[1].series_instance_uid == series_instance_uid), None
    )


def _hit(visit: VisitFacts, proposal: Proposal, move: Move) -> Hit:
    orders = {each.target.key for each in proposal.moves}
    message = _MESSAGES[proposal.kind].format(
        shown=_shown(move.support),
        own="nothing known" if move.origin is None else _asked(move.origin),
        other=_asked(move.target),
        count=len(orders),
    )
    return Hit(
        message,
        _uids(visit, move.series_instance_uid),
        {
            "proposal": proposal.kind.value,
            "gain": f"{proposal.gain:+.1f}",
            **_named(move.target),
            **_weights(move),
        },
        confidence=round(proposal.probability, 4),
    )


def _shown(weighed: Weighed) -> str:
    seen = {Witness.PIXELS, Witness.PIXEL_SIDE}
    said = [item.said for item in weighed.items if item.witness in seen and item.log_odds > 0]
    return " ".join(said) or "something else"


def _asked(order: Order) -> str:
    heavy = [each for each in order.regions if each.weight >= order.regions[0].weight / 2]
    return (
        ", ".join(f"{each.region} {each.side or ''}".strip() for each in heavy) or "unknown parts"
    )


def _named(order: Order) -> dict[str, str]:
    return {"AccessionNumber": order.key.accession_number}


def _weights(move: Move) -> dict[str, str]:
    """List each witness, what it says, and its log odds for the order named and the order meant."""
    against = {item.witness: item.log_odds for item in move.against.items}
    return {
        item.witness.value: f"{item.said}: {against.get(item.witness, 0.0):+.1f} for the order "
        f"named, {item.log_odds:+.1f} for the other"
        for item in move.support.items
    }


def _uids(visit: VisitFacts, series_instance_uid: str) -> tuple[str, ...]:
    return tuple(
        sorted(
            instance.sop_instance_uid
            for each in visit.series
            if each.series_instance_uid == series_instance_uid
            for instance in each.instances
        )
    )


def _study(visit: VisitFacts, series_instance_uid: str) -> str:
    return next(
        each.study_instance_uid
        for each in visit.series
        if each.series_instance_uid == series_instance_uid
    )
