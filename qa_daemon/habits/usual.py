"""What a station usually writes under a protocol, and where a series departs from it."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

from attrs import frozen

from qa_daemon.geometry.cosines import Fault, read_cosines
from qa_daemon.geometry.letters import direction_letters
from qa_daemon.records.element import texts
from qa_daemon.records.issue import Habit, Observation
from qa_daemon.records.series import Series

#: With fewer series nothing is usual: 20 without an exception bound its rate to 14 % (3 / n).
SERIES_MIN: Final = 20
#: A value that so many write is the habit.
SHARE_MIN: Final = 0.95
_PART: Final = "BodyPartExamined"
#: Longer values are no habit but free text.
VALUE_LENGTH_MAX: Final = 64


@frozen
class Departure:
    """A value that this station never wrote here, where it usually writes another.

    Attributes
    ----------
    series_count
        How many earlier series the habit rests on.
    """

    keyword: str
    usual: str
    value: str
    series_count: int


def observed(series: Series) -> tuple[Observation, ...]:
    """Return what a series writes in habitual attributes, of those that its instances share."""
    found = []
    for keyword, read in HABITUAL.items():
        values = {read(texts(each.elements, keyword)) for each in series.instances}
        if len(values) == 1 and len(value := values.pop()) <= VALUE_LENGTH_MAX:
            found.append(Observation(keyword, value))
    return tuple(found)


def departures(
    habits: Iterable[Habit],
    series: Series,
    *,
    series_min: int = SERIES_MIN,
    share_min: float = SHARE_MIN,
) -> tuple[Departure, ...]:
    """Return where a series writes what was never written where another value is the habit.

    A value that was seen before, however rarely, was told of then.
    """
    by_keyword = {habit.keyword: habit.counts for habit in habits}
    found = []
    for observation in observed(series):
        counts = by_keyword.get(observation.keyword, {})
        usual = _usual(counts, series_min, share_min)
        if usual is not None and observation.value not in counts:
            total = sum(counts.values())
            found.append(Departure(observation.keyword, usual, observation.value, total))
    return tuple(found)


def _usual(counts: Mapping[str, int], series_min: int, share_min: float) -> str | None:
    total = sum(counts.values())
    usual = max(counts, key=lambda value: counts[value], default="")
    return usual if total >= series_min and counts[usual] >= share_min * total else None


def usual_part(habits: Iterable[Habit], series: Series) -> str:
    """Return the body part that is usually written here, "" if none is, or the series writes it.

    What the series writes itself is a witness of its own.
    """
    counts = next((each.counts for each in habits if each.keyword == _PART), {})
    usual = _usual(counts, SERIES_MIN, SHARE_MIN) or ""
    own = {each.value for each in observed(series) if each.keyword == _PART}
    return "" if usual in own else usual


def _as_written(values: Sequence[str]) -> str:
    return "\\".join(values)


def plane_letters(values: Sequence[str]) -> str:
    """Return the directions of row and column, "" where none is given.

    Letters, as tilts differ from patient to patient and are no change of habit.
    """
    if not any(values):
        return ""
    cosines = read_cosines(tuple(values))
    if isinstance(cosines, Fault):
        return "malformed"
    return f"{direction_letters(cosines.row)}\\{direction_letters(cosines.column)}"


def _as_pattern(values: Sequence[str]) -> str:
    """Return how a number is built: digits as 9, letters as A."""
    return re.sub(r"[^\W\d_]", "A", re.sub(r"\d", "9", "\\".join(values)))


#: What stations fill by habit, and how a value is read. No value of one patient among them.
HABITUAL: Final[Mapping[str, Callable[[Sequence[str]], str]]] = {
    "AccessionNumber": _as_pattern,
    "BodyPartExamined": _as_written,
    "ImageOrientationPatient": plane_letters,
    "PatientOrientation": _as_written,
    "PatientPosition": _as_written,
    "ViewPosition": _as_written,
}
