"""The document of `check --json` is the one that the contract promises (section 2)."""

import json
import math
from typing import Any

from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from qa_daemon.records.finding import (
    Action,
    Change,
    Finding,
    Level,
    Outcomes,
    Rejection,
    Scope,
    Severity,
    Suggestion,
    Topic,
    Unjudged,
    Verdict,
)
from qa_daemon.records.inference import Inference
from qa_daemon.records.prediction import Abstention, Box, Prediction
from qa_daemon.report.as_json import as_text, document, suggestions_as_dicom_json
from qa_daemon.report.summary import SeriesReport, StudyReport, VisitReport


def read(text: str) -> Any:
    def refuse(constant: str) -> None:
        raise AssertionError(constant)

    return json.loads(text, parse_constant=refuse)


def test_the_document_has_every_key_of_the_contract(report: SeriesReport) -> None:
    written = read(document([report]))
    assert set(written) == {"version", "series", "studies", "visits", "rejected"}
    assert written["version"] == 1
    (series,) = written["series"]
    assert {key: series[key] for key in ("study_instance_uid", "series_instance_uid")} == {
        "study_instance_uid": "1",
        "series_instance_uid": "1.1",
    }
    assert (series["modality"], series["instances"]) == ("CT", 2)
    assert set(series) >= {"predictions", "findings", "rules"}
    for prediction in series["predictions"]:
        assert set(prediction) >= {
            "target", "sop_instance_uid", "frame", "label", "probability", "abstained", "reason",
            "model", "probabilities",
        }  # fmt: skip
    for finding in series["findings"]:
        assert set(finding) >= {
            "rule", "topic", "severity", "level", "message", "confidence", "sop_instance_uids",
            "suggestion", "alternatives",
        }  # fmt: skip


def test_predictions_are_sorted_and_say_what_the_contract_adds(report: SeriesReport) -> None:
    predictions = read(document([report]))["series"][0]["predictions"]
    assert [(each["target"], each["sop_instance_uid"]) for each in predictions] == [
        ("axial_orientation", None),
        ("body_region", None),
        ("body_region", "1.1.2"),
        ("plane", None),
    ]
    axial, region, _, plane = predictions
    assert axial["turn"] == {"value": 2, "probability": 1.0, "abstained": False}
    assert axial["mirror"] == {"value": False, "probability": 0.6, "abstained": True}
    assert (axial["label"], axial["abstained"], axial["reason"]) == ("2", True, "low_probability")
    assert region["labels"] == ["CHEST"]
    assert "labels" not in axial
    assert (plane["label"], plane["probability"], plane["probabilities"]) == (None, None, {})
    assert plane["reason"] == "model_unavailable"


def test_what_a_target_adds_is_there_though_nothing_was_computed(report: SeriesReport) -> None:
    silent = tuple(
        Prediction(target, "", reason=Abstention.MODEL_UNAVAILABLE)
        for target in ("axial_orientation", "body_part", "body_region", "image_quality", "view")
    )
    text = document([evolve(report, inference=Inference(silent))])
    axial, *several, view = read(text)["series"][0]["predictions"]
    nothing = {"value": None, "probability": None, "abstained": True}
    assert (axial["turn"], axial["mirror"]) == (nothing, nothing)
    assert [each["labels"] for each in several] == [[], [], []]
    assert not {"labels", "turn", "mirror"} & set(view)


def test_a_marker_says_where_it_lies_and_how_it_is_written(report: SeriesReport) -> None:
    marker = Prediction(
        *("side_marker", "m@1", "L", 0.99),
        abstained=False,
        box=Box(10.5, 20, 30, 42),
        mirrored=True,
    )
    silent = Prediction("side_marker", "", reason=Abstention.MODEL_UNAVAILABLE)
    turned = Prediction("radiograph_orientation", "", reason=Abstention.NOT_APPLICABLE)
    found = []
    for prediction in (marker, silent, turned):
        text = document([evolve(report, inference=Inference((prediction,)))])
        found += read(text)["series"][0]["predictions"]
    assert (found[0]["box"], found[0]["mirrored"]) == ([10.5, 20, 30, 42], True)
    assert (found[1]["box"], found[1]["mirrored"]) == (None, None)
    assert found[2]["turn"] == {"value": None, "probability": None, "abstained": True}
    assert "box" not in found[2]


def test_findings_carry_suggestion_and_alternatives(report: SeriesReport) -> None:
    first, second, third = read(document([report]))["series"][0]["findings"]
    assert (first["rule"], first["severity"], first["level"]) == (
        "ORIENT-005",
        "critical",
        "series",
    )
    assert first["suggestion"] == {
        "hypothesis": "pixels_turned",
        "confidence": 0.6,
        "changes": [
            {
                "scope": "instance",
                "sop_instance_uid": "1.1.1",
                "action": "replace",
                "attribute": "ImageOrientationPatient",
                "tag": "00200037",
                "path": "ImageOrientationPatient",
                "vr": "DS",
                "current": ["1", "0", "0", "0", "1", "0"],
                "proposed": ["-1", "0", "0", "0", "-1", "0"],
            }
        ],
        "display": {"image_rotation": 180, "image_horizontal_flip": "N"},
    }
    assert [each["hypothesis"] for each in first["alternatives"]] == ["iop_wrong"]
    assert second["sop_instance_uids"] == ["1.1.1", "1.1.2"]
    assert second["suggestion"]["hypothesis"] is None
    assert "display" not in second["suggestion"]
    assert (third["suggestion"], third["alternatives"], third["confidence"]) == (None, [], None)


def test_outcomes_of_the_study_are_those_of_its_series(report: SeriesReport) -> None:
    study = StudyReport(
        "1",
        Verdict(
            (Finding("A-9", Topic.IDENTITY, Severity.CRITICAL, Level.STUDY, "two patients"),),
            Outcomes(finding=("A-9",), not_evaluated=(Unjudged("A-0", "x"),)),
        ),
    )
    written = read(document([report], [study]))
    (series,) = written["series"]
    assert series["rules"] == {
        "passed": ["A-1"],
        "finding": ["A-9", "GEOM-001", "ORIENT-005", "REGION-001"],
        "not_applicable": ["A-2"],
        "not_evaluated": [
            {"rule": "A-0", "reason": "x"},
            {"rule": "A-3", "reason": "plane: model_unavailable"},
        ],
        "fault": [{"rule": "A-4", "reason": "KeyError in x:1"}],
    }
    assert [each["rule"] for each in series["findings"]] == ["ORIENT-005", "REGION-001", "GEOM-001"]
    assert [each["rule"] for each in written["studies"][0]["findings"]] == ["A-9"]


def test_series_studies_visits_and_rejections_are_sorted(report: SeriesReport) -> None:
    other = evolve(report, series=evolve(report.series, series_instance_uid="1.0"))
    nothing = Verdict((), Outcomes())
    found = Verdict(report.verdict.findings, Outcomes())
    written = read(
        document(
            [report, other],
            [StudyReport("2", nothing), StudyReport("1", nothing)],
            [
                VisitReport(("4", "3"), found),
                VisitReport(("1",), found),
                VisitReport(("2",), nothing),
            ],
            [Rejection("b", "not_dicom", "no"), Rejection("a", "limit", "big", "too-large")],
        )
    )
    assert [each["series_instance_uid"] for each in written["series"]] == ["1.0", "1.1"]
    assert [each["study_instance_uid"] for each in written["studies"]] == ["1", "2"]
    assert [each["study_instance_uids"] for each in written["visits"]] == [["1"], ["3", "4"]]
    assert written["rejected"] == [
        {"path": "a", "reason": "limit", "message": "big"},
        {"path": "b", "reason": "not_dicom", "message": "no"},
    ]


def test_rules_of_a_visit_stand_in_the_lists_of_its_series(report: SeriesReport) -> None:
    of_visit = Verdict((), Outcomes(not_applicable=("Z-9",)))
    written = read(document([report], [], [VisitReport(("1",), of_visit)]))
    assert "Z-9" in written["series"][0]["rules"]["not_applicable"]
    assert written["visits"] == []


def test_an_empty_document_is_whole() -> None:
    assert read(document([])) == {
        "version": 1,
        "series": [],
        "studies": [],
        "visits": [],
        "rejected": [],
    }


def changed(report: SeriesReport, *changes: Change) -> SeriesReport:
    finding = evolve(report.verdict.findings[1], suggestion=Suggestion(changes))
    return evolve(report, verdict=Verdict((finding,), Outcomes()))


def test_absent_empty_and_removed_are_three_things(report: SeriesReport) -> None:
    change = report.verdict.findings[1].suggestion
    assert change is not None
    (base,) = change.changes
    written = read(
        document(
            [
                changed(
                    report,
                    evolve(base, action=Action.ADD, current=None),
                    evolve(base, current=()),
                    evolve(base, action=Action.REMOVE, proposed=None),
                )
            ]
        )
    )
    changes = written["series"][0]["findings"][0]["suggestion"]["changes"]
    assert [(each["action"], each["current"], each["proposed"]) for each in changes] == [
        ("add", None, ["CHEST"]),
        ("replace", [], ["CHEST"]),
        ("remove", ["KNEE"], None),
    ]


def test_numbers_that_json_lacks_and_broken_text_do_not_break_the_document(
    report: SeriesReport,
) -> None:
    base = report.verdict.findings[1].suggestion
    assert base is not None
    odd = evolve(base.changes[0], current=(math.nan, math.inf, "\ud800", {"Alphabetic": "Ä"}, None))
    text = document([changed(report, odd)])
    text.encode("utf-8")
    current = read(text)["series"][0]["findings"][0]["suggestion"]["changes"][0]["current"]
    assert current == ["nan", "inf", "\ufffd", {"Alphabetic": "Ä"}, None]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(value=JSON)
def test_whatever_is_written_is_utf_8_and_json(value: Any) -> None:
    text = as_text(value)
    text.encode("utf-8")
    read(text)


def test_the_suggestion_file_holds_a_data_set_per_changed_instance(report: SeriesReport) -> None:
    written = read(suggestions_as_dicom_json(report.series, report.verdict))
    assert written == [
        {
            "00080018": {"vr": "UI", "Value": ["1.1.1"]},
            "00180015": {"vr": "CS", "Value": ["CHEST"]},
            "0020000D": {"vr": "UI", "Value": ["1"]},
            "0020000E": {"vr": "UI", "Value": ["1.1"]},
            "00200037": {"vr": "DS", "Value": ["-1", "0", "0", "0", "-1", "0"]},
        },
        {
            "00080018": {"vr": "UI", "Value": ["1.1.2"]},
            "00180015": {"vr": "CS", "Value": ["CHEST"]},
            "0020000D": {"vr": "UI", "Value": ["1"]},
            "0020000E": {"vr": "UI", "Value": ["1.1"]},
        },
    ]


def test_nothing_suggested_is_an_empty_file(report: SeriesReport) -> None:
    assert read(suggestions_as_dicom_json(report.series, Verdict((), Outcomes()))) == []


def test_the_worse_finding_decides_where_two_touch_one_element(report: SeriesReport) -> None:
    worse, lesser, _ = report.verdict.findings
    assert worse.suggestion is not None
    (change,) = worse.suggestion.changes
    contradicting = evolve(lesser, suggestion=Suggestion((evolve(change, proposed=("0",) * 6),)))
    verdict = Verdict((worse, contradicting), Outcomes())
    (written,) = read(suggestions_as_dicom_json(report.series, verdict))
    assert written["00200037"]["Value"][0] == "-1"


def test_a_nested_change_keeps_the_places_of_its_items(report: SeriesReport) -> None:
    path = "PerFrameFunctionalGroupsSequence[{}].PlanePositionSequence[1].ImagePositionPatient"
    changes = tuple(
        Change(
            Scope.INSTANCE,
            Action.REPLACE,
            "ImagePositionPatient",
            "00200032",
            path.format(frame),
            "DS",
            ("0", "0", "0"),
            ("1", "2", str(frame)),
            "1.1.1",
        )
        for frame in (2, 3)
    )
    reported = changed(report, *changes)
    (written,) = read(suggestions_as_dicom_json(report.series, reported.verdict))
    groups = written["52009230"]
    assert groups["vr"] == "SQ"
    assert groups["Value"][0] == {}
    assert [
        item["00209113"]["Value"][0]["00200032"]["Value"][2] for item in groups["Value"][1:]
    ] == ["2", "3"]


def test_an_element_to_be_removed_stands_without_a_value(report: SeriesReport) -> None:
    base = report.verdict.findings[1].suggestion
    assert base is not None
    removal = evolve(base.changes[0], action=Action.REMOVE, proposed=None)
    written = read(suggestions_as_dicom_json(report.series, changed(report, removal).verdict))
    assert written[0]["00180015"] == {"vr": "CS"}
