"""The time that is looked at, and the equal parts of it that a plot shows."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta, tzinfo
from enum import StrEnum
from typing import Final

import numpy as np
from attrs import field, frozen

from qa_daemon.trends.facts import Numbers

#: More is neither kept in mind nor drawn: three years of days are more than pixels.
DAYS_MAX: Final = 1096
#: Up to so many days are shown by the hour, and from so many on by the week.
HOURS_UP_TO_DAYS: Final = 2
WEEKS_FROM_DAYS: Final = 93


class Grain(StrEnum):
    """How long one bar is."""

    HOUR = "hour"
    DAY = "day"
    WEEK = "week"


@frozen
class Period:
    """Whole days of a site's calendar, both included.

    Raises
    ------
    ValueError
        If it ends before it begins, or is longer than `DAYS_MAX`.
    """

    first: date
    last: date = field()
    zone: tzinfo

    @last.validator
    def _is_possible(self, _attribute: object, last: date) -> None:
        if last < self.first:
            raise ValueError("a period cannot end before it begins")
        if (last - self.first).days >= DAYS_MAX:
            raise ValueError(f"a period has at most {DAYS_MAX} days")

    @property
    def days(self) -> int:
        """How many days it has."""
        return (self.last - self.first).days + 1

    @property
    def begins(self) -> datetime:
        """Midnight before the first day."""
        return self._midnight(self.first)

    @property
    def ends(self) -> datetime:
        """Midnight after the last day."""
        return self._midnight(self.last + timedelta(days=1))

    @property
    def grain(self) -> Grain:
        """How long one bar is, so that a plot has neither 3 bars nor 300."""
        if self.days <= HOURS_UP_TO_DAYS:
            return Grain.HOUR
        return Grain.DAY if self.days < WEEKS_FROM_DAYS else Grain.WEEK

    def edges(self) -> tuple[datetime, ...]:
        """Return where bars begin, and where the last one ends.

        Days by the calendar: one has 23 or 25 hours when clocks change. The last week may be short.
        """
        if self.grain is Grain.HOUR:
            begins = self.begins.timestamp()
            hours = round((self.ends.timestamp() - begins) / 3600)
            return tuple(
                datetime.fromtimestamp(begins + 3600 * hour, self.zone) for hour in range(hours + 1)
            )
        step = 1 if self.grain is Grain.DAY else 7
        starts = range(0, self.days, step)
        days = [self._midnight(self.first + timedelta(days=start)) for start in starts]
        return (*days, self.ends)

    def before(self) -> "Period":
        """Return the equally long period before it."""
        last = self.first - timedelta(days=1)
        return Period(last - timedelta(days=self.days - 1), last, self.zone)

    def _midnight(self, day: date) -> datetime:
        return datetime(day.year, day.month, day.day, tzinfo=self.zone)


def last_days(count: int, now: datetime, zone: tzinfo) -> Period:
    """Return the `count` days that end with today."""
    today = now.astimezone(zone).date()
    return Period(today - timedelta(days=count - 1), today, zone)


def in_seconds(times: Sequence[datetime]) -> Numbers:
    """Return times as seconds since 1970."""
    return np.array([time.timestamp() for time in times], dtype=np.float64)
