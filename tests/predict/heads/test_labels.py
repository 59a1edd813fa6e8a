from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa_daemon.predict.catalog import ModelCard
from qa_daemon.predict.heads.answer import predictions
from qa_daemon.predict.heads.outputs import Outputs, Subject, unable
from qa_daemon.records.prediction import Abstention, Prediction

LABELS = {
    "body_region": ("HEAD", "NECK", "CHEST", "ABDOMEN", "PELVIS", "LOWERLIMB"),
    "image_quality": ("too_dark", "clipped", "blurred", "cut_off", "moving", "inverted"),
    "view": ("AP", "PA", "LATERAL"),
}


def card(target: str, **changes: Any) -> ModelCard:
    given: dict[str, Any] = {
        "id": target,
        "version": "1.0.0",
        "target": target,
        "labels": LABELS[target],
        "modalities": ("CT", "MR"),
        "size": 80,
        "copies": "averaged",
        "temperature": 1.0,
        "correlation": 0.25,
        "thresholds": {"label": 0.5 if target == "body_region" else 0.8, "known": 0.3},
        "digest": "",
        "content": b"",
        "golden": Path(),
    }
    return ModelCard(**given | changes)


def subjects(count: int) -> tuple[Subject, ...]:
    return tuple(Subject(f"1.2.{number}", 1) for number in range(1, count + 1))


def said(asked: ModelCard, *rows: tuple[float, ...]) -> tuple[Prediction, ...]:
    """Make answers of rows of logits, one per frame."""
    outputs = Outputs(asked, subjects(len(rows)), np.asarray(rows, np.float32))
    return predictions(asked.target, outputs)


def odds(*shares: float) -> tuple[float, ...]:
    return tuple(float(np.log(share / (1 - share))) for share in np.clip(shares, 1e-4, 1 - 1e-4))


CHEST = odds(0.0, 0.0, 0.98, 0.1, 0.0, 0.0)
HEAD = odds(0.98, 0.0, 0.0, 0.0, 0.0, 0.0)
NOTHING = odds(*[0.05] * 6)


def test_regions_of_a_series_are_those_seen_on_enough_slices_best_first() -> None:
    both = odds(0.0, 0.0, 0.9, 0.6, 0.0, 0.0)
    series = said(card("body_region"), *[CHEST] * 8, both, both)[0]
    assert series.labels == ("CHEST", "ABDOMEN")
    assert series.label == "CHEST"
    assert not series.abstained
    assert series.reason is None


def test_one_slice_of_many_does_not_add_a_region() -> None:
    series = said(card("body_region"), *[CHEST] * 9, HEAD)[0]
    assert series.labels == ("CHEST",)


def test_no_accepted_region_abstains_with_the_reason() -> None:
    unsure = said(card("body_region"), odds(0.0, 0.0, 0.4, 0.4, 0.0, 0.0))[0]
    assert unsure.reason is Abstention.LOW_PROBABILITY
    nothing = said(card("body_region"), NOTHING)[0]
    assert nothing.reason is Abstention.OUT_OF_DISTRIBUTION
    assert nothing.labels == ()
    assert nothing.abstained


def test_a_label_may_have_a_threshold_of_its_own() -> None:
    strict = card("body_region", thresholds={"label": 0.5, "label:CHEST": 0.99})
    series = said(strict, CHEST)[0]
    assert series.label == "CHEST"
    assert series.labels == ()
    assert series.reason is Abstention.LOW_PROBABILITY


def test_several_labels_with_an_output_for_the_unknown() -> None:
    asked = card("body_region", reject=1, thresholds={"known": 0.5})
    assert said(asked, (*CHEST, -4.0))[0].labels == ("CHEST",)
    unknown = said(asked, (*CHEST, 4.0))[0]
    assert unknown.labels == ()
    assert unknown.reason is Abstention.OUT_OF_DISTRIBUTION


def test_a_picture_of_good_quality_is_an_answer_and_no_abstention() -> None:
    good = said(card("image_quality"), NOTHING)[0]
    assert good.labels == ()
    assert not good.abstained
    blurred = said(card("image_quality"), odds(0.0, 0.0, 0.9, 0.1, 0.0, 0.0))[0]
    assert blurred.labels == ("blurred",)
    unknown = said(card("image_quality", reject=1), (*NOTHING, 4.0))[0]
    assert unknown.reason is Abstention.OUT_OF_DISTRIBUTION


def test_a_sure_label_is_decided_for_the_series_and_its_frame() -> None:
    series, frame = said(card("view"), (0.0, 6.0, 0.0))
    assert (series.label, series.abstained, series.labels) == ("PA", False, None)
    assert series.probability == frame.probability
    assert (frame.sop_instance_uid, frame.frame) == ("1.2.1", 1)


def test_pictures_that_contradict_each_other_leave_the_series_open() -> None:
    series, *frames = said(card("view"), (6.0, 0.0, 0.0), (0.0, 0.0, 6.0))
    assert series.reason is Abstention.LOW_PROBABILITY
    assert [frame.label for frame in frames] == ["AP", "LATERAL"]
    assert not any(frame.abstained for frame in frames)


def test_agreeing_pictures_are_surer_than_one() -> None:
    alone = said(card("view"), (2.0, 0.0, 0.0))[0]
    together = said(card("view"), *[(2.0, 0.0, 0.0)] * 6)[0]
    assert alone.abstained
    assert not together.abstained


def test_what_the_model_does_not_know_has_no_vote_and_no_label_to_use() -> None:
    asked = card("view", reject=2, thresholds={"label": 0.8, "known": 0.5})
    series, known, unknown = said(asked, (6.0, 0.0, 0.0, 0.0, 0.0), (0.0, 0.0, 6.0, 9.0, 0.0))
    assert (series.label, series.abstained) == ("AP", False)
    assert not known.abstained
    assert unknown.label == "LATERAL"
    assert unknown.reason is Abstention.OUT_OF_DISTRIBUTION
    assert set(unknown.probabilities) == set(LABELS["view"])
    assert said(asked, (0.0, 0.0, 6.0, 9.0, 0.0))[0].reason is Abstention.OUT_OF_DISTRIBUTION


@given(
    rows=st.lists(st.tuples(*[st.floats(-20, 20)] * 5), min_size=1, max_size=9),
    reject=st.sampled_from([0, 2]),
)
def test_one_label_is_always_the_most_probable_and_shares_sum_to_one(
    rows: list[tuple[float, ...]], reject: int
) -> None:
    asked = card("view", reject=reject)
    for each in said(asked, *[row[: 3 + reject] for row in rows]):
        assert abs(sum(each.probabilities.values()) - 1) < 1e-6
        assert each.label is not None
        assert each.probability == max(each.probabilities.values())
        assert (each.reason is None) is (not each.abstained)


@pytest.mark.parametrize("target", LABELS)
def test_a_series_without_pixels_still_has_its_element(target: str) -> None:
    outputs = Outputs(card(target), (), np.zeros((0, len(LABELS[target])), np.float32))
    (series,) = predictions(target, outputs)
    assert series == unable(target, Abstention.NO_PIXELS, f"{target}@1.0.0")
    assert series.label is None
    assert series.probability is None
    assert series.probabilities == {}
    assert series.abstained
