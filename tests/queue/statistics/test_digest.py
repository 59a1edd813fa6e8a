"""The digest of a week made by hand."""

import xml.etree.ElementTree as ET
from datetime import UTC, date, timedelta

from qa_daemon.language.speech import speech
from qa_daemon.queue.statistics.digest import Digest, digest
from qa_daemon.trends.facts import (
    Facet,
    FindingFact,
    Outcome,
    SeriesFact,
    findings_in_columns,
    series_in_columns,
)
from qa_daemon.trends.overview import Cut, overview
from qa_daemon.trends.period import Period
from tests.trends.conftest import NOON

HOSTILE = '"><script>alert(1)</script>'


def of_a_week(station: str = "WARD") -> Digest:
    """Return the digest of 12 accepted and 17 false alarms of one rule at one station."""
    outcomes = [Outcome.ACCEPTED] * 12 + [Outcome.FALSE_ALARM] * 17 + [Outcome.OPEN]
    found = [
        FindingFact(
            made_at=NOON,
            rule="VIEW-3",
            outcome=outcome,
            decided_at=None if outcome is Outcome.OPEN else NOON + timedelta(hours=2),
            station=station,
        )
        for outcome in outcomes
    ]
    judged = [SeriesFact(judged_at=NOON)] * 170
    seen = overview(
        findings_in_columns(found, (), UTC),
        series_in_columns(judged, (), UTC),
        Cut(period=Period(date(2026, 11, 2), date(2026, 11, 8), UTC)),
        Facet.RULE,
        NOON + timedelta(hours=5),
    )
    return digest(seen, (), speech("en"), "https://qa.example/trends")


def test_the_digest_tells_the_figures_and_what_goes_wrong() -> None:
    told = of_a_week()
    assert "2 Nov 2026" in told.subject
    for part in ("41 % of 29", "10.0", "VIEW-3 is wrong too often on WARD: 12 of 29 accepted",
                 "no diagnosis", "https://qa.example/trends"):  # fmt: skip
        assert part in told.html
        assert part in told.text


def test_no_name_of_a_station_becomes_markup_and_nothing_is_styled() -> None:
    told = of_a_week(station=HOSTILE)
    names = {each.tag for each in ET.fromstring(f"<body>{told.html}</body>").iter()}  # noqa: S314  our own
    assert "script" not in names
    assert "style=" not in told.html
