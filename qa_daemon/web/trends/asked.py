"""What a trends page was asked for, as it stands in its address."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta, tzinfo
from typing import Final
from urllib.parse import urlencode

from attrs import evolve, field, frozen

from qa_daemon.errors import InputError
from qa_daemon.trends.facts import Facet
from qa_daemon.trends.overview import Cut
from qa_daemon.trends.period import DAYS_MAX, Period, last_days

#: Periods that are one press away; any other is written as two days.
PERIODS_DAYS: Final = (7, 30, 90, 365)
DAYS: Final = 30
VALUE_LENGTH_MAX: Final = 128


@frozen(kw_only=True)
class Asked:
    """Period, filters, and by what is counted.

    Attributes
    ----------
    days
        Of a period that ends today; None where both days are written.
    """

    period: Period
    days: int | None
    only: Mapping[Facet, str] = field(factory=dict)
    by: Facet = Facet.RULE
    as_table: bool = False

    @property
    def cut(self) -> Cut:
        """Which findings are looked at."""
        return Cut(period=self.period, only=self.only)

    def query(self) -> str:
        """Return it as the query of an address."""
        told: dict[str, str] = {}
        if self.days is None:
            told |= {"from": str(self.period.first), "to": str(self.period.last)}
        elif self.days != DAYS:
            told["days"] = str(self.days)
        told |= {facet.value: value for facet, value in self.only.items()}
        if self.by is not Facet.RULE:
            told["by"] = self.by.value
        if self.as_table:
            told["table"] = "1"
        return urlencode(told)

    def link(self) -> str:
        """Return the address of this page."""
        query = self.query()
        return f"/trends?{query}" if query else "/trends"

    def within(self, first: date, last: date) -> "Asked":
        """Return the same of another span."""
        return evolve(self, period=Period(first, last, self.period.zone), days=None)

    def of(self, facet: Facet, value: str) -> "Asked":
        """Return the same of one value only."""
        return evolve(self, only={**self.only, facet: value})

    def without(self, facet: Facet) -> "Asked":
        """Return the same whatever that value is."""
        return evolve(self, only={each: v for each, v in self.only.items() if each is not facet})

    def counted_by(self, facet: Facet) -> "Asked":
        """Return the same counted by something else."""
        return evolve(self, by=facet)

    def last(self, days: int, now: datetime) -> "Asked":
        """Return the same of the days up to today."""
        return evolve(self, period=last_days(days, now, self.period.zone), days=days)

    def shown_as_table(self, *, is_table: bool) -> "Asked":
        """Return the same as plots or as their figures."""
        return evolve(self, as_table=is_table)


def asked_in(query: Mapping[str, str], now: datetime, zone: tzinfo) -> Asked:
    """Return what an address asks for.

    Raises
    ------
    InputError
        If a day or a number is none, or the period is impossible.
    """
    days: int | None = None
    if query.get("from") or query.get("to"):
        period = _between(query.get("from", ""), query.get("to", ""), now, zone)
    else:
        days = _days(query.get("days", str(DAYS)))
        period = last_days(days, now, zone)
    only = {facet: query[facet.value][:VALUE_LENGTH_MAX] for facet in Facet if facet.value in query}
    return Asked(
        period=period,
        days=days,
        only={facet: value for facet, value in only.items() if value != ANY},
        by=_facet(query.get("by", Facet.RULE.value)),
        as_table=query.get("table") == "1",
    )


#: The choice of a filter that filters nothing; "" is a value: series without a station.
ANY: Final = "*"


def _between(first: str, last: str, now: datetime, zone: tzinfo) -> Period:
    today = now.astimezone(zone).date()
    try:
        ends = date.fromisoformat(last) if last else today
        begins = date.fromisoformat(first) if first else ends - timedelta(days=DAYS - 1)
        return Period(begins, ends, zone)
    except (ValueError, OverflowError) as error:
        raise InputError(
            f"trends: write days as 2026-11-20, the first one first, at most {DAYS_MAX} days"
        ) from error


def _days(given: str) -> int:
    if not (given.isascii() and given.isdigit() and len(given) < 5 and 0 < int(given) <= DAYS_MAX):
        raise InputError(f"trends: days is a number of 1 to {DAYS_MAX}")
    return int(given)


def _facet(given: str) -> Facet:
    try:
        return Facet(given)
    except ValueError as error:
        raise InputError(f"trends: by is one of {', '.join(Facet)}") from error
