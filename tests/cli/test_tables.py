"""What the tables for people say of predictions."""

import io

from rich.console import Console

from qa_daemon.cli.tables import change_line, finding_block, pixels_show
from qa_daemon.records.finding import (
    Action,
    Change,
    Finding,
    Level,
    Scope,
    Severity,
    Suggestion,
    Topic,
)
from qa_daemon.records.prediction import Abstention, Prediction


def quality(*accepted: str) -> Prediction:
    return Prediction(
        "image_quality",
        "image_quality@1.0.0",
        label="moving",
        probability=0.37,
        abstained=False,
        probabilities={"moving": 0.37, "blurred": 0.02},
        labels=accepted,
    )


def test_a_picture_without_an_accepted_fault_is_good() -> None:
    assert pixels_show([quality()]) == "image quality: good"


def test_an_accepted_fault_is_named() -> None:
    assert pixels_show([quality("moving")]) == "image quality: moving 37%"


def test_targets_without_a_model_stand_together_at_the_end() -> None:
    lacking = [
        Prediction(target, "", reason=Abstention.MODEL_UNAVAILABLE)
        for target in ("laterality", "view")
    ]
    line = pixels_show([lacking[0], quality(), lacking[1]])
    assert line == "image quality: good   no model: laterality, view"


def test_an_item_of_a_sequence_is_shown_by_its_values() -> None:
    def item(number: str) -> tuple[dict[str, object], ...]:
        return ({"00080050": {"vr": "SH", "Value": [number]}},)

    name = "RequestAttributesSequence"
    change = Change(
        Scope.SERIES, Action.REPLACE, name, "00400275", name, "SQ", item("RX1"), item("RX2")
    )
    finding = Finding(
        "ORDER-020", Topic.ORDER, Severity.MAJOR, Level.VISIT, "exchanged",
        suggestion=Suggestion((change,)),
    )  # fmt: skip
    console = Console(width=80, record=True, file=io.StringIO())
    console.print(finding_block(finding))
    shown = console.export_text()
    assert "(item: RX1)" in shown
    assert "(item: RX2)" in shown


def replaced(attribute: str, current: tuple[str, ...] | None, proposed: tuple[str, ...]) -> Change:
    return Change(
        Scope.SERIES, Action.REPLACE, attribute, "00000000", attribute, "LO", current, proposed
    )


def test_a_list_names_what_would_change_from_what_to_what() -> None:
    turned = replaced(
        "ImageOrientationPatient", ("1", "0", "0", "0", "1", "0"), ("-1", "0", "0", "0", "-1", "0")
    )
    stays = replaced("ImagePositionPatient", ("1", "2", "3"), ("1", "2", "3"))
    assert change_line(Suggestion((turned, stays))).plain == (
        "ImageOrientationPatient L\\P -> R\\A"
    )
    several = (
        replaced("AccessionNumber", None, ("A2",)),
        replaced("StudyDescription", ("x" * 40,), ("y",)),
        replaced("StudyID", (), ("7",)),
    )
    assert change_line(Suggestion(several)).plain == (
        f"AccessionNumber (absent) -> A2; StudyDescription {'x' * 32}… -> y; and 1 attribute more"
    )
