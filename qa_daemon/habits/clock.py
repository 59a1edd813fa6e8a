"""How long after they were made the images of a station arrive, by its clock and by ours."""

import re
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta, timezone
from statistics import median
from typing import Final

from attrs import frozen

from qa_daemon.records.element import Elements, first_text
from qa_daemon.records.series import Series

#: What comes later was kept somewhere first; it says nothing of a clock.
DELAY_MAX: Final = timedelta(days=1)
#: Fewer arrivals show no habit.
SAMPLES_MIN: Final = 20
#: So many arrivals in a row make a change: a late batch is no clock.
RUN: Final = 5
#: Less is the time that sending takes, minutes.
TOLERANCE_MIN: Final = 10.0
#: Of a normal distribution, the standard deviation by its median absolute deviation.
_SIGMA_PER_MAD: Final = 1.4826
_SIGMAS: Final = 3.0

_CLOCK: Final = re.compile(r"([01][0-9]|2[0-3])([0-5][0-9])([0-5][0-9])?(\.[0-9]{1,6})?")
_ZONE: Final = re.compile(r"([+-])([01][0-9])([0-5][0-9])")
_PAIRS: Final = ("Acquisition", "Content", "Series")


@frozen
class Shift:
    """A change of the usual delay, in minutes."""

    usual: float
    now: float
    sample_count: int


def zone_of(elements: Elements) -> timezone | None:
    """Return Timezone Offset From UTC (PS3.3 C.12.1.1.8); None where it is absent or malformed."""
    found = _ZONE.fullmatch(first_text(elements, "TimezoneOffsetFromUTC"))
    if found is None:
        return None
    offset = timedelta(hours=int(found[2]), minutes=int(found[3]))
    return timezone(-offset if found[1] == "-" else offset)


def delay_min(series: Series, received: datetime) -> int | None:
    """Return how many whole minutes after the last of its images was made a series came.

    None where nothing says when, where it was computed, or where it came days later.
    """
    made = max((at for each in series.instances for at in _made(each.elements, received)),
               default=None)  # fmt: skip
    if made is None or abs(received - made) > DELAY_MAX:
        return None
    return round((received - made).total_seconds() / 60)


def _made(elements: Elements, received: datetime) -> Iterator[datetime]:
    """Yield when an image was made, by the first pair of date and time that it has."""
    if first_text(elements, "ImageType") == "DERIVED":
        return
    zone = zone_of(elements) or received.tzinfo
    texts = [first_text(elements, f"{pair}Date") + first_text(elements, f"{pair}Time")
             for pair in _PAIRS]  # fmt: skip
    for text in (first_text(elements, "AcquisitionDateTime"), *texts):
        clock = _CLOCK.match(text, 8)
        if clock is not None and text[:8].isdecimal():
            try:
                day = datetime.strptime(text[:8], "%Y%m%d").replace(tzinfo=zone)
            except ValueError:
                continue
            hour, minute, second = (int(part or 0) for part in clock.group(1, 2, 3))
            yield day.replace(hour=hour, minute=minute, second=second)
            return


def shift_of(earlier: Sequence[int], now: int) -> Shift | None:
    """Return the change of habit that an arrival completes.

    It and the arrivals right before it all depart to one side from the median of those before
    them, by more than their spread; and the change was not told already.

    Parameters
    ----------
    earlier
        Delays of earlier arrivals of the station in minutes, the latest first.
    """
    run, before = (now, *earlier[: RUN - 1]), earlier[RUN - 1 :]
    if len(before) < SAMPLES_MIN:
        return None
    usual = median(before)
    spread = median(abs(each - usual) for each in before)
    slack = max(TOLERANCE_MIN, _SIGMAS * _SIGMA_PER_MAD * spread)
    for sign in (1, -1):
        has_left = [sign * (each - usual) > slack for each in (*run, *before[: 2 * RUN])]
        # The one before the run has not left; of those before it one may have, by chance.
        if all(has_left[:RUN]) and not has_left[RUN] and sum(has_left[RUN:]) <= 1:
            return Shift(float(usual), float(median(run)), len(before))
    return None
