"""Ages as modalities write them."""

from datetime import date

import pytest

from qa_daemon.rules.checks.patient.identity import age_on

BORN = date(2020, 2, 29)


@pytest.mark.parametrize(
    ("at", "age"),
    [
        (date(2020, 2, 29), "000D"),
        (date(2020, 3, 20), "020D"),
        (date(2020, 4, 1), "004W"),
        (date(2020, 8, 1), "005M"),
        (date(2022, 2, 27), "023M"),
        (date(2022, 3, 1), "002Y"),
        (date(2024, 2, 28), "003Y"),
        (date(2024, 2, 29), "004Y"),
        (date(2120, 3, 1), "100Y"),
    ],
)
def test_an_age_is_written_in_the_unit_that_people_use(at: date, age: str) -> None:
    assert age_on(BORN, at) == age
