"""Days read from whatever stands in a date."""

from datetime import date

import pytest

from qa_daemon.rules.checks.patient.times import day


@pytest.mark.parametrize(
    "text", ["20240229", "2024.02.29", "20240229101530.0000+0100", "2024-02-29"]
)
def test_a_day_is_read_in_the_forms_that_occur(text: str) -> None:
    assert day(text) == date(2024, 2, 29)


@pytest.mark.parametrize("text", ["", "20230229", "20241301", "00000000", "29/02/2024", "today"])
def test_what_is_no_day_of_the_calendar_is_none(text: str) -> None:
    assert day(text) is None
