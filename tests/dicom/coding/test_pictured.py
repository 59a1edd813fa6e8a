"""Terms of Annex L as radiographs show them."""

import pytest

from qa_daemon.dicom.coding.pictured import LABELS, are_near, labels_of
from qa_daemon.dicom.regions import body_part, body_parts


@pytest.mark.parametrize(
    ("term", "labels"),
    [
        ("KNEE", {"KNEE"}),
        ("PATELLA", {"KNEE"}),
        ("THORAX", {"CHEST"}),
        ("RADIUSULNA", {"FOREARM", "WRIST", "ELBOW"}),
        ("ABDOMENPELVIS", {"ABDOMEN", "PELVIS"}),
        ("LEFT FOOT", set()),
    ],
)
def test_a_term_means_the_labels_that_its_picture_shows(term: str, labels: set[str]) -> None:
    part = body_part(term)
    assert (set() if part is None else labels_of(part)) == labels


def test_only_labels_of_the_model_are_named() -> None:
    for part in body_parts().values():
        assert labels_of(part) <= LABELS


def test_neighbours_are_near_and_what_lies_two_joints_away_is_not() -> None:
    assert are_near("HAND", "WRIST")
    assert are_near("WRIST", "HAND")
    assert not are_near("KNEE", "ANKLE")
    assert not are_near("CHEST", "ABDOMEN")
