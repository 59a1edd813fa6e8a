"""Findings and judged series as columns, so that any cut through 50,000 of them takes a blink."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, time, tzinfo
from enum import IntEnum, StrEnum
from typing import Final

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

Numbers = NDArray[np.float64]
Codes = NDArray[np.int32]
Mask = NDArray[np.bool_]

#: Of a finding that nobody has decided: it closes when time ends.
NEVER: Final = float("inf")


class Facet(StrEnum):
    """By what findings and series are told apart."""

    RULE = "rule"
    STATION = "station"
    AE = "ae"
    PROTOCOL = "protocol"
    BODY_PART = "body_part"  # as tagged
    MODALITY = "modality"
    SHIFT = "shift"  # in which the finding was made, by the clock of the site


#: What is known of a series without a finding, too; only by these can a rate per series be told.
OF_SERIES: Final = (Facet.AE, Facet.BODY_PART, Facet.MODALITY, Facet.SHIFT)


class Outcome(IntEnum):
    """What became of a finding."""

    OPEN = 0
    MUTED = 1  # open, and its issue is silenced
    ACCEPTED = 2  # as suggested, or with what the person chose instead
    REJECTED = 3  # another fault, or a phantom: the alarm was not for nothing
    FALSE_ALARM = 4  # the tags were right, or nothing could be told


DECIDED: Final = (Outcome.ACCEPTED, Outcome.REJECTED, Outcome.FALSE_ALARM)


@frozen
class Shift:
    """A part of the day, from `begins` until the next one begins."""

    name: str
    begins: time


@frozen(kw_only=True)
class FindingFact:
    """One finding, as far as statistics go.

    Attributes
    ----------
    decided_at
        Of the decision in force; None while it is open.
    """

    made_at: datetime
    rule: str
    outcome: Outcome
    decided_at: datetime | None = None
    station: str = ""
    ae: str = ""
    protocol: str = ""
    body_part: str = ""
    modality: str = ""


@frozen(kw_only=True)
class SeriesFact:
    """One judged series, as far as statistics go."""

    judged_at: datetime
    ae: str = ""
    body_part: str = ""
    modality: str = ""


@frozen(eq=False, kw_only=True)
class Facts:
    """Columns of equal length, one row a finding or a series.

    Attributes
    ----------
    at_s
        When it was made or judged, seconds since 1970.
    closed_s, outcomes
        Of findings: when they were decided (`NEVER` = not yet), and how. Of series: empty.
    codes, names
        Per facet the number of each row's value, and the values in order.
    """

    at_s: Numbers
    closed_s: Numbers
    outcomes: NDArray[np.int8]
    codes: Mapping[Facet, Codes]
    names: Mapping[Facet, tuple[str, ...]]

    def __len__(self) -> int:
        return len(self.at_s)

    def is_value(self, facet: Facet, value: str) -> Mask:
        """Return which rows have `value`; none where nobody has it."""
        names = self.names[facet]
        if value not in names:
            return np.zeros(len(self), dtype=np.bool_)
        return np.asarray(self.codes[facet] == names.index(value))

    def chosen(self, mask: Mask) -> "Facts":
        """Return the rows for which `mask` is true."""
        return Facts(
            at_s=self.at_s[mask],
            closed_s=self.closed_s[mask] if len(self.closed_s) else self.closed_s,
            outcomes=self.outcomes[mask] if len(self.outcomes) else self.outcomes,
            codes={facet: codes[mask] for facet, codes in self.codes.items()},
            names=self.names,
        )

    def are(self, *outcomes: Outcome) -> Mask:
        """Return which rows have one of `outcomes`."""
        return np.isin(self.outcomes, outcomes)


def findings_in_columns(
    found: Iterable[FindingFact], shifts: Sequence[Shift], zone: tzinfo
) -> Facts:
    """Return findings as columns; `zone` says which shift a time belongs to."""
    rows = tuple(found)
    columns: dict[Facet, list[str]] = {
        facet: [getattr(row, facet.value) for row in rows]
        for facet in Facet
        if facet is not Facet.SHIFT
    }
    columns[Facet.SHIFT] = [shift_of(row.made_at, shifts, zone) for row in rows]
    decided = (row.decided_at for row in rows)
    return _in_columns(
        np.array([row.made_at.timestamp() for row in rows], dtype=np.float64),
        np.array([NEVER if at is None else at.timestamp() for at in decided], dtype=np.float64),
        np.array([row.outcome for row in rows], dtype=np.int8),
        columns,
    )


def series_in_columns(judged: Iterable[SeriesFact], shifts: Sequence[Shift], zone: tzinfo) -> Facts:
    """Return judged series as columns."""
    rows = tuple(judged)
    columns: dict[Facet, list[str]] = {
        facet: [getattr(row, facet.value) for row in rows]
        for facet in OF_SERIES
        if facet is not Facet.SHIFT
    }
    columns[Facet.SHIFT] = [shift_of(row.judged_at, shifts, zone) for row in rows]
    nothing = np.zeros(0, dtype=np.float64)
    at_s = np.array([row.judged_at.timestamp() for row in rows], dtype=np.float64)
    return _in_columns(at_s, nothing, np.zeros(0, dtype=np.int8), columns)


def shift_of(at: datetime, shifts: Sequence[Shift], zone: tzinfo) -> str:
    """Return the name of the shift at a time; "" where a site has none."""
    if not shifts:
        return ""
    now = at.astimezone(zone).time()
    in_order = sorted(shifts, key=lambda shift: shift.begins)
    begun = [shift for shift in in_order if shift.begins <= now]
    return (begun or in_order)[-1].name  # before the first begins, the last of the day before runs


def _in_columns(
    at_s: Numbers,
    closed_s: Numbers,
    outcomes: NDArray[np.int8],
    columns: Mapping[Facet, Sequence[str]],
) -> Facts:
    codes: dict[Facet, Codes] = {}
    names: dict[Facet, tuple[str, ...]] = {}
    for facet, values in columns.items():
        names[facet] = tuple(sorted(set(values)))
        number = {name: index for index, name in enumerate(names[facet])}
        codes[facet] = np.array([number[value] for value in values], dtype=np.int32)
    return Facts(at_s=at_s, closed_s=closed_s, outcomes=outcomes, codes=codes, names=names)
