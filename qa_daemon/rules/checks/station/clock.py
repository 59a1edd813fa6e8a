"""The clock of the station against the time of arrival (PS3.3 C.7.3.1, C.12.1.1.8)."""

from datetime import timedelta

from qa_daemon.habits.clock import delay_min, shift_of, zone_of
from qa_daemon.rules.checks.registry import Options, number, of_series
from qa_daemon.rules.facts import PASSED, Answer, Hit, NotApplicable, NotEvaluated, SeriesFacts

#: Zones lie half hours apart, or quarters in some places.
_ZONE_STEP_MIN = 30
#: Arrivals differ by so much, minutes, and still look like whole steps.
_NEAR_MIN = 5


@of_series
def arrives_after_it_was_made(facts: SeriesFacts, options: Options) -> Answer:
    """Check that images were not made after they came; option: slack_min."""
    delay = _delay(facts)
    if delay is None:
        return NotEvaluated("nothing says when the images were made, or when they came")
    if delay >= -number(options, "slack_min", 5):
        return PASSED
    message = (
        f"The images came {_told(-delay)} before they say that they were made: the clock of the "
        "station runs ahead"
    )
    evidence = {"minutes from making to arrival": str(delay)}
    return (Hit(f"{message}{_zone_hint(-delay)}.", evidence=evidence),)


@of_series
def clock_keeps(facts: SeriesFacts, _: Options) -> Answer:
    """Check that the delay of the station has not changed; the arrival that shows it tells it."""
    delay, earlier = _delay(facts), facts.context.delays
    if delay is None or earlier is None:
        return NotEvaluated("nothing says when the images were made, or when they came")
    shift = shift_of(earlier, delay)
    if shift is None:
        return PASSED
    by = shift.now - shift.usual
    how = "longer" if by > 0 else "less"
    evidence = {
        "usual minutes": f"{shift.usual:g}",
        "minutes now": f"{shift.now:g}",
        "series before": str(shift.sample_count),
    }
    message = (
        f"Images of this station have lately come {_told(abs(by))} {how} after they were made than "
        "they used to: its clock was set, or it sends otherwise"
    )
    return (Hit(f"{message}{_zone_hint(abs(by))}.", evidence=evidence),)


@of_series
def zone_is_of_the_site(facts: SeriesFacts, _: Options) -> Answer:
    """Check that images that name a zone name that of the site, where the service has received."""
    received = facts.context.received
    zone = zone_of(facts.series.shared)
    if zone is None:
        return NotApplicable()
    if received is None or facts.context.delays is None:
        return NotEvaluated("nothing says when the images came")
    written, ours = zone.utcoffset(None), received.utcoffset() or timedelta()
    if written == ours:
        return PASSED
    evidence = {"zone of the site": f"{received:%z}"}
    return (Hit(evidence=evidence),)


def _delay(facts: SeriesFacts) -> int | None:
    received = facts.context.received
    if received is None or received.tzinfo is None:
        return None
    return delay_min(facts.series, received)


def _told(minutes: float) -> str:
    if minutes < 120:
        return f"{minutes:.0f} minutes"
    return f"{minutes / 60:.1f} hours"


def _zone_hint(minutes: float) -> str:
    steps = round(minutes / _ZONE_STEP_MIN)
    is_near = steps > 1 and abs(minutes - steps * _ZONE_STEP_MIN) <= _NEAR_MIN
    return ", by about whole hours: look at its time zone and summer time" if is_near else ""
