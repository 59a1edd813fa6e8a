"""A clock is told from a late batch: by several arrivals, their spread, and once."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa_daemon.habits.clock import RUN, SAMPLES_MIN, delay_min, shift_of
from qa_daemon.rules.prove import case_series
from qa_daemon.rules.schema import CaseSeries

CAME = datetime(2024, 5, 1, 12, tzinfo=timezone(timedelta(hours=2)))


@pytest.mark.parametrize(
    ("tags", "minutes"),
    [
        ({"AcquisitionDate": "20240501", "AcquisitionTime": "115730"}, 2),
        ({"AcquisitionDate": "20240501", "AcquisitionTime": "1157"}, 3),
        ({"ContentDate": "20240430", "ContentTime": "235900.25"}, 721),
        ({"SeriesDate": "20240501", "SeriesTime": "130000"}, -60),
        ({"AcquisitionDateTime": "20240501115000.5"}, 10),
        ({"AcquisitionDateTime": "20240501095000", "TimezoneOffsetFromUTC": "+0000"}, 10),
        ({"AcquisitionDate": "20240230", "AcquisitionTime": "115700"}, None),
        ({"AcquisitionDate": "20240501", "AcquisitionTime": "257700"}, None),
        ({"AcquisitionDate": "20240401", "AcquisitionTime": "115700"}, None),
        ({"AcquisitionDate": "20240501"}, None),
        ({"ImageType": "DERIVED", "ContentDate": "20240501", "ContentTime": "115700"}, None),
        ({}, None),
    ],
)
def test_the_delay_is_that_of_the_latest_image(tags: dict[str, str], minutes: int | None) -> None:
    assert delay_min(case_series(CaseSeries(tags)), CAME) == minutes


def test_of_several_images_the_last_one_counts() -> None:
    rows = tuple({"ContentTime": time} for time in ("110000", "115900", "113000"))
    series = case_series(CaseSeries({"ContentDate": "20240501"}, rows))
    assert delay_min(series, CAME) == 1
    assert delay_min(series, datetime(2024, 5, 1, 10, tzinfo=UTC)) == -119


def arrivals(before: list[int], after: list[int]) -> list[int]:
    """Return at which of the arrivals after a change something is told."""
    told = []
    for number, now in enumerate(after, start=1):
        earlier = [*reversed(after[: number - 1]), *reversed(before)]
        if shift_of(earlier, now) is not None:
            told.append(number)
    return told


def test_a_clock_that_was_set_is_told_once_whichever_way() -> None:
    assert arrivals([3, 4, 2] * 10, [63] * 40) == [RUN]
    assert arrivals([63, 64, 62] * 10, [3] * 40) == [RUN]


def test_a_late_batch_is_no_clock() -> None:
    assert arrivals([3, 4, 2] * 10, [300] * (RUN - 1) + [3] * 5 + [300] * (RUN - 1)) == []


def test_few_arrivals_are_no_habit() -> None:
    assert arrivals([3] * (SAMPLES_MIN - 1), [63] * RUN) == []
    assert arrivals([3] * SAMPLES_MIN, [63] * RUN) == [RUN]


def test_a_station_that_sends_when_it_likes_has_no_usual_delay() -> None:
    assert arrivals([1, 200, 40, 500, 90, 10] * 6, [400] * 10) == []


@given(st.lists(st.integers(0, 5), min_size=SAMPLES_MIN, max_size=60))
def test_small_differences_are_never_told(delays: list[int]) -> None:
    assert arrivals(delays[:SAMPLES_MIN], delays[SAMPLES_MIN:]) == []
