"""Which images belong to which order."""

from collections.abc import Iterator
from time import process_time

import pytest
from attrs import evolve

from qa_daemon.orders import assign as assigning
from qa_daemon.orders.assign import PROBABILITY_MIN, probability, proposals
from qa_daemon.orders.evidence import statements
from qa_daemon.orders.proposal import Filed, Kind, Proposal
from qa_daemon.records.element import Element
from qa_daemon.records.inference import Inference
from qa_daemon.records.order import Issuer, Order, OrderKey, OrderSource
from qa_daemon.records.prediction import Abstention, Prediction
from tests.orders.conftest import TERMS, order, seen, series

KNEE, ANKLE, HAND = order("K", "Knie re."), order("O", "OSG re."), order("H", "Hand re.")
CHEST = order("C", "Thorax")


def filed(uid: str, inference: Inference, *orders: Order, **written: str) -> Filed:
    told = series(uid, {keyword: Element("LO", (text,)) for keyword, text in written.items()})
    return Filed(uid, "DX", tuple(each.key for each in orders), statements(told, inference))


def moved(found: tuple[Proposal, ...]) -> Iterator[tuple[str, str]]:
    for proposal in found:
        for move in proposal.moves:
            yield move.series_instance_uid, move.target.key.accession_number


def test_a_clean_visit_raises_nothing() -> None:
    visit = [filed("1", seen("KNEE"), KNEE), filed("2", seen("ANKLE"), ANKLE)]
    assert proposals(visit, [KNEE, ANKLE]) == ()


def test_swapped_images_are_told_as_one_swap() -> None:
    visit = [filed("1", seen("KNEE"), ANKLE), filed("2", seen("ANKLE"), KNEE)]
    (found,) = proposals(visit, [KNEE, ANKLE])
    assert found.kind is Kind.SWAP
    assert sorted(moved((found,))) == [("1", "K"), ("2", "O")]
    assert found.gain > 10
    assert found.probability > 0.99


def test_swapped_sides_are_told() -> None:
    left = order("L", "Knie li.")
    visit = [filed("1", seen("KNEE", side="L"), KNEE), filed("2", seen("KNEE", side="R"), left)]
    (found,) = proposals(visit, [KNEE, left])
    assert (found.kind, sorted(moved((found,)))) == (Kind.SWAP, [("1", "L"), ("2", "K")])


def test_images_of_another_order_move() -> None:
    visit = [filed("1", seen("KNEE"), KNEE), filed("2", seen("ANKLE"), KNEE),
             filed("3", seen("ANKLE"), ANKLE)]  # fmt: skip
    (found,) = proposals(visit, [KNEE, ANKLE])
    assert (found.kind, list(moved((found,)))) == (Kind.MOVE, [("2", "O")])


def test_images_of_two_orders_under_one_are_split() -> None:
    visit = [filed("1", seen("KNEE"), KNEE), filed("2", seen("ANKLE"), KNEE)]
    (found,) = proposals(visit, [KNEE, ANKLE])
    assert (found.kind, list(moved((found,)))) == (Kind.SPLIT, [("2", "O")])


def test_many_series_of_an_order_move_together() -> None:
    visit = [filed(str(n), seen("ANKLE"), KNEE) for n in range(70)]
    (found,) = proposals([*visit, filed("k", seen("KNEE"), KNEE)], [KNEE, ANKLE])
    assert len(found.moves) == 70


def test_a_picture_that_may_show_either_part_moves_nothing() -> None:
    either = evolve(seen("ANKLE").predictions[0], probabilities={"KNEE": 0.4, "ANKLE": 0.6})
    visit = [filed("1", seen("KNEE"), KNEE), filed("2", Inference((either,)), KNEE)]
    moves = [each for each in proposals(visit, [KNEE, ANKLE]) if each.moves]
    assert moves == []


def unsure(part: str, probability: float = 0.4) -> Inference:
    probabilities = {each: probability if each == part else 0.01 for each in TERMS}
    whole = evolve(seen(part).predictions[0], abstained=True, labels=(),
                   reason=Abstention.LOW_PROBABILITY, probabilities=probabilities)  # fmt: skip
    return Inference((whole,))


def test_pictures_that_no_model_is_sure_of_prove_nothing() -> None:
    visit = [filed("1", unsure("KNEE"), ANKLE), filed("2", unsure("ANKLE"), KNEE)]
    assert proposals(visit, [KNEE, ANKLE]) == ()


def test_a_picture_that_no_model_is_sure_of_goes_along_unless_it_shows_otherwise() -> None:
    sure = [filed("1", seen("KNEE"), ANKLE), filed("2", seen("ANKLE"), KNEE)]
    for part, uids in (("KNEE", {"1", "2", "3"}), ("ANKLE", {"1", "2"})):
        (found,) = proposals([*sure, filed("3", unsure(part), ANKLE)], [KNEE, ANKLE])
        assert {move.series_instance_uid for move in found.moves} == uids


def test_a_ring_of_three_is_one_mistake_and_a_stray_text_no_part_of_it() -> None:
    visit = [
        filed("1", seen("KNEE"), ANKLE),
        filed("2", seen("ANKLE"), HAND),
        filed("3", seen("HAND"), KNEE),
        filed("4", seen("CHEST"), CHEST, BodyPartExamined="KNEE"),
    ]
    (found,) = proposals(visit, [KNEE, ANKLE, HAND, CHEST])
    assert found.kind is Kind.SWAP
    assert dict(moved((found,))) == {"1": "K", "2": "O", "3": "H"}


def test_two_mistakes_of_one_visit_are_told_apart() -> None:
    wrist = order("W", "Handgelenk re.")
    visit = [
        filed("1", seen("KNEE"), ANKLE),
        filed("2", seen("ANKLE"), KNEE),
        filed("3", seen("WRIST"), CHEST),
        filed("4", seen("CHEST"), CHEST),
    ]
    found = proposals(visit, [KNEE, ANKLE, CHEST, wrist])
    assert [each.kind for each in found if each.moves] == [Kind.SWAP, Kind.SPLIT]


def test_writing_alone_moves_nothing() -> None:
    texts = {"BodyPartExamined": "ANKLE", "SeriesDescription": "OSG re."}
    visit = [filed("1", Inference(), KNEE, **texts), filed("2", seen("KNEE"), KNEE)]
    assert [each for each in proposals(visit, [KNEE, ANKLE]) if each.moves] == []


def test_a_group_case_is_left_alone() -> None:
    visit = [filed("1", seen("KNEE"), KNEE, ANKLE), filed("2", seen("ANKLE"), KNEE, ANKLE)]
    assert proposals(visit, [KNEE, ANKLE]) == ()


def test_images_without_accession_find_their_order() -> None:
    (found,) = proposals([filed("1", seen("KNEE")), filed("2", seen("ANKLE"), ANKLE)],
                         [KNEE, ANKLE])  # fmt: skip
    assert list(moved((found,))) == [("1", "K")]
    assert found.moves[0].origin is None


def test_orders_without_images_and_images_without_order_are_told() -> None:
    visit = [filed("1", seen("KNEE"), KNEE), filed("2", seen("WRIST"), order("Z", "?"))]
    kinds = {each.kind for each in proposals(visit, [KNEE, HAND])}
    assert kinds == {Kind.ORDER_WITHOUT_IMAGES, Kind.IMAGES_WITHOUT_ORDER}


def test_orders_that_only_images_tell_of_miss_nothing() -> None:
    told = evolve(KNEE, source=OrderSource.IMAGES)
    assert proposals([filed("1", seen("KNEE"), told)], [told]) == ()


def test_a_cancelled_order_gets_nothing() -> None:
    gone = evolve(ANKLE, is_cancelled=True)
    visit = [filed("1", seen("KNEE"), KNEE), filed("2", seen("ANKLE"), KNEE)]
    assert [each for each in proposals(visit, [KNEE, gone]) if each.moves] == []


def test_one_picture_of_two_orders_is_shared() -> None:
    shown = {"KNEE": 0.99, "LOWERLEG": 0.99, "ANKLE": 0.99}
    both = Inference((evolve(seen("KNEE").predictions[0], probabilities=shown),))
    picture = filed("1", both, KNEE, SeriesDescription="Knie und OSG rechts")
    (found,) = proposals([picture], [KNEE, ANKLE])
    assert (found.kind, list(moved((found,)))) == (Kind.SHARE, [("1", "O")])


def test_pixels_alone_share_nothing() -> None:
    both = Inference((evolve(seen("KNEE").predictions[0],
                             probabilities={"KNEE": 0.99, "ANKLE": 0.99}),))  # fmt: skip
    found = proposals([filed("1", both, KNEE)], [KNEE, ANKLE])
    assert [each.kind for each in found] == [Kind.ORDER_WITHOUT_IMAGES]


def test_numbers_of_two_issuers_are_two_orders() -> None:
    other = evolve(ANKLE, key=OrderKey("K", Issuer("KIS")))
    own = evolve(KNEE, key=OrderKey("K", Issuer("RIS")))
    visit = [filed("1", seen("ANKLE"), own), filed("2", seen("KNEE"), other)]
    (found,) = proposals(visit, [own, other])
    assert found.kind is Kind.SWAP


@pytest.mark.parametrize(("gain", "is_proposed"), [(3.9, False), (4.0, True), (1e9, True)])
def test_a_mistake_must_be_probable(gain: float, *, is_proposed: bool) -> None:
    assert (probability(gain) >= PROBABILITY_MIN) is is_proposed


def test_nothing_in_nothing_out() -> None:
    assert proposals([], [KNEE]) == proposals([filed("1", seen("KNEE"))], []) == ()


def crowd(series_count: int, order_count: int) -> tuple[list[Filed], list[Order]]:
    """Return a visit of many series and orders, all right but for one exchange."""
    words = {"KNEE": "Knie re.", "ANKLE": "OSG re.", "HAND": "Hand re.", "CHEST": "Thorax"}
    parts = list(words)
    orders = [order(f"A{n}", words[parts[n % 4]]) for n in range(order_count)]
    filed_ = [filed(f"{n:03}", seen(parts[n % order_count % 4]), orders[n % order_count])
              for n in range(series_count)]  # fmt: skip
    filed_[0] = filed("000", seen("KNEE"), orders[1])
    filed_[1] = filed("001", seen("ANKLE"), orders[0])
    return filed_, orders


def test_many_series_and_orders_are_assigned_in_time() -> None:
    """Two hundred series and forty orders, in seconds of the processor."""
    visit, orders = crowd(200, 40)
    begun = process_time()
    found = [each for each in proposals(visit, orders) if each.moves]
    assert process_time() - begun < 5.0
    assert [each.kind for each in found] == [Kind.SWAP]
    assert {move.series_instance_uid for move in found[0].moves} == {"000", "001"}


def test_more_orders_than_are_assigned_exactly_are_assigned_one_by_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(assigning, "ORDERS_MAX", 3)
    visit, orders = crowd(8, 4)
    (found,) = (each for each in proposals(visit, orders) if each.moves)
    assert found.kind is Kind.SWAP


def test_one_series_of_three_regions_serves_the_three_orders() -> None:
    """A CT of neck, chest and abdomen under the chest; the two others have no images."""
    shown = {"NECK": 0.99, "CHEST": 0.99, "ABDOMEN": 0.99, "PELVIS": 0.02, "HEAD": 0.01}
    trunk = Prediction("body_region", "m@1", abstained=False,
                       labels=("NECK", "CHEST", "ABDOMEN"), probabilities=shown)  # fmt: skip
    neck, chest, abdomen = (
        order(key, text, "CT")
        for key, text in (("N", "CT Hals"), ("T", "CT Thorax"), ("A", "CT Abdomen"))
    )
    told = series("1", {"Modality": Element("CS", ("CT",)),
                        "SeriesDescription": Element("LO", ("Hals Thorax Abdomen",))})  # fmt: skip
    one = Filed("1", "CT", (chest.key,), statements(told, Inference((trunk,))))
    found = proposals([one], [neck, chest, abdomen])
    assert [each.kind for each in found] == [Kind.SHARE]
    assert sorted(moved(found)) == [("1", "A"), ("1", "N")]
