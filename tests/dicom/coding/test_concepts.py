"""Items of code sequences."""

import pytest

from qa_daemon.dicom.coding.concepts import codes
from qa_daemon.records.element import Element, Elements


def item(**texts: str) -> Elements:
    return {keyword: Element("SH", (text,)) for keyword, text in texts.items()}


def sequence(*found: Elements) -> Elements:
    return {"ViewCodeSequence": Element("SQ", found)}


def test_a_code_stands_in_one_of_three_elements() -> None:
    found = codes(
        sequence(item(CodeValue="1"), item(LongCodeValue="2"), item(URNCodeValue="3"), {}),
        "ViewCodeSequence",
    )
    assert [each.value for each in found] == ["1", "2", "3", ""]
    assert found[1].path == "ViewCodeSequence[2]"


def test_a_sequence_within_an_item_is_named_by_its_whole_path() -> None:
    (found,) = codes(sequence(item(CodeValue="1")), "ViewCodeSequence", "A[1].B[2]")
    assert found.path == "A[1].B[2].ViewCodeSequence[1]"


@pytest.mark.parametrize(
    ("value", "side", "view", "part"),
    [
        ("24028007", "R", "", None),
        ("G-A101", "L", "", None),
        ("272479007", "", "PA", None),
        ("399173006", "", "LATERAL", None),
        ("72696002", "", "", "KNEE"),
        ("43799004", "", "", "CHEST"),
        ("1", "", "", None),
    ],
)
def test_codes_of_old_and_new_editions_have_their_meaning(
    value: str, side: str, view: str, part: str | None
) -> None:
    (code,) = codes(sequence(item(CodeValue=value)), "ViewCodeSequence")
    assert (code.side, code.view) == (side, view)
    assert (code.body_part.term if code.body_part else None) == part


def test_an_absent_sequence_has_no_codes() -> None:
    assert codes({}, "ViewCodeSequence") == ()
