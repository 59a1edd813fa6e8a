"""What speaks for a series belonging to an order."""

import pytest
from attrs import evolve

from qa_daemon.orders.evidence import (
    OTHER_MODALITY,
    WRITTEN_LEAST,
    WRITTEN_MOST,
    Witness,
    statements,
    weigh,
)
from qa_daemon.records.element import Element
from qa_daemon.records.inference import Inference
from qa_daemon.records.order import NamedRegion
from qa_daemon.records.prediction import Abstention, Prediction
from tests.orders.conftest import order, seen, series

BLANK = series("1", {})


def log_odds(inference: Inference, description: str, **written: str) -> float:
    told = series("1", {keyword: Element("LO", (text,)) for keyword, text in written.items()})
    return weigh(statements(told, inference), order("A", description), "DX").log_odds


def test_pixels_speak_for_the_part_that_they_show_and_against_others() -> None:
    assert log_odds(seen("KNEE"), "Knie re.") == pytest.approx(4.6, abs=0.1)
    assert log_odds(seen("KNEE"), "OSG re.") == pytest.approx(-4.6, abs=0.1)


def test_an_unsure_picture_says_less() -> None:
    assert 0 < log_odds(seen("KNEE", 0.7), "Knie re.") < log_odds(seen("KNEE", 0.95), "Knie re.")


def test_an_abstention_counts_nothing_and_an_unsure_one_only_leans() -> None:
    silent = Inference((Prediction("body_part", "m@1", label="KNEE", probability=0.5),))
    assert statements(BLANK, silent) == ()
    unsure = evolve(seen("KNEE", 0.4).predictions[0], abstained=True,
                    reason=Abstention.LOW_PROBABILITY)  # fmt: skip
    weighed = weigh(statements(BLANK, Inference((unsure,))), order("A", "Thorax"), "DX")
    assert weighed.log_odds == 0
    assert weighed.leaning < 0


def test_a_neighbour_is_less_against_a_part_than_a_stranger() -> None:
    told = statements(BLANK, seen("LOWERLEG"))
    ankle, chest = order("A", "OSG"), order("B", "Thorax")
    assert weigh(told, ankle, "DX").log_odds > weigh(told, chest, "DX").log_odds + 2


def test_the_other_side_speaks_against() -> None:
    assert log_odds(seen("KNEE", side="R"), "Knie re.") > log_odds(seen("KNEE"), "Knie re.")
    assert log_odds(seen("KNEE", side="L"), "Knie re.") < log_odds(seen("KNEE"), "Knie re.")


def test_one_side_says_nothing_about_an_order_of_both() -> None:
    both = log_odds(seen("KNEE", side="R"), "Knie bds.")
    assert both == log_odds(seen("KNEE"), "Knie bds.")


def test_writing_is_bounded() -> None:
    texts = {"BodyPartExamined": "KNEE", "SeriesDescription": "Knie", "ProtocolName": "KNEE AP",
             "PerformedProcedureStepDescription": "Knie"}  # fmt: skip
    assert log_odds(Inference(), "Knie re.", **texts) == pytest.approx(WRITTEN_MOST)
    assert log_odds(Inference(), "Thorax", **texts) >= WRITTEN_LEAST


def test_writing_says_little_for_the_order_that_it_may_come_from() -> None:
    told = statements(series("1", {"BodyPartExamined": Element("CS", ("KNEE",))}), Inference())
    knee = order("A", "Knie")
    assert weigh(told, knee, "DX", [knee]).log_odds < weigh(told, knee, "DX").log_odds


def test_words_that_fit_two_orders_tell_them_not_apart() -> None:
    told = statements(series("1", {"BodyPartExamined": Element("CS", ("KNEE",))}), Inference())
    knee, patella, hand = order("A", "Knie"), order("B", "Patella"), order("C", "Hand")
    assert weigh(told, patella, "DX", [knee]).log_odds == weigh(told, knee, "DX", [knee]).log_odds
    assert weigh(told, knee, "DX", [hand]).log_odds > weigh(told, knee, "DX", [knee]).log_odds
    assert weigh(told, hand, "DX", [hand]).log_odds == 0


def test_a_written_side_counts_where_the_part_fits() -> None:
    told = statements(series("1", {"Laterality": Element("CS", ("L",))}), Inference())
    assert weigh(told, order("A", "Knie li."), "DX").log_odds > 0
    assert weigh(told, order("A", "Knie re."), "DX").log_odds < 0


def test_another_kind_of_machine_is_as_good_as_excluded() -> None:
    ct = order("A", "CT Knie", modality="CT")
    assert weigh(statements(BLANK, seen("KNEE")), ct, "CR").log_odds < OTHER_MODALITY / 2
    assert weigh((), order("A", "Knie", modality="CR"), "DX").log_odds == 0


def test_words_that_nobody_understands_are_neither_for_nor_against() -> None:
    assert weigh(statements(BLANK, seen("KNEE")), order("A", "XYZ"), "DX").items == ()


def test_each_witness_is_listed_with_what_it_said() -> None:
    told = series("1", {"BodyPartExamined": Element("CS", ("HAND",))})
    items = weigh(statements(told, seen("KNEE")), order("A", "Knie"), "DX").items
    assert [(each.witness, each.said) for each in items] == [
        (Witness.PIXELS, "KNEE"),
        (Witness.BODY_PART, "HAND"),
    ]


def test_the_habit_of_a_station_is_a_witness() -> None:
    habit = statements(BLANK, Inference(), (NamedRegion("KNEE", None, 1.0),))
    assert [each.witness for each in habit] == [Witness.STATION]


def test_regions_of_slices_know_the_spine() -> None:
    regions = Prediction("body_region", "m@1", abstained=False, labels=("ABDOMEN",),
                         probabilities={"HEAD": 0.0, "ABDOMEN": 0.99, "PELVIS": 0.1})  # fmt: skip
    told = statements(series("1", {}), Inference((regions,)))
    assert weigh(told, order("A", "CT LWS", modality="CT"), "CT").log_odds > 1
    assert weigh(told, order("A", "CT Kopf", modality="CT"), "CT").log_odds < -4
