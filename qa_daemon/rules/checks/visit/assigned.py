"""What must hold between the images of a whole visit and its orders.

The assignment (`orders.assign`) is made once per visit; each check tells one kind of its proposals.
One mistake is one hit, however many series it moves: whoever decides, decides about all of them.
"""

from collections.abc import Iterable, Iterator
from typing import Final

from qa_daemon.orders.asked import keys_of
from qa_daemon.orders.evidence import Witness
from qa_daemon.orders.proposal import Kind, Proposal
from qa_daemon.records.order import Order, OrderSource
from qa_daemon.rules.checks.registry import Options, of_study
from qa_daemon.rules.checks.visit.told import (
    asked,
    assignment,
    evidence,
    message,
    name_of,
    number_of,
    series_of,
)
from qa_daemon.rules.facts import Answer, Hit, NotApplicable, NotEvaluated, StudyFacts, VisitFacts

_MOVING: Final = frozenset({Kind.MOVE, Kind.SWAP, Kind.SPLIT})


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
        Hit(
            f"No images have come for {number_of(order)}, ordered as {asked(order)}.",
            evidence={"AccessionNumber": order.key.accession_number},
            assignment=assignment(visit, proposal),
        )
        for proposal in _of_kinds(visit, {Kind.ORDER_WITHOUT_IMAGES})
        for order in proposal.orders
    )


@of_study
def images_have_an_order(facts: StudyFacts, _: Options) -> Answer:
    """Check that images name an order that was told of and is in force, where any was told of."""
    visit = _visit(facts)
    if not _told(visit.orders):
        return NotApplicable()
    return tuple(
        Hit(
            _without_order(visit, uid),
            _uids(visit, [uid]),
            assignment=assignment(visit, proposal),
        )
        for proposal in _of_kinds(visit, {Kind.IMAGES_WITHOUT_ORDER})
        for uid in proposal.series_instance_uids
    )


def _without_order(visit: VisitFacts, series_instance_uid: str) -> str:
    series = series_of(visit, series_instance_uid)
    keys = keys_of(series)
    if not keys:
        return f"{name_of(series)} names no order, though the patient has orders today."
    numbers = ", ".join(key.accession_number for key in keys)
    gone = any(
        order.is_cancelled and order.key.means(key) for order in visit.orders for key in keys
    )
    what = "was cancelled" if gone else "is none of the patient's orders of today"
    return f"{name_of(series)}: its accession {numbers} {what}."


@of_study
def study_of_the_order(facts: StudyFacts, _: Options) -> Answer:
    """Check that images that are to move need not change their study, too.

    A new Study Instance UID breaks every reference to the old one; PS3.4 B.4.1.3 discourages it.
    """
    visit = _visit(facts)
    found = list(_of_kinds(visit, _MOVING))
    if not found:
        return NotApplicable()
    return tuple(
        Hit(
            _leaving(visit, proposal, leaving),
            _uids(visit, leaving),
            {"AccessionNumber": ", ".join(sorted(_targets(proposal, leaving)))},
            assignment=assignment(visit, proposal),
        )
        for proposal in found
        if (leaving := study_leavers(visit, proposal))
    )


def study_leavers(visit: VisitFacts, proposal: Proposal) -> list[str]:
    """Return the series whose new order has a study that is not theirs."""
    return [
        move.series_instance_uid
        for move in proposal.moves
        if move.target.study_instance_uid
        and move.target.study_instance_uid
        != series_of(visit, move.series_instance_uid).study_instance_uid
    ]


def _targets(proposal: Proposal, leaving: Iterable[str]) -> set[str]:
    wanted = set(leaving)
    return {number_of(move.target) for move in proposal.moves if move.series_instance_uid in wanted}


def _leaving(visit: VisitFacts, proposal: Proposal, leaving: Iterable[str]) -> str:
    named = ", ".join(name_of(series_of(visit, uid)) for uid in leaving)
    orders = ", ".join(sorted(_targets(proposal, leaving)))
    return (
        f"{named}: to follow {orders} the Study Instance UID would change. That is a step of its "
        "own: every reference to these images breaks."
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
    return tuple(
        Hit(
            message(visit, proposal),
            _uids(visit, [move.series_instance_uid for move in proposal.moves]),
            evidence(visit, proposal),
            confidence=round(proposal.probability, 4),
            assignment=assignment(visit, proposal),
        )
        for proposal in _of_kinds(visit, kinds)
    )


def _of_kinds(visit: VisitFacts, kinds: Iterable[Kind]) -> Iterator[Proposal]:
    wanted = frozenset(kinds)
    return (proposal for proposal in visit.proposals if proposal.kind in wanted)


def proposal_of(visit: VisitFacts, series_instance_uids: Iterable[str]) -> Proposal | None:
    """Return the proposal that moves exactly these series, or some of them; None if none does."""
    wanted = set(series_instance_uids)
    return next(
        (
            proposal
            for proposal in _of_kinds(visit, _MOVING | {Kind.SHARE})
            if wanted <= {move.series_instance_uid for move in proposal.moves}
        ),
        None,
    )


def _uids(visit: VisitFacts, series_instance_uids: Iterable[str]) -> tuple[str, ...]:
    wanted = set(series_instance_uids)
    return tuple(
        sorted(
            instance.sop_instance_uid
            for each in visit.series
            if each.series_instance_uid in wanted
            for instance in each.instances
        )
    )
