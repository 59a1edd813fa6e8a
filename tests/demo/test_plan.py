"""What the demo sends, and when it counts as found."""

from datetime import UTC, datetime
from io import BytesIO
from typing import Any

import numpy as np
import pytest
from attrs import evolve
from pydicom import Dataset, dcmread

from qa_daemon.demo.outcome import Outcome
from qa_daemon.demo.plan import ABDOMEN_CT, PICTURES, Sending, sendings
from qa_daemon.limits import Limits
from qa_daemon.pixels.decode import decode_frame
from qa_daemon.pixels.image import read_image
from qa_daemon.records.finding import Finding, Level, Severity, Topic
from qa_daemon.records.states import SeriesState
from qa_daemon.store.series_rows import SeriesRow


@pytest.fixture(scope="module")
def planned() -> tuple[Sending, ...]:
    return sendings()


def read(sending: Sending) -> Dataset:
    return dcmread(BytesIO(sending.objects[0]))


def pixels(sending: Sending) -> np.ndarray[Any, Any]:
    return decode_frame(read_image(sending.objects[0], Limits()), 1).samples


def test_half_goes_each_way(planned: tuple[Sending, ...]) -> None:
    by_folder = [each.by_folder for each in planned]
    assert abs(sum(by_folder) * 2 - len(by_folder)) <= 1


def test_every_series_has_a_uid_of_its_own_and_words_for_people(
    planned: tuple[Sending, ...],
) -> None:
    assert len({each.series_instance_uid for each in planned}) == len(planned)
    assert {each.source for each in planned} == set(PICTURES)
    for each in planned:
        assert str(read(each).SeriesInstanceUID) == each.series_instance_uid
        is_clean = each.done_to_it in ("as published", "as drawn")
        assert is_clean is not bool(each.expected)


def test_pixels_are_turned_and_nothing_else_that_places_them(
    planned: tuple[Sending, ...],
) -> None:
    of_abdomen = {each.done_to_it: each for each in planned if each.source == ABDOMEN_CT}
    published = of_abdomen["as published"]
    picture = pixels(published)
    for words, expected in (
        ("pixels turned by 180 degrees", picture[::-1, ::-1]),
        ("pixels mirrored left to right", picture[:, ::-1]),
    ):
        changed = of_abdomen[words]
        assert np.array_equal(pixels(changed), expected)
        for keyword in ("ImageOrientationPatient", "ImagePositionPatient", "PixelSpacing"):
            assert read(changed)[keyword].value == read(published)[keyword].value


def test_one_study_carries_two_accession_numbers(planned: tuple[Sending, ...]) -> None:
    ordered = [read(each) for each in planned if Topic.ORDER in each.expected]
    assert len({str(each.StudyInstanceUID) for each in ordered}) == 1
    assert len({str(each.AccessionNumber) for each in ordered}) == 2


NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
ROW = SeriesRow(
    series_key="k",
    study_instance_uid="1.2",
    series_instance_uid="1.2.3",
    modality="CT",
    calling_ae="",
    state=SeriesState.CLEAN,
    state_since=NOON,
    revision=1,
    first_received_at=NOON,
    last_received_at=NOON,
    instance_count=1,
    attempts=0,
    reason="",
)
FOUND = Finding("ORIENT-005", Topic.ORIENTATION, Severity.MAJOR, Level.SERIES, "turned")


def test_a_planted_error_must_be_found(planned: tuple[Sending, ...]) -> None:
    turned = next(each for each in planned if Topic.ORIENTATION in each.expected)
    assert Outcome(turned, ROW, (FOUND,)).is_as_planted
    assert not Outcome(turned, ROW, ()).is_as_planted
    assert not Outcome(turned, ROW, (evolve(FOUND, topic=Topic.TIME),)).is_as_planted


def test_a_clean_series_must_stay_so_and_be_judged(planned: tuple[Sending, ...]) -> None:
    clean = next(each for each in planned if not each.expected)
    assert Outcome(clean, ROW, ()).is_as_planted
    assert not Outcome(clean, ROW, (FOUND,)).is_as_planted
    quarantined = evolve(ROW, state=SeriesState.QUARANTINED)
    assert not Outcome(clean, quarantined, ()).is_as_planted
