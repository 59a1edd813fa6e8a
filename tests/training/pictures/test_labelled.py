from pathlib import Path

from qa_daemon.training.pictures.labelled import (
    MEDNIST,
    MEDNIST_TEST,
    chests,
    medical_mnist,
    radiographs,
)


def test_radiographs_keep_what_their_table_says(drawn_pictures: Path) -> None:
    hand, knee, wrist = radiographs(drawn_pictures)
    assert (hand.parts, hand.side, hand.view) == (("Hand", "Wrist"), "left", "PA")
    assert (hand.is_inverted, knee.is_inverted) == (False, True)
    assert hand.patient == knee.patient == "a|p1" != wrist.patient
    assert hand.read().shape == (220, 220)


def test_chests_keep_finding_and_age(drawn_pictures: Path) -> None:
    first, *_ = chests(drawn_pictures)
    assert (first.finding, first.age_group, first.parts) == ("normal", "adult", ("Chest",))


def test_test_blocks_of_medical_mnist_are_a_source_of_their_own(drawn_pictures: Path) -> None:
    found = list(medical_mnist(drawn_pictures))
    assert [each.source for each in found] == [MEDNIST, MEDNIST, MEDNIST_TEST, MEDNIST_TEST]
    assert [each.labels for each in found[:2]] == [("AbdomenCT",), ("Hand",)]
    assert {each.patient_known for each in found} == {False}
    assert found[3].read().shape == (64, 64)
