"""What the station usually writes under this protocol, against what this series says."""

from qa_daemon.habits.usual import SERIES_MIN, SHARE_MIN, Departure, departures
from qa_daemon.rules.checks.registry import Options, number, of_series
from qa_daemon.rules.facts import Answer, Hit, NotEvaluated, SeriesFacts


@of_series
def station_keeps_its_habits(facts: SeriesFacts, options: Options) -> Answer:
    """Check that the station writes what it usually does; options: series_min, share_min."""
    series_min = int(number(options, "series_min", SERIES_MIN))
    known = max((sum(habit.counts.values()) for habit in facts.context.habits), default=0)
    if known < series_min:
        return NotEvaluated(f"{known} earlier series of this station and protocol are too few")
    found = departures(
        facts.context.habits,
        facts.series,
        series_min=series_min,
        share_min=number(options, "share_min", SHARE_MIN),
    )
    return tuple(map(_hit, found))


def _hit(departure: Departure) -> Hit:
    return Hit(
        message=f"{departure.keyword} is {_shown(departure.value)}, where this station has always "
        f"written {_shown(departure.usual)} under this protocol",
        evidence={
            "usual": _shown(departure.usual),
            "now": _shown(departure.value),
            "series before": str(departure.series_count),
        },
    )


def _shown(value: str) -> str:
    return value or "empty"
