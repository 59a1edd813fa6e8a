"""Shares of verdicts, with what their number can prove, and the places where a rule goes wrong."""

from math import sqrt
from typing import Final

import numpy as np
from attrs import frozen

from qa_daemon.trends.facts import DECIDED, OF_SERIES, Facet, Facts, Outcome

#: Below so many verdicts a share is grey and never called bad (design reference, section 5).
VERDICTS_MIN: Final = 10
#: A rule that people agree with less often than this costs more than it gives.
ACCEPTED_SHARE_MIN: Final = 0.70
#: Standard normal quantile of a two-sided 95 % interval.
_Z: Final = 1.959964


@frozen
class Share:
    """`part` of `whole`, with its Wilson interval of 95 %.

    Wilson, J. Am. Stat. Assoc. 22 (1927) 209; it keeps its level for small numbers, and lies in
    0 to 1.
    """

    part: int
    whole: int

    @property
    def value(self) -> float | None:
        """The share, None of nothing."""
        return self.part / self.whole if self.whole else None

    @property
    def is_telling(self) -> bool:
        """Whether there are enough verdicts to speak of a rate."""
        return self.whole >= VERDICTS_MIN

    @property
    def interval(self) -> tuple[float, float]:
        """Lower and upper limit; 0 and 1 of nothing."""
        if not self.whole:
            return 0.0, 1.0
        share, n = self.part / self.whole, self.whole
        middle = (share + _Z * _Z / (2 * n)) / (1 + _Z * _Z / n)
        half = _Z * sqrt(share * (1 - share) / n + _Z * _Z / (4 * n * n)) / (1 + _Z * _Z / n)
        return max(0.0, middle - half), min(1.0, middle + half)

    @property
    def is_low(self) -> bool:
        """Whether it lies below the bar, by enough verdicts to be shown as such."""
        return self.is_telling and self.part < ACCEPTED_SHARE_MIN * self.whole

    @property
    def is_proven_low(self) -> bool:
        """Whether chance does not explain that it lies below the bar: worth a warning."""
        return self.is_low and self.interval[1] < ACCEPTED_SHARE_MIN


@frozen(kw_only=True)
class Tally:
    """What became of findings that have something in common.

    Attributes
    ----------
    findings
        All, muted ones too.
    series
        Judged ones with the same value; None where that is not known of series without findings.
    """

    value: str
    findings: int
    accepted: int
    rejected: int
    false_alarms: int
    open: int
    muted: int
    series: int | None = None

    @property
    def decided(self) -> int:
        """How many have a verdict."""
        return self.accepted + self.rejected + self.false_alarms

    @property
    def acceptance(self) -> Share:
        """Accepted of decided."""
        return Share(self.accepted, self.decided)

    @property
    def false_alarms_per_100_series(self) -> float | None:
        """False alarms per 100 judged series, None where those are unknown or none."""
        return 100 * self.false_alarms / self.series if self.series else None


def tally(found: Facts, judged: Facts | None = None, value: str = "") -> Tally:
    """Count all of `found`, and the series that were judged if they are given."""
    count = np.bincount(found.outcomes, minlength=len(Outcome))
    return Tally(
        value=value,
        findings=len(found),
        accepted=int(count[Outcome.ACCEPTED]),
        rejected=int(count[Outcome.REJECTED]),
        false_alarms=int(count[Outcome.FALSE_ALARM]),
        open=int(count[Outcome.OPEN]),
        muted=int(count[Outcome.MUTED]),
        series=None if judged is None else len(judged),
    )


def tallies(found: Facts, judged: Facts, facet: Facet) -> tuple[Tally, ...]:
    """Count by the values of a facet, the most findings first."""
    names = found.names[facet]
    counts = np.zeros((len(names), len(Outcome)), dtype=np.int64)
    np.add.at(counts, (found.codes[facet], found.outcomes), 1)
    series = _series_by_value(judged, facet)
    rows = [
        Tally(
            value=name,
            findings=int(count.sum()),
            accepted=int(count[Outcome.ACCEPTED]),
            rejected=int(count[Outcome.REJECTED]),
            false_alarms=int(count[Outcome.FALSE_ALARM]),
            open=int(count[Outcome.OPEN]),
            muted=int(count[Outcome.MUTED]),
            series=None if series is None else series.get(name, 0),
        )
        for name, count in zip(names, counts, strict=True)
        if count.sum()
    ]
    return tuple(sorted(rows, key=lambda row: (-row.findings, row.value)))


def _series_by_value(judged: Facts, facet: Facet) -> dict[str, int] | None:
    if facet not in OF_SERIES:
        return None
    names = judged.names[facet]
    counts = np.bincount(judged.codes[facet], minlength=len(names))
    return {name: int(count) for name, count in zip(names, counts, strict=True)}


@frozen(kw_only=True)
class Place:
    """How often people agree with one rule at one station."""

    rule: str
    station: str
    acceptance: Share


@frozen(kw_only=True)
class Matrix:
    """Acceptance by rule and station: the most frequent of each; cells without a verdict are None.

    Attributes
    ----------
    left_out
        How many rules and stations have verdicts and are not shown.
    """

    rules: tuple[str, ...]
    stations: tuple[str, ...]
    cells: tuple[tuple[Share | None, ...], ...]
    left_out: tuple[int, int]


def places(found: Facts) -> tuple[Place, ...]:
    """Return every rule at every station that has a verdict, by name."""
    decided = found.chosen(found.are(*DECIDED))
    rules, stations = decided.names[Facet.RULE], decided.names[Facet.STATION]
    shape = (len(rules), len(stations))
    wholes, parts = np.zeros(shape, dtype=np.int64), np.zeros(shape, dtype=np.int64)
    at = (decided.codes[Facet.RULE], decided.codes[Facet.STATION])
    np.add.at(wholes, at, 1)
    np.add.at(parts, at, decided.outcomes == Outcome.ACCEPTED)
    return tuple(
        Place(
            rule=rules[row],
            station=stations[column],
            acceptance=Share(int(parts[row, column]), int(wholes[row, column])),
        )
        for row, column in np.argwhere(wholes)
    )


def too_often_wrong(found: tuple[Place, ...]) -> tuple[Place, ...]:
    """Return where a rule is wrong more often than chance explains, the worst first."""
    proven = [place for place in found if place.acceptance.is_proven_low]
    return tuple(sorted(proven, key=lambda place: (place.acceptance.interval[1], place.rule)))


def matrix(found: tuple[Place, ...], rules_max: int, stations_max: int) -> Matrix:
    """Return the places as a table of the rules and stations with the most verdicts.

    What `too_often_wrong` names is always in it: rows and columns with proven faults come first.
    """
    by_rule, by_station = _by_weight(found, "rule"), _by_weight(found, "station")
    rules, stations = by_rule[:rules_max], by_station[:stations_max]
    cell = {(place.rule, place.station): place.acceptance for place in found}
    return Matrix(
        rules=tuple(sorted(rules)),
        stations=tuple(sorted(stations)),
        cells=tuple(
            tuple(cell.get((rule, station)) for station in sorted(stations))
            for rule in sorted(rules)
        ),
        left_out=(len(by_rule) - len(rules), len(by_station) - len(stations)),
    )


def _by_weight(found: tuple[Place, ...], name: str) -> list[str]:
    weight: dict[str, tuple[int, int]] = {}
    for place in found:
        key = place.rule if name == "rule" else place.station
        faults, verdicts = weight.get(key, (0, 0))
        is_fault = place.acceptance.is_proven_low
        weight[key] = (faults + is_fault, verdicts + place.acceptance.whole)
    return sorted(weight, key=lambda key: (-weight[key][0], -weight[key][1], key))
