"""Each word of conditions by examples: yes, no, and when it says that it cannot know."""

# ruff: noqa: E501  a table of examples is read by its rows

from collections.abc import Mapping
from time import perf_counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa_daemon.records.inference import Inference
from qa_daemon.rules.facts import Context, NotEvaluated, SeriesFacts
from qa_daemon.rules.looks.look import Look
from qa_daemon.rules.operators import OPERATORS, Answered
from qa_daemon.rules.operators.patterns import PATTERN_LENGTH_MAX, compiled, is_match
from qa_daemon.rules.prove import case_prediction, case_series
from qa_daemon.rules.schema import CaseSeries, FactTest, Operand

UNKNOWN = "unknown"
ITEMS: Operand = (
    {"AccessionNumber": "A1"},
    {"AccessionNumber": "B2"},
    {"AccessionNumber": None},
    {},
)
REQUESTS: Mapping[str, Operand] = {"AccessionNumber": "A1", "RequestAttributesSequence": ITEMS}
MOMENTS = {"StudyDate": "20240501", "StudyTime": "2330", "SeriesDate": "20240502"}


def answer(
    fact: str, operator: str, operand: Operand, tags: Mapping[str, Operand], view: str = ""
) -> bool | str:
    """Return yes, no or `unknown`, of a series with these tags and perhaps a view."""
    predictions = (case_prediction("view", {view: 0.99}),) if view else ()
    context = Context(order={"accession": ("A1", "A2")})
    facts = SeriesFacts(case_series(CaseSeries(tags)), Inference(predictions), context=context)
    assert OPERATORS[operator].accepts(operand)
    said: Answered = OPERATORS[operator].apply(Look(facts), FactTest(fact, operator, operand))
    return UNKNOWN if isinstance(said, NotEvaluated) else said


@pytest.mark.parametrize(
    ("fact", "operator", "operand", "tags", "expected"),
    [
        ("tag.ImageType", "equals", ("A", "B"), {"ImageType": ("A", "B")}, True),
        ("tag.ImageType", "equals", ("B", "A"), {"ImageType": ("A", "B")}, False),
        ("tag.KVP", "equals", 120, {"KVP": "120.0"}, True),
        ("tag.HighBit", "equals", {"fact": "tag.BitsStored", "plus": -1}, {"HighBit": 11, "BitsStored": 12}, True),
        ("tag.HighBit", "equals", {"fact": "tag.BitsStored", "plus": -1}, {"HighBit": 12, "BitsStored": 12}, False),
        ("tag.HighBit", "equals", {"fact": "tag.BitsStored", "plus": -1}, {"HighBit": 12}, UNKNOWN),
        ("tag.StudyID", "equals", {"fact": "tag.AccessionNumber"}, {"StudyID": "a", "AccessionNumber": "b"}, False),
        ("tag.StudyID", "not_equals", "A", {"StudyID": "B"}, True),
        ("tag.StudyID", "not_equals", "A", {}, True),
        ("tag.StudyID", "not_equals", {"fact": "tag.AccessionNumber"}, {"StudyID": "B"}, UNKNOWN),
        ("tag.AccessionNumber", "in", {"fact": "tag.RequestAttributesSequence[*].AccessionNumber"}, REQUESTS, True),
        ("tag.AccessionNumber", "in", {"fact": "tag.RequestAttributesSequence[2].AccessionNumber"}, REQUESTS, False),
        ("tag.AccessionNumber", "in", {"fact": "order.accession"}, {"AccessionNumber": "A2"}, True),
        ("tag.Modality", "in", {"fact": "tag.StudyID"}, {"Modality": "CT"}, UNKNOWN),
        ("tag.Modality", "not_in", ("CT", "MR"), {"Modality": "CR"}, True),
        ("tag.Modality", "not_in", ("CT", "MR"), {}, True),
        ("tag.ImageType", "not_in", ("A", "C"), {"ImageType": ("A", "B")}, False),
        ("tag.ImageType", "overlaps", ("A", "C"), {"ImageType": ("A", "B")}, True),
        ("tag.ImageType", "overlaps", ("C", "D"), {"ImageType": ("A", "B")}, False),
        ("tag.ImageType", "count", 2, {"ImageType": ("A", "B")}, True),
        ("tag.ImageType", "count", {"at_least": 3}, {"ImageType": ("A", "B")}, False),
        ("tag.ImageType", "count", {"at_most": 0}, {}, True),
        ("tag.RequestAttributesSequence", "count", {"at_least": 2}, REQUESTS, True),
        ("tag.PixelSpacing", "at_most", 1, {"PixelSpacing": (0.5, 1.5)}, False),
        ("tag.PixelSpacing", "above", 0, {"PixelSpacing": (0.5, 1.5)}, True),
        ("tag.PixelSpacing", "below", 1.5, {"PixelSpacing": (0.5, 1.5)}, False),
        ("tag.PixelSpacing", "below", 2, {}, False),
        ("tag.Rows", "at_most", {"fact": "tag.Columns", "times": 2}, {"Rows": 10, "Columns": 5}, True),
        ("tag.Rows", "at_most", {"fact": "tag.ImageType"}, {"Rows": 10, "ImageType": ("A", "B")}, UNKNOWN),
        ("tag.KVP", "above", 1, {"KVP": "1_000"}, UNKNOWN),
        ("tag.KVP", "above", 1, {"KVP": "nan"}, UNKNOWN),
        ("tag.SliceThickness", "near", {"value": 5, "within": 0.1}, {"SliceThickness": "5.1"}, True),
        ("tag.SliceThickness", "near", {"value": 5, "within": 0.1}, {"SliceThickness": "5.2"}, False),
        ("tag.SliceThickness", "near", {"value": 5, "percent": 10}, {"SliceThickness": "4.5"}, True),
        ("tag.SliceThickness", "near", {"fact": "tag.SpacingBetweenSlices", "within": 1}, {"SliceThickness": 5, "SpacingBetweenSlices": 6}, True),
        ("tag.SliceThickness", "near", {"fact": "tag.SpacingBetweenSlices", "within": 1}, {"SliceThickness": 5}, UNKNOWN),
        ("tag.SliceThickness", "near", {"value": 5, "within": 1}, {"SliceThickness": "thin"}, UNKNOWN),
        ("tag.SliceThickness", "near", {"value": 5, "within": 1}, {}, False),
        ("tag.StudyID", "matches", "[A-Z]{2}[0-9]+", {"StudyID": "AB12"}, True),
        ("tag.StudyID", "matches", "[A-Z]{2}", {"StudyID": "AB12"}, False),
        ("tag.StudyID", "matches", ".*", {}, False),
        ("tag.StudyID", "starts_with", "ab", {"StudyID": "AB12"}, True),
        ("tag.StudyID", "ends_with", ("x", "12"), {"StudyID": "AB12"}, True),
        ("tag.StudyDescription", "has_text", "phantom", {"StudyDescription": "QA-Phantome"}, True),
        ("tag.StudyDescription", "has_word", "phantom", {"StudyDescription": "QA_PHANTOM"}, True),
        ("tag.StudyDescription", "has_word", ("knee",), {"StudyDescription": "KNEES"}, False),
        ("tag.AccessionNumber", "length", {"at_most": 16}, {"AccessionNumber": "A" * 17}, False),
        ("tag.AccessionNumber", "length", 3, {"AccessionNumber": "ABC"}, True),
        ("prediction.view", "in_table", {"fact": "tag.ViewPosition", "table": {"LL": ("LATERAL",)}}, {"ViewPosition": "LL"}, False),
        ("prediction.view", "in_table", {"fact": "tag.ViewPosition", "table": {"AP": ("AP", "PA")}}, {"ViewPosition": "AP"}, True),
        ("prediction.view", "in_table", {"fact": "tag.ViewPosition", "table": {"AP": ("AP",)}}, {"ViewPosition": "XX"}, UNKNOWN),
        ("prediction.view.probability", "at_least", 0.9, {}, True),
        ("prediction.laterality", "equals", "L", {}, UNKNOWN),
        ("tag.StudyDate", "before", {"fact": "tag.SeriesDate"}, MOMENTS, True),
        ("tag.StudyDate", "after", {"fact": "tag.SeriesDate"}, MOMENTS, False),
        ("tag.StudyDate", "not_before", "20240501", MOMENTS, True),
        ("tag.StudyDate", "not_after", "202404", MOMENTS, False),
        ("tag.StudyDate", "after", "2024", MOMENTS, False),
        ("tag.StudyTime", "after", "20240501232959", MOMENTS, True),
        ("tag.StudyTime", "after", "2329", {"StudyTime": "2330"}, True),
        ("tag.StudyTime", "after", {"fact": "tag.StudyDate"}, {"StudyTime": "2330", "StudyDate": ""}, UNKNOWN),
        ("tag.StudyDate", "before", {"fact": "tag.StudyDate", "plus_days": 1}, MOMENTS, True),
        ("tag.StudyTime", "not_after", {"fact": "tag.SeriesDate", "plus_days": -1}, MOMENTS, True),
        ("tag.StudyDate", "before", "2025", {"StudyDate": "20241301"}, UNKNOWN),
        ("tag.StudyDate", "before", "2025", {}, False),
        ("tag.StudyDate", "before", {"fact": "received"}, MOMENTS, UNKNOWN),
        ("tag.Modality", "is_term_of", "modality", {"Modality": "CT"}, True),
        ("tag.Modality", "is_term_of", "modality", {"Modality": "XX"}, False),
        ("tag.BodyPartExamined", "is_term_of", "known_body_part", {"BodyPartExamined": "knie"}, True),
        ("tag.BodyPartExamined", "is_term_of", "body_part", {}, False),
        ("tag.BodyPartExamined", "overlaps_region", ("LOWERLIMB",), {"BodyPartExamined": "KNEE"}, True),
        ("tag.BodyPartExamined", "overlaps_region", "ANKLE", {"BodyPartExamined": "KNEE"}, False),
        ("tag.BodyPartExamined", "overlaps_region", "KNEE", {"BodyPartExamined": "??"}, UNKNOWN),
        ("tag.BodyPartExamined", "contains_region", ("CHEST", "ABDOMEN"), {"BodyPartExamined": "CHESTABDPELVIS"}, True),
        ("tag.BodyPartExamined", "contains_region", "HEAD", {"BodyPartExamined": "CHESTABDPELVIS"}, False),
        ("tag.BodyPartExamined", "part_of", "WHOLEBODY", {"BodyPartExamined": "HAND"}, True),
        ("tag.BodyPartExamined", "part_of", "CHEST", {"BodyPartExamined": "CHESTABDOMEN"}, False),
        ("side.laterality", "consistent_with", {"fact": "side.image"}, {"Laterality": "L", "ImageLaterality": "R"}, False),
        ("side.laterality", "consistent_with", {"fact": "side.image"}, {"Laterality": "L", "ImageLaterality": "B"}, True),
        ("side.laterality", "consistent_with", {"fact": "side.image"}, {"Laterality": "L"}, UNKNOWN),
        ("side", "count", {"at_most": 1}, {"Laterality": "L", "ImageLaterality": "R"}, False),
        ("text.side", "equals", "L", {"StudyDescription": "XR LEFT KNEE"}, True),
        ("tag.BodyPartExamined", "overlaps_region", {"fact": "text.regions"}, {"BodyPartExamined": "HAND", "SeriesDescription": "Knie re. 2 Eb."}, False),
        ("tag.BodyPartExamined", "overlaps_region", {"fact": "text.regions"}, {"BodyPartExamined": "HAND"}, UNKNOWN),
    ],
)  # fmt: skip
def test_a_word_answers(
    fact: str, operator: str, operand: Operand, tags: Mapping[str, Operand], expected: object
) -> None:
    view = "AP" if fact.startswith("prediction.view") else ""
    assert answer(fact, operator, operand, tags, view) == expected


# --- properties ----------------------------------------------------------------------------------

NUMBERS = st.floats(-1e6, 1e6).map(lambda value: round(value, 3))
TEXTS = st.text("ABCab 12", min_size=1, max_size=5).filter(lambda text: text.strip() == text)


@given(value=NUMBERS, bound=NUMBERS)
def test_the_comparisons_of_numbers_complete_each_other(value: float, bound: float) -> None:
    tags = {"SliceThickness": repr(value)}

    def asked(word: str) -> bool | str:
        return answer("tag.SliceThickness", word, bound, tags)

    assert asked("at_least") is not asked("below")
    assert asked("at_most") is not asked("above")
    assert asked("at_least") is (asked("above") or asked("equals"))
    near = answer("tag.SliceThickness", "near", {"value": bound, "within": 1}, tags)
    assert near is (abs(value - bound) <= 1 + 1e-9 * abs(bound))


@given(values=st.lists(TEXTS, max_size=4), listed=st.lists(TEXTS, min_size=1, max_size=4))
def test_the_words_for_lists_are_those_of_sets(values: list[str], listed: list[str]) -> None:
    tags = {"ImageType": tuple(values)}

    def asked(word: str) -> bool | str:
        return answer("tag.ImageType", word, tuple(listed), tags)

    assert asked("in") is (bool(values) and set(values) <= set(listed))
    assert asked("not_in") is set(values).isdisjoint(listed)
    assert asked("overlaps") is not asked("not_in")
    assert asked("equals") is (values == listed)
    assert asked("not_equals") is not asked("equals")


DATES = st.dates().map(lambda date: date.strftime("%Y%m%d").rjust(8, "0"))


@given(one=DATES, other=DATES, length=st.sampled_from([4, 6, 8]))
def test_dates_are_ordered_as_their_digits_on_what_both_have(
    one: str, other: str, length: int
) -> None:
    tags = {"StudyDate": one, "AcquisitionDateTime": other[:length]}

    def asked(word: str) -> bool | str:
        return answer("tag.StudyDate", word, {"fact": "tag.AcquisitionDateTime"}, tags)

    assert asked("before") is (one[:length] < other[:length])
    assert asked("after") is (one[:length] > other[:length])
    assert asked("not_before") is not asked("before")
    assert asked("not_after") is not asked("after")


@given(hours=st.integers(-12, 14), clock=st.integers(0, 23))
def test_offsets_from_utc_are_reckoned_with_where_both_sides_have_one(
    hours: int, clock: int
) -> None:
    offset = f"{'-' if hours < 0 else '+'}{abs(hours):02}00"
    tags = {"AcquisitionDateTime": f"20240501{clock:02}0000{offset}"}
    operand = f"20240501{clock:02}0000+0000"
    assert answer("tag.AcquisitionDateTime", "after", operand, tags) is (hours < 0)
    assert answer("tag.AcquisitionDateTime", "before", operand, tags) is (hours > 0)
    bare = f"20240501{clock:02}0000"
    assert answer("tag.AcquisitionDateTime", "before", bare, tags) is False
    zoned = {"StudyDate": "20240501", "StudyTime": f"{clock:02}00", "TimezoneOffsetFromUTC": offset}
    assert answer("tag.StudyTime", "before", operand, zoned) is (hours > 0)


# --- hostile patterns ----------------------------------------------------------------------------


@pytest.mark.parametrize("pattern", ["(a+)+b", "(a|aa)+b", "(.*a){20}b", "([a-z]+)*[0-9]"])
def test_no_pattern_hangs_on_no_value(pattern: str) -> None:
    begin = perf_counter()
    assert not is_match(pattern, "a" * 65_536)
    # Measured: under 10 ms; an engine that goes back would take longer than the universe has.
    assert perf_counter() - begin < 2


@pytest.mark.parametrize(
    "pattern", ["(", "(?=a)", r"(a)\1", "a{2000}", "a" * (PATTERN_LENGTH_MAX + 1)]
)
def test_a_pattern_that_cannot_be_bounded_is_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match=r"RE2|longer"):
        compiled(pattern)
    assert not OPERATORS["matches"].accepts(pattern)


def test_half_a_character_matches_nothing() -> None:
    assert not is_match(".*", "\ud800")
    assert is_match(".", "\N{LATIN SMALL LETTER A WITH DIAERESIS}")


def test_every_word_is_told_of_in_full() -> None:
    for name, operator in OPERATORS.items():
        assert operator.name == name
        assert operator.means
        assert operator.example.startswith(f"{name}: ")
        assert operator.takes.words
        assert operator.takes.schema
