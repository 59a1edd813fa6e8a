"""How many planted mistakes are found on visits of real radiographs, and how many are imagined."""

from collections.abc import Sequence
from math import sqrt
from pathlib import Path

import pytest

from qa_daemon.config.packs import shipped
from qa_daemon.orders.assign import proposals
from qa_daemon.orders.proposal import Kind, Proposal
from tests.bench.shipped import held_out, shipped_model
from tests.bench.visits import PAIRS, Builder, Picture, Visit, chosen_on, perfect, pictures

VISITS = 400
#: Kinds that ask somebody to file images elsewhere.
MOVING = {Kind.MOVE, Kind.SWAP, Kind.SPLIT, Kind.SHARE}


def moved(found: Sequence[Proposal]) -> dict[str, str]:
    """Return the accession that each series would get."""
    return {
        move.series_instance_uid: move.target.key.accession_number
        for proposal in found
        if proposal.kind in MOVING
        for move in proposal.moves
    }


def planted(visit: Visit) -> dict[str, str]:
    return {
        each.series_instance_uid: visit.truth[each.series_instance_uid]
        for each in visit.filed
        if visit.truth[each.series_instance_uid] != each.keys[0].accession_number
    }


def found_of(visits: Sequence[Visit]) -> int:
    return sum(moved(proposals(each.filed, each.orders)) == planted(each) for each in visits)


def interval(count: int, of: int) -> tuple[float, float]:
    """Return Wilson's interval of 95 %."""
    z, share = 1.96, count / of
    middle, spread = (
        share + z * z / (2 * of),
        z * sqrt(share * (1 - share) / of + z * z / (4 * of * of)),
    )
    return (middle - spread) / (1 + z * z / of), (middle + spread) / (1 + z * z / of)


@pytest.fixture(scope="module")
def builder(shared_data: Path) -> Builder:
    return Builder(pictures(shared_data / "radiographs" / "labels.csv"), perfect, seed=11)


@pytest.mark.shared
def test_swapped_orders_are_found(builder: Builder) -> None:
    visits = [builder.swapped(PAIRS[n % len(PAIRS)]) for n in range(VISITS)]
    assert interval(found_of(visits), VISITS)[0] >= 0.95


@pytest.mark.shared
def test_swapped_sides_are_found(builder: Builder) -> None:
    visits = [builder.sides_swapped() for _ in range(VISITS)]
    assert interval(found_of(visits), VISITS)[0] >= 0.95


@pytest.mark.shared
def test_images_of_two_orders_under_one_are_found(builder: Builder) -> None:
    visits = [builder.moved(PAIRS[n % len(PAIRS)]) for n in range(VISITS)]
    assert interval(found_of(visits), VISITS)[0] >= 0.95


@pytest.mark.shared
def test_nothing_is_proposed_on_clean_visits(builder: Builder) -> None:
    visits = [builder.clean() for _ in range(2 * VISITS)]
    assert interval(found_of(visits), 2 * VISITS)[1] >= 0.99


@pytest.mark.shared
def test_nothing_is_proposed_where_images_are_still_to_come(builder: Builder) -> None:
    visits = [builder.unfinished() for _ in range(2 * VISITS)]
    assert interval(found_of(visits), 2 * VISITS)[1] >= 0.99


@pytest.fixture(scope="module")
def modelled(shared_data: Path) -> Builder:
    """Visits as the shipped model sees them, of the half of its unseen patients that measures."""
    folder = shared_data / "radiographs"
    unseen = held_out(shipped("models"))
    fresh = [
        each
        for each in pictures(folder / "labels.csv")
        if _is_of(each, unseen) and not chosen_on(each)
    ]
    return Builder(fresh, shipped_model(folder).sees, seed=77)


def _is_of(picture: Picture, patients: frozenset[str]) -> bool:
    return f"{picture.source}|{picture.patient}" in patients or picture.source in patients


@pytest.mark.shared
@pytest.mark.long
def test_the_shipped_model_finds_most_mistakes_and_imagines_hardly_any(modelled: Builder) -> None:
    """Not all are found: the model is right about nine in ten of these pictures, and as often sure.

    A line per kind of mistake, with the interval of 95 %, is printed (`-s`).
    """
    made = {
        "swapped": [modelled.swapped(PAIRS[n % len(PAIRS)]) for n in range(VISITS)],
        "merged": [modelled.moved(PAIRS[n % len(PAIRS)]) for n in range(VISITS)],
        "clean": [modelled.clean() for _ in range(3 * VISITS)],
        "unfinished": [modelled.unfinished() for _ in range(3 * VISITS)],
    }
    right = {kind: found_of(visits) for kind, visits in made.items()}
    for kind, visits in made.items():
        low, high = interval(right[kind], len(visits))
        print(f"{kind}: {right[kind]} of {len(visits)} right, {low:.3f} to {high:.3f}")  # noqa: T201  see above
    assert interval(right["swapped"], VISITS)[0] >= 0.8
    assert interval(right["merged"], VISITS)[0] >= 0.7
    for kind in ("clean", "unfinished"):
        assert interval(right[kind], 3 * VISITS)[0] >= 0.98
