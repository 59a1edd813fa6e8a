"""What came, what was decided and what lay open, bar by bar."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

import numpy as np
from attrs import frozen

from qa_daemon.trends.facts import NEVER, Facts, Numbers, Outcome
from qa_daemon.trends.period import in_seconds
from qa_daemon.trends.rates import Share

#: The oldest tenth of the backlog is what a site promises something about.
OLDEST_TENTH: Final = 90


@frozen(kw_only=True)
class Bar:
    """The findings made between two times, by what became of them since, and the verdicts then.

    Attributes
    ----------
    rejected
        False alarms among them.
    verdicts
        Given between these times, on whatever findings.
    """

    begins: datetime
    ends: datetime
    accepted: int
    rejected: int
    false_alarms: int
    open: int
    muted: int
    verdicts: int

    @property
    def findings(self) -> int:
        """All that were made."""
        return self.accepted + self.rejected + self.open + self.muted

    @property
    def acceptance(self) -> Share:
        """Accepted of decided, of the findings made then."""
        return Share(self.accepted, self.accepted + self.rejected)


@frozen(kw_only=True)
class Backlog:
    """The age of what lay open at one time.

    Attributes
    ----------
    median_s, oldest_tenth_s
        The age that half of them, and nine in ten, had not reached; None where nothing lay open.
    """

    at: datetime
    open: int
    median_s: float | None
    oldest_tenth_s: float | None
    oldest_s: float | None


def bars(found: Facts, edges: Sequence[datetime]) -> tuple[Bar, ...]:
    """Count findings and verdicts between neighbouring `edges`."""
    limits = in_seconds(edges)
    count = len(edges) - 1
    slot = np.searchsorted(limits, found.at_s, side="right") - 1
    inside = (slot >= 0) & (slot < count)
    table = np.zeros((count, len(Outcome)), dtype=np.int64)
    np.add.at(table, (slot[inside], found.outcomes[inside]), 1)
    verdicts, _ = np.histogram(found.closed_s[found.closed_s < NEVER], _open_right(limits))
    return tuple(
        Bar(
            begins=edges[number],
            ends=edges[number + 1],
            accepted=int(row[Outcome.ACCEPTED]),
            rejected=int(row[Outcome.REJECTED] + row[Outcome.FALSE_ALARM]),
            false_alarms=int(row[Outcome.FALSE_ALARM]),
            open=int(row[Outcome.OPEN]),
            muted=int(row[Outcome.MUTED]),
            verdicts=int(verdicts[number]),
        )
        for number, row in enumerate(table)
    )


def _open_right(limits: Numbers) -> Numbers:
    # `numpy.histogram` takes the last edge in, which belongs to the next day.
    return np.append(limits[:-1], np.nextafter(limits[-1], 0))


def backlog(found: Facts, times: Sequence[datetime]) -> tuple[Backlog, ...]:
    """Return how old what lay open was at each of `times`; muted findings wait for nobody."""
    audible = found.chosen(~found.are(Outcome.MUTED))
    rows = []
    for at in times:
        now = at.timestamp()
        is_open = (audible.at_s <= now) & (audible.closed_s > now)
        ages = now - audible.at_s[is_open]
        median, tenth = (
            (None, None) if not len(ages) else map(float, np.percentile(ages, (50, OLDEST_TENTH)))
        )
        oldest = float(ages.max()) if len(ages) else None
        rows.append(
            Backlog(
                at=at,
                open=len(ages),
                median_s=median,
                oldest_tenth_s=tenth,
                oldest_s=oldest,
            )
        )
    return tuple(rows)


def median_wait_s(found: Facts) -> float | None:
    """Return the median time from finding to verdict; None where nothing is decided."""
    waited = (found.closed_s - found.at_s)[found.closed_s < NEVER]
    return float(np.median(waited)) if len(waited) else None
