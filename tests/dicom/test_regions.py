"""Body part terms and the regions that they show."""

import pytest

from qa_daemon.dicom.regions import (
    REGIONS,
    body_part,
    body_parts,
    code_of,
    is_defined_term,
    regions_of,
    regions_of_code,
)


@pytest.mark.parametrize(
    ("term", "regions"),
    [
        ("CHEST", {"CHEST"}),
        ("THORAX", {"CHEST"}),
        ("LUNG", {"CHEST"}),
        ("BREAST", {"CHEST"}),
        ("LIVER", {"ABDOMEN"}),
        ("COLON", {"ABDOMEN", "PELVIS"}),
        ("PROSTATE", {"PELVIS"}),
        ("UTERUS", {"PELVIS"}),
        ("HEADNECK", {"HEAD", "NECK"}),
        ("BRAIN", {"HEAD"}),
        ("TSPINE", {"CHEST"}),
        ("LUMBAR SPINE", {"ABDOMEN", "PELVIS"}),
        ("TLSPINE", {"CHEST", "ABDOMEN", "PELVIS"}),
        ("chest", {"CHEST"}),
        ("Abd/Pelvis", {"ABDOMEN", "PELVIS"}),
        ("KNEE", {"LOWERLIMB"}),
        ("WRIST", set()),
        ("EXTREMITY", set()),
        ("", set()),
        ("nothing of the kind", set()),
        ("WHOLEBODY", set(REGIONS)),
    ],
)
def test_a_term_shows_its_regions(term: str, regions: set[str]) -> None:
    assert regions_of(term) == regions


def test_terms_are_told_from_spellings() -> None:
    assert is_defined_term("LSPINE")
    assert not is_defined_term("LUMBAR SPINE")
    assert not is_defined_term("")
    assert code_of("lumbar spine") == code_of("LSPINE") == "122496007"
    assert code_of("nonsense") == ""


def test_old_codes_still_count() -> None:
    assert regions_of_code("43799004") == {"CHEST"}
    assert regions_of_code("816094009") == {"CHEST"}
    assert regions_of_code("1") == frozenset()


def test_every_term_of_the_table_shows_known_regions_only() -> None:
    assert len(body_parts()) == 317
    for term, part in body_parts().items():
        assert regions_of(term) <= set(REGIONS)
        assert body_part(term) == part
