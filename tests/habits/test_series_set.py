"""What a study of one kind usually has, and what lacks."""

from qa_daemon.habits.series_set import label_of, lacking, study_kind
from qa_daemon.habits.usual import VALUE_LENGTH_MAX
from qa_daemon.records.issue import UsualSet
from qa_daemon.records.series import Series
from qa_daemon.rules.prove import case_series
from qa_daemon.rules.schema import CaseSeries


def series(**tags: str) -> Series:
    return case_series(CaseSeries({"Modality": "CT", "StationName": "CT1", **tags}))


def test_a_kind_is_station_and_description_whatever_its_case() -> None:
    kind = ("CT", "CT1", "ct thorax")
    assert study_kind(series(StudyDescription="CT  Thorax")) == kind
    assert study_kind(series(StudyDescription="")) is None
    assert study_kind(case_series(CaseSeries({"StudyDescription": "CT"}))) is None


def test_a_series_is_called_by_its_description_or_its_protocol() -> None:
    assert label_of(series(SeriesDescription="Thorax  5.0", ProtocolName="T")) == "thorax 5.0"
    assert label_of(series(ProtocolName="Thorax")) == "thorax"
    assert label_of(series(SeriesDescription="x" * (VALUE_LENGTH_MAX + 1))) == ""


def test_what_nearly_all_had_and_this_one_has_not_is_lacking() -> None:
    usual = UsualSet(40, {"topogram": 38, "thorax": 40, "mpr": 37})
    assert lacking(usual, [series(SeriesDescription="Thorax")]) == ("topogram",)
    assert lacking(usual, [series(SeriesDescription="Topogram")]) == ("thorax",)
    assert lacking(usual, [], studies_min=41) == ()
    assert lacking(usual, [], share_min=0.9) == ("mpr", "thorax", "topogram")
