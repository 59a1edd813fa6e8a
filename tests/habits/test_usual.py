"""What a station usually writes, and where a series departs from it."""

from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from qa_daemon.habits.usual import VALUE_LENGTH_MAX, Departure, departures, observed, usual_part
from qa_daemon.records.issue import Habit
from qa_daemon.rules.prove import case_series
from qa_daemon.rules.schema import CaseSeries

SERIES = case_series(
    CaseSeries(
        {
            "Modality": "CT",
            "PatientPosition": "HFS",
            "BodyPartExamined": "CHEST",
            "AccessionNumber": "RIS0042-7",
            "ImageOrientationPatient": ("1", "0", "0", "0", "0.9", "-0.436"),
        }
    )
)


def test_values_are_read_so_that_no_patient_is_in_them() -> None:
    assert {each.keyword: each.value for each in observed(SERIES)} == {
        "AccessionNumber": "AAA9999-9",
        "BodyPartExamined": "CHEST",
        "ImageOrientationPatient": "L\\PF",
        "PatientOrientation": "",
        "PatientPosition": "HFS",
        "ViewPosition": "",
    }


def test_what_differs_between_instances_or_is_too_long_is_no_habit() -> None:
    mixed = case_series(
        CaseSeries(
            {"BodyPartExamined": "X" * (VALUE_LENGTH_MAX + 1)},
            ({"PatientPosition": "HFS"}, {"PatientPosition": "FFS"}),
        )
    )
    keywords = {each.keyword for each in observed(mixed)}
    assert keywords == {
        "AccessionNumber", "ImageOrientationPatient", "PatientOrientation", "ViewPosition",
    }  # fmt: skip


def test_a_value_never_seen_before_departs_from_a_habit() -> None:
    habit = Habit("PatientPosition", {"FFS": 39, "HFP": 1})
    expected = Departure("PatientPosition", "FFS", "HFS", 40)
    assert departures([habit], SERIES) == (expected,)


def test_few_series_or_mixed_ones_make_no_habit() -> None:
    for counts in ({"FFS": 19}, {"FFS": 20, "HFP": 2}, {}):
        assert departures([Habit("PatientPosition", counts)], SERIES) == ()


@given(st.dictionaries(st.sampled_from(["HFS", "FFS", "HFP"]), st.integers(1, 100)))
def test_a_value_that_was_seen_before_is_no_departure(counts: dict[str, int]) -> None:
    found = departures([Habit("PatientPosition", counts)], SERIES)
    assert not found or "HFS" not in counts
    assert departures([Habit("PatientPosition", {**counts, "HFS": 1})], SERIES) == ()


def test_an_empty_series_writes_nothing() -> None:
    assert observed(evolve(SERIES, instances=())) == ()


def test_the_part_that_a_station_usually_writes_is_told_where_a_series_does_not() -> None:
    habit = Habit("BodyPartExamined", {"KNEE": 20})
    assert usual_part([habit], SERIES) == "KNEE"
    assert usual_part([Habit("BodyPartExamined", {"CHEST": 20})], SERIES) == ""
    assert usual_part([Habit("BodyPartExamined", {"KNEE": 19})], SERIES) == ""
    assert usual_part([], SERIES) == ""
