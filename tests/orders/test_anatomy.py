"""How much of one part a picture of another shows."""

from itertools import product

import pytest

from qa_daemon.dicom.regions import body_parts
from qa_daemon.orders.anatomy import in_regions, overlap
from qa_daemon.orders.lexicon.vocabulary import canonical


def test_overlap_is_the_same_both_ways_and_whole_with_itself() -> None:
    terms = sorted({each for terms in canonical().values() for each in terms})
    for one, other in product(terms, repeat=2):
        assert overlap(one, other) == overlap(other, one)
        assert (overlap(one, other) == 1.0) == (one == other)


@pytest.mark.parametrize(
    ("one", "other", "least", "most"),
    [
        ("KNEE", "PATELLA", 0.9, 1.0),
        ("HAND", "THUMB", 0.9, 1.0),
        ("LOWERLIMB", "ANKLE", 0.9, 0.9),
        ("WHOLEBODY", "KNEE", 0.9, 0.9),
        ("SPINE", "LSPINE", 0.9, 0.9),
        ("HAND", "WRIST", 0.1, 0.5),
        ("THUMB", "WRIST", 0.05, 0.5),
        ("KNEE", "ANKLE", 0.0, 0.0),
        ("KNEE", "CHEST", 0.0, 0.0),
        ("SINUS", "SKULL", 0.9, 1.0),
    ],
)
def test_neighbours_overlap_a_little(one: str, other: str, least: float, most: float) -> None:
    assert least <= overlap(one, other) <= most


def test_a_spine_lies_in_regions_of_the_trunk() -> None:
    assert in_regions("LSPINE") == {"ABDOMEN", "PELVIS"}
    assert in_regions("HAND") == frozenset()
    assert all(in_regions(term) is not None for term in body_parts())
