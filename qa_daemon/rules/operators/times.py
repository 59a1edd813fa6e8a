"""Before and after: DA, TM and DT with whatever precision they have (PS3.5 Table 6.2-1).

Two moments are compared on what both of them have: a year against a day compares years. A time
joins the date of the same name beside it (`StudyTime` that of `StudyDate`). Offsets from UTC are
reckoned with where both sides have one; a moment without is taken to be in the zone of the other.
"""

import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final

from attrs import evolve, frozen

from qa_daemon.dicom.encoding.dictionary import tag_of, vr_of
from qa_daemon.rules.facts import NotEvaluated
from qa_daemon.rules.looks.look import Look
from qa_daemon.rules.looks.names import Kind, fact_name
from qa_daemon.rules.operators.table import (
    Answered,
    Asked,
    Takes,
    fact_schema,
    facts_in,
    is_fact,
    word,
)
from qa_daemon.rules.schema import FactTest, Operand

_OFFSET: Final = r"(?P<offset>[+-][0-9]{4})?"
_MOMENT: Final = re.compile(
    r"(?P<date>[0-9]{4}(?:[0-9]{2}){0,2}|[0-9]{4}\.[0-9]{2}\.[0-9]{2})"
    r"(?P<clock>[0-9]{2}(?:[0-9]{2}){0,2}(?P<fraction>\.[0-9]{1,6})?)?" + _OFFSET
)
_CLOCK: Final = re.compile(
    r"(?P<clock>[0-9]{2}(?:[0-9]{2}){0,2}|[0-9]{2}:[0-9]{2}(?::[0-9]{2})?)"
    r"(?P<fraction>\.[0-9]{1,6})?" + _OFFSET
)
_DAY_PARTS: Final = 3
_HOUR_PARTS: Final = 4
_LEAST: Final = (1, 1, 1, 0, 0, 0, 0)
#: The day of times that have none, so that an hour before midnight can be reckoned.
_NO_DAY: Final = (2000, 1, 2)
_SECONDS_PER_DAY: Final = 86_400
#: The date of a study comes again with every instance and rule.
_TEXTS_KEPT: Final = 1 << 12
_ZONE: Final = "tag.TimezoneOffsetFromUTC"


@frozen
class Moment:
    """A date, a date and time, or a time of day.

    Attributes
    ----------
    parts
        Year, month, day, hour, minute, second, microsecond, as far as they are known.
    offset_s
        From UTC; None where nothing says it.
    has_day
        False for a time of day without its date.
    """

    parts: tuple[int, ...]
    offset_s: int | None = None
    has_day: bool = True

    @property
    def begins(self) -> datetime:
        """Its first instant, without the offset.

        Raises
        ------
        ValueError
            If the calendar has no such day.
        """
        year, month, day, hour, minute, second, micro = self.parts + _LEAST[len(self.parts) :]
        return datetime(year, month, day, hour, minute, second, micro)  # noqa: DTZ001  see above

    def shifted(self, seconds: float) -> "Moment":
        """Return it so much later, with the same precision; unchanged without a day."""
        if len(self.parts) < _DAY_PARTS:
            return self
        try:
            later = self.begins + timedelta(seconds=seconds)
        except OverflowError:
            return self
        all_parts = (
            later.year, later.month, later.day,
            later.hour, later.minute, later.second, later.microsecond,
        )  # fmt: skip
        return evolve(self, parts=all_parts[: len(self.parts)])


@lru_cache(maxsize=_TEXTS_KEPT)
def moment(text: str) -> Moment | None:
    """Return the moment of a DA or DT, None if it is none."""
    match = _MOMENT.fullmatch(text)
    if match is None:
        return None
    date = match["date"].replace(".", "")
    parts = (int(date[:4]), *_pairs(date[4:]), *_clock_parts(match["clock"], match["fraction"]))
    return _checked(Moment(parts, _offset_s(match["offset"])))


@lru_cache(maxsize=_TEXTS_KEPT)
def clock(text: str) -> Moment | None:
    """Return the time of day of a TM, None if it is none."""
    match = _CLOCK.fullmatch(text)
    if match is None:
        return None
    parts = (*_NO_DAY, *_clock_parts(match["clock"].replace(":", ""), match["fraction"]))
    return _checked(Moment(parts, _offset_s(match["offset"]), has_day=False))


def _pairs(digits: str) -> tuple[int, ...]:
    return tuple(int(digits[at : at + 2]) for at in range(0, len(digits), 2))


def _clock_parts(digits: str | None, fraction: str | None) -> tuple[int, ...]:
    if not digits:
        return ()
    whole = digits.partition(".")[0]
    pairs = _pairs(whole)
    if fraction and len(pairs) == _DAY_PARTS:
        return (*pairs, int(fraction[1:].ljust(6, "0")))
    return pairs


def _offset_s(text: str | None) -> int | None:
    if not text:
        return None
    return int(f"{text[0]}1") * (int(text[1:3]) * 3600 + int(text[3:]) * 60)


def _checked(read: Moment) -> Moment | None:
    """Return it if the calendar has it; the leap second is the second before it."""
    parts = read.parts
    if len(parts) > 5 and parts[5] == 60:
        parts = (*parts[:5], 59, *parts[6:])
    mended = evolve(read, parts=parts)
    try:
        _ = mended.begins
    except ValueError:
        return None
    return mended


def _moments(look: Look, fact: str, values: tuple[str, ...]) -> list[Moment | None]:
    """Return the moments of a fact, times joined with their dates."""
    name = fact_name(fact)
    keyword = name.steps[-1].keyword if name.steps else ""
    tag = tag_of(keyword) if keyword else None
    if tag is None or vr_of(tag) != "TM":
        read = [moment(value) for value in values]
    else:
        day = _day(look, fact)
        read = [_joined(day, clock(value)) for value in values]
    zone = _zone(look) if name.kind in {Kind.TAG, Kind.ITEM, Kind.FRAME} else None
    return [
        evolve(each, offset_s=zone) if each is not None and each.offset_s is None else each
        for each in read
    ]


def _day(look: Look, fact: str) -> Moment | None:
    twin = f"{fact.removesuffix('Time')}Date"
    if not fact.endswith("Time") or tag_of(twin.rpartition(".")[2]) is None:
        return None
    said = look.values(twin)
    return moment(said[0]) if isinstance(said, tuple) and said else None


def beside(test: FactTest) -> tuple[str, ...]:
    """Return the dates that the times of a test join, and the zone that they are in."""
    twins = [f"{fact.removesuffix('Time')}Date" for fact in facts_in(test) if fact.endswith("Time")]
    known = [twin for twin in twins if tag_of(twin.rpartition(".")[2]) is not None]
    return (*known, _ZONE)


def _joined(day: Moment | None, time: Moment | None) -> Moment | None:
    if day is None or time is None or len(day.parts) != _DAY_PARTS:
        return time
    return evolve(time, parts=(*day.parts, *time.parts[_DAY_PARTS:]), has_day=True)


def _zone(look: Look) -> int | None:
    said = look.values(_ZONE)
    text = said[0] if isinstance(said, tuple) and said else ""
    return _offset_s(text) if re.fullmatch(r"[+-][0-9]{4}", text) else None


def order_of(one: Moment, other: Moment) -> int | None:
    """Return -1, 0 or 1 as one is before, with, or after the other; None if none can be said."""
    if one.has_day is not other.has_day:
        return None
    if (
        one.offset_s is not None
        and other.offset_s is not None
        and min(len(one.parts), len(other.parts)) >= _HOUR_PARTS
    ):
        one, other = one.shifted(-one.offset_s), other.shifted(-other.offset_s)
    known = min(len(one.parts), len(other.parts))
    a, b = one.parts[:known], other.parts[:known]
    return (a > b) - (a < b)


_SHIFTS: Final = ("plus_days", "plus_s")


def _is_moment(operand: Operand) -> bool:
    if isinstance(operand, str):
        return moment(operand) is not None or clock(operand) is not None
    return is_fact(operand, *_SHIFTS)


MOMENT: Final = Takes(
    '{fact: NAME, plus_days: n, plus_s: n}, or a DA, TM or DT in quotes: "20200131"',
    _is_moment,
    {"anyOf": [{"type": "string"}, fact_schema(*_SHIFTS)]},
)


def _compared(asked: Asked, holds: Callable[[int], bool]) -> Answered:
    """Whether it holds for every value; no where there is none."""
    if not asked.filled:
        return False
    ours = _moments(asked.look, asked.test.fact, asked.filled)
    other = _other(asked, ours)
    if isinstance(other, NotEvaluated):
        return other
    orders = [order_of(one, other) for one in ours if one is not None]
    if len(orders) < len(ours):
        return NotEvaluated(f"{asked.test.fact} is no date or time")
    if None in orders:
        return NotEvaluated(f"{asked.test.fact}: a time without its date has no place among dates")
    return all(holds(order) for order in orders if order is not None)


def _other(asked: Asked, ours: list[Moment | None]) -> Moment | NotEvaluated:
    operand = asked.test.operand
    if isinstance(operand, str):
        is_clock = any(one is not None and not one.has_day for one in ours)
        read = clock(operand) if is_clock else moment(operand)
        return read or NotEvaluated(f"{operand} cannot be compared with {asked.test.fact}")
    said = asked.other()
    if isinstance(said, NotEvaluated):
        return said
    assert isinstance(operand, Mapping)
    fact = str(operand["fact"])
    if not said:
        return NotEvaluated(f"{fact} has no value")
    first = _moments(asked.look, fact, said[:1])[0]
    if first is None:
        return NotEvaluated(f"{fact} is no date or time")
    days, seconds = operand.get("plus_days", 0), operand.get("plus_s", 0)
    assert isinstance(days, int | float)
    assert isinstance(seconds, int | float)
    return first.shifted(days * _SECONDS_PER_DAY + seconds)


@word(
    "before",
    MOMENT,
    "whether every value is earlier",
    "before: {fact: tag.StudyDate}",
    beside=beside,
)
def before(asked: Asked) -> Answered:
    """Whether all values are earlier than the other, on what both have."""
    return _compared(asked, lambda order: order < 0)


@word(
    "after",
    MOMENT,
    "whether every value is later",
    "after: {fact: tag.StudyDate}",
    beside=beside,
)
def after(asked: Asked) -> Answered:
    """Whether all values are later than the other, on what both have."""
    return _compared(asked, lambda order: order > 0)


@word(
    "not_before",
    MOMENT,
    "whether no value is earlier",
    "not_before: {fact: tag.PatientBirthDate}",
    beside=beside,
)
def not_before(asked: Asked) -> Answered:
    """Whether no value is earlier than the other; no where there is none."""
    return _compared(asked, lambda order: order >= 0)


@word(
    "not_after",
    MOMENT,
    "whether no value is later",
    "not_after: {fact: received, plus_days: 1}",
    beside=beside,
)
def not_after(asked: Asked) -> Answered:
    """Whether no value is later than the other; no where there is none."""
    return _compared(asked, lambda order: order <= 0)
