"""A slip of the keyboard, a namesake, another patient."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa_daemon.rules.checks.patient.likeness import Identity, Likeness, is_one_slip, likeness_of

JANE = Identity("471123", "DOE JANE", "19700412", "F")


@pytest.mark.parametrize(
    ("other", "likeness"),
    [
        (("471123", "DOE JANE", "19700412", "F"), Likeness.SAME),
        (("471123", "", "", ""), Likeness.SAME),
        (("471132", "DOE JANE", "19700412", "F"), Likeness.MISTYPED),
        (("0471123", "DOE JANE", "19700412", "F"), Likeness.MISTYPED),
        (("47112", "DOE JANE", "19700412", "F"), Likeness.MISTYPED),
        (("471123", "DOE JANE", "19701204", "F"), Likeness.MISTYPED),
        (("471123", "DOE JANE", "19700413", "F"), Likeness.MISTYPED),
        (("471123", "DOE JANET", "19700412", "F"), Likeness.MISTYPED),
        (("471123", "DOE JANE", "19700412", "M"), Likeness.DIFFERENT),
        (("471123", "DOE JANE", "19880721", "F"), Likeness.DIFFERENT),
        (("471132", "DOE JANE", "", "F"), Likeness.DIFFERENT),
        (("880201", "DOE JANE", "19880721", "F"), Likeness.NAMESAKES),
        (("880201", "DOE JANET", "19880721", "M"), Likeness.NAMESAKES),
        (("880201", "ROE KARL", "19880721", "F"), Likeness.DIFFERENT),
        (("880201", "", "19880721", "F"), Likeness.DIFFERENT),
    ],
)
def test_two_identities_are_told_apart(
    other: tuple[str, str, str, str], likeness: Likeness
) -> None:
    assert likeness_of([JANE, Identity(*other)])[0] is likeness
    assert likeness_of([Identity(*other), JANE])[0] is likeness


def test_the_worst_pair_of_a_study_counts() -> None:
    slip, stranger = ("471132", "DOE JANE", "19700412", "F"), ("9", "ROE KARL", "19500101", "M")
    found, keywords = likeness_of([JANE, Identity(*slip), Identity(*stranger)])
    assert found is Likeness.DIFFERENT
    assert keywords == ("PatientBirthDate", "PatientID", "PatientName", "PatientSex")


@given(st.text("0123456789", min_size=2, max_size=9), st.data())
def test_one_slip_is_one_however_it_is_made(text: str, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(text) - 2))
    changed = f"{text[:at]}x{text[at + 1 :]}"
    exchanged = f"{text[:at]}{text[at + 1]}{text[at]}{text[at + 2 :]}"
    dropped = f"{text[:at]}{text[at + 1 :]}"
    for other in (text, changed, exchanged, dropped):
        assert is_one_slip(text, other)
        assert is_one_slip(other, text)
    assert not is_one_slip(text, f"xy{text}")
