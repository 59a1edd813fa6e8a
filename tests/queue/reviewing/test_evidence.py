"""What speaks for a finding sums to the sureness that is shown; runners-up are shown, too."""

import pytest

from qa_daemon.queue.reviewing.evidence import logit, sight, telling, weights
from qa_daemon.records.finding import Finding, Level, Severity, Topic
from qa_daemon.records.inference import Inference
from qa_daemon.records.prediction import Abstention, Part, Prediction


def finding(topic: Topic, confidence: float | None, **evidence: str) -> Finding:
    return Finding(
        rule="T-1",
        topic=topic,
        severity=Severity.MAJOR,
        level=Level.SERIES,
        message="",
        confidence=confidence,
        evidence=evidence,
    )


def test_weights_of_a_visit_sum_to_its_sureness() -> None:
    said = finding(
        Topic.ORDER,
        0.97,
        pixels="KNEE: -3.9 for the order named, +2.1 for the other",
        station="HAND: +0.4 for the order named, -0.1 for the other",
        gain="+6.0",
    )
    found = weights(said, Inference())
    assert sum(each.log_odds or 0.0 for each in found) == pytest.approx(logit(0.97))
    by_name = {each.name: each.log_odds for each in found}
    assert by_name["pixels"] == pytest.approx(6.0)
    assert by_name["station"] == pytest.approx(-0.5)
    assert found[0].name == "pixels"


def test_one_figure_stands_for_all_pictures_and_facts_beside_it_have_none() -> None:
    said = finding(Topic.ORIENTATION, 0.99, **{"class seen in the pixels": "2"})
    found = weights(said, Inference(table_side="top"))
    assert [(each.name, each.log_odds is None) for each in found] == [
        ("pictures", False),
        ("table", True),
    ]
    assert found[0].log_odds == pytest.approx(4.6, abs=0.01)


def test_a_finding_without_a_model_has_facts_only() -> None:
    found = weights(finding(Topic.IDENTITY, None, rule="x"), Inference())
    assert [each.log_odds for each in found] == [None]


def orientation(*, abstained: bool, turn_abstained: bool) -> Prediction:
    return Prediction(
        target="axial_orientation",
        model="m@1",
        label="2",
        probability=0.56,
        abstained=abstained,
        reason=Abstention.LOW_PROBABILITY if abstained else None,
        probabilities={"2": 0.56, "6": 0.44, "0": 0.0, "1": 0.0},
        turn=Part(2, 0.99, turn_abstained),
    )


def test_the_three_best_are_shown_and_which_of_them_is_tagged() -> None:
    inference = Inference((orientation(abstained=False, turn_abstained=False),))
    seen = sight(finding(Topic.ORIENTATION, 0.9), inference, 6)
    assert seen is not None
    assert [each.label for each in seen.candidates] == ["2", "6", "0"]
    assert [each.is_tagged for each in seen.candidates] == [False, True, False]


def test_where_only_the_turn_is_decided_the_page_says_so() -> None:
    inference = Inference((orientation(abstained=True, turn_abstained=False),))
    seen = sight(finding(Topic.ORIENTATION, 0.9), inference, 0)
    assert seen is not None
    assert seen.reason == "turn_only"


def test_a_model_that_could_not_be_asked_gives_its_reason_and_no_figure() -> None:
    silent = Prediction("body_region", "m@1", reason=Abstention.NO_PIXELS)
    seen = sight(finding(Topic.BODY_PART, None), Inference((silent,)), 0)
    assert seen is not None
    assert (seen.candidates, seen.reason) == ((), "no_pixels")


def test_telling_slices_are_spread_over_those_that_voted() -> None:
    assert telling(list(range(10)), 5) == (1, 3, 5, 7, 9)
    assert telling([4], 5) == (4,)
    assert telling([], 5) == ()
