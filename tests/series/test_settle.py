"""When a series closes."""

from datetime import UTC, datetime, timedelta
from typing import Final

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from qa_daemon.records.element import Element
from qa_daemon.records.instance import Instance, Located, Plane
from qa_daemon.series.settle import (
    Arrivals,
    SettleBounds,
    Settled,
    Settling,
    expected_count,
    has_open_gap,
    settles_at,
)

LAST: Final = datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC)
BOUNDS: Final = SettleBounds(quiet_s=20, gap_wait_max_s=8)


def after(seconds: float) -> datetime:
    return LAST + timedelta(seconds=seconds)


def test_quiet_time_after_the_last_instance_closes() -> None:
    assert settles_at(Arrivals(LAST), BOUNDS) == Settling(after(20), Settled.QUIET)


@pytest.mark.parametrize(
    "arrivals",
    [
        Arrivals(LAST, association_ended_at=after(1)),
        Arrivals(LAST, next_series_begun_at=after(1)),
        Arrivals(LAST, has_open_gap=True),
    ],
)
def test_neither_the_end_of_the_association_nor_another_series_closes_alone(
    arrivals: Arrivals,
) -> None:
    assert settles_at(arrivals, BOUNDS) == Settling(after(20), Settled.QUIET)


def test_both_together_close_when_the_second_happens() -> None:
    arrivals = Arrivals(LAST, association_ended_at=after(1), next_series_begun_at=after(-30))
    assert settles_at(arrivals, BOUNDS) == Settling(after(1), Settled.NEXT_SERIES)
    arrivals = evolve(arrivals, next_series_begun_at=after(3))
    assert settles_at(arrivals, BOUNDS) == Settling(after(3), Settled.NEXT_SERIES)


def test_a_count_that_is_reached_closes_at_once() -> None:
    assert settles_at(Arrivals(LAST, count_reached_at=LAST), BOUNDS) == Settling(
        LAST, Settled.COUNT
    )


def test_a_gap_delays_the_early_close_up_to_its_limit_and_never_the_quiet_one() -> None:
    arrivals = Arrivals(LAST, count_reached_at=LAST, has_open_gap=True)
    assert settles_at(arrivals, BOUNDS) == Settling(after(8), Settled.GAP_WAITED)
    long = SettleBounds(quiet_s=20, gap_wait_max_s=120)
    assert settles_at(arrivals, long) == Settling(after(20), Settled.QUIET)


MOMENT: Final = st.none() | st.floats(-100, 100).map(after)


@given(
    arrivals=st.builds(Arrivals, st.just(LAST), MOMENT, MOMENT, MOMENT, st.booleans()),
    bounds=st.builds(SettleBounds, st.floats(0, 60), st.floats(0, 200)),
)
def test_it_never_closes_before_its_last_instance_nor_after_the_quiet_time(
    arrivals: Arrivals, bounds: SettleBounds
) -> None:
    assert LAST <= settles_at(arrivals, bounds).at <= after(bounds.quiet_s)


def texts(**elements: str) -> dict[str, Element]:
    return {keyword: Element("IS", (text,)) for keyword, text in elements.items()}


def test_the_images_of_a_single_acquisition_are_the_expected_count() -> None:
    assert expected_count(texts(ImagesInAcquisition="27", AcquisitionNumber="1")) == 27
    assert expected_count(texts(ImagesInAcquisition="27")) is None
    assert expected_count(texts(AcquisitionNumber="1")) is None
    assert expected_count(texts(ImagesInAcquisition="0", AcquisitionNumber="1")) is None
    assert expected_count(texts(ImagesInAcquisition="many", AcquisitionNumber="1")) is None


def at(height: float, number: int) -> Instance:
    return Instance(
        study_instance_uid="1",
        series_instance_uid="1.2",
        sop_instance_uid=f"1.2.{number}",
        sop_class_uid="1.2.840.10008.5.1.4.1.1.2",
        transfer_syntax_uid="1.2.840.10008.1.2.1",
        elements=texts(InstanceNumber=str(number)),
        planes=(
            Plane(
                1,
                Located("ImageOrientationPatient", "DS", ("1", "0", "0", "0", "1", "0")),
                Located("ImagePositionPatient", "DS", ("0", "0", str(height))),
            ),
        ),
        number_of_frames=1,
    )


def test_a_missing_slice_is_an_open_gap_until_it_comes() -> None:
    stack = [at(5.0 * i, i) for i in range(6)]
    assert has_open_gap(stack[:2] + stack[3:])
    assert not has_open_gap(stack)
    assert not has_open_gap([])
