"""A judged series with a prediction, a finding and a suggestion of each kind."""

import pytest

from qa_daemon.records.finding import (
    Action,
    Change,
    Display,
    Finding,
    Hypothesis,
    Level,
    Outcomes,
    Scope,
    Severity,
    Suggestion,
    Topic,
    Unjudged,
    Verdict,
)
from qa_daemon.records.inference import Inference
from qa_daemon.records.prediction import Abstention, Part, Prediction
from qa_daemon.report.summary import SeriesReport
from qa_daemon.rules.prove import case_series
from qa_daemon.rules.schema import CaseSeries

IOP = Change(
    Scope.INSTANCE,
    Action.REPLACE,
    "ImageOrientationPatient",
    "00200037",
    "ImageOrientationPatient",
    "DS",
    ("1", "0", "0", "0", "1", "0"),
    ("-1", "0", "0", "0", "-1", "0"),
    "1.1.1",
)
BODY_PART = Change(
    Scope.SERIES,
    Action.REPLACE,
    "BodyPartExamined",
    "00180015",
    "BodyPartExamined",
    "CS",
    ("KNEE",),
    ("CHEST",),
)


@pytest.fixture
def report() -> SeriesReport:
    """Two instances, three predictions, two findings."""
    series = case_series(
        CaseSeries(
            {
                "StudyInstanceUID": "1",
                "SeriesInstanceUID": "1.1",
                "Modality": "CT",
                "BodyPartExamined": "KNEE",
            },
            ({"SOPInstanceUID": "1.1.1"}, {"SOPInstanceUID": "1.1.2"}),
        )
    )
    predictions = (
        Prediction(
            "body_region",
            "region@1",
            label="CHEST",
            probability=0.99,
            abstained=False,
            probabilities={"HEAD": 0.01, "CHEST": 0.99},
            labels=("CHEST",),
        ),
        Prediction(
            "axial_orientation",
            "axial@1",
            label="2",
            probability=0.6,
            reason=Abstention.LOW_PROBABILITY,
            probabilities={"2": 0.6, "6": 0.4},
            turn=Part(2, 1.0, abstained=False),
            mirror=Part(False, 0.6, abstained=True),  # noqa: FBT003  the answer is yes or no
        ),
        Prediction("plane", "", reason=Abstention.MODEL_UNAVAILABLE),
        Prediction("body_region", "region@1", label="CHEST", sop_instance_uid="1.1.2", frame=1),
    )
    findings = (
        Finding(
            "ORIENT-005",
            Topic.ORIENTATION,
            Severity.CRITICAL,
            Level.SERIES,
            "upside down",
            0.99,
            (),
            {"class": "2"},
            Suggestion((IOP,), Hypothesis.PIXELS_TURNED, 0.6, Display(180, "N")),
            (Suggestion((IOP,), Hypothesis.IOP_WRONG, 0.3, Display(90, "Y")),),
        ),
        Finding(
            "REGION-001",
            Topic.BODY_PART,
            Severity.MAJOR,
            Level.SERIES,
            "knee on a chest",
            0.99,
            ("1.1.2", "1.1.1"),
            {},
            Suggestion((BODY_PART,), confidence=0.99),
        ),
        Finding("GEOM-001", Topic.GEOMETRY, Severity.INFO, Level.INSTANCE, "hm"),
    )
    outcomes = Outcomes(
        passed=("A-1",),
        finding=("ORIENT-005", "REGION-001", "GEOM-001"),
        not_applicable=("A-2",),
        not_evaluated=(Unjudged("A-3", "plane: model_unavailable"),),
        fault=(Unjudged("A-4", "KeyError in x:1"),),
    )
    inference = Inference(predictions, {}, "bottom")
    return SeriesReport(series, inference, Verdict(findings, outcomes))
