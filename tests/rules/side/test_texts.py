"""Sides and parts that descriptions name."""

import pytest

from qa_daemon.rules.checks.side.texts import parts_in, sides_in


@pytest.mark.parametrize(
    ("text", "sides"),
    [
        ("Knie re. 2 Eb.", "R"),
        ("RX JOELHO D AP/PERFIL", "R"),
        ("IRM du genou gauche", "L"),
        ("XR KNEE BOTH", "LR"),
        ("CT CHEST", ""),
        ("", ""),
    ],
)
def test_a_side_is_named_or_it_is_not(text: str, sides: str) -> None:
    assert sides_in({"SeriesDescription": text}) == frozenset(sides)


def test_two_texts_of_two_sides_name_both() -> None:
    assert sides_in({"a": "knee left", "b": "knee right"}) == {"L", "R"}


def test_parts_are_named_only_by_a_text_that_is_sure() -> None:
    assert parts_in({"a": "CT CHEST", "b": "1.25 mm B60"}) == {"CHEST"}
    assert parts_in({"a": "1.25 mm B60"}) == frozenset()
