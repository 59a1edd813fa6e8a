"""A proposed Body Part Examined is a term of the table, and covers what was seen."""

from itertools import combinations

import pytest

from qa_daemon.dicom.regions import REGIONS, is_defined_term, regions_of
from qa_daemon.suggest.region import COMBINED_TERMS, body_part_for


@pytest.mark.parametrize("region", REGIONS)
def test_one_region_is_its_own_term(region: str) -> None:
    assert body_part_for([region]) == region
    assert is_defined_term(region)


@pytest.mark.parametrize("regions", COMBINED_TERMS)
def test_a_combined_term_covers_its_regions_by_the_table(regions: frozenset[str]) -> None:
    term = COMBINED_TERMS[regions]
    assert is_defined_term(term)
    assert regions <= regions_of(term)
    assert body_part_for(sorted(regions)) == term


def test_every_set_of_regions_gets_a_term_that_covers_it_or_none() -> None:
    for count in range(1, len(REGIONS) + 1):
        for seen in combinations(REGIONS, count):
            term = body_part_for(seen)
            if term is not None:
                assert is_defined_term(term)
                assert set(seen) <= regions_of(term) | {"HEAD"} & set(seen)


@pytest.mark.parametrize(
    ("seen", "term"),
    [
        ((), None),
        (("CHEST", "PELVIS"), "CHESTABDPELVIS"),
        (("ABDOMEN", "CHEST"), "CHESTABDOMEN"),
        (("HEAD", "PELVIS"), "WHOLEBODY"),
        (("HEAD", "NECK", "CHEST"), None),
        (("WRIST", "HAND"), None),
        (("WRIST",), "WRIST"),
    ],
)
def test_the_term_for_what_is_seen(seen: tuple[str, ...], term: str | None) -> None:
    assert body_part_for(seen) == term
