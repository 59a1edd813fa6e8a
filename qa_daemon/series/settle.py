"""When a series counts as complete. Pure: times come in, a time goes out."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import StrEnum

from attrs import frozen

from qa_daemon.geometry.stack import stack_facts
from qa_daemon.records.element import Elements
from qa_daemon.records.instance import Instance
from qa_daemon.series.slices import slices, whole


class Settled(StrEnum):
    """Why a series settles when it does."""

    QUIET = "quiet"
    NEXT_SERIES = "next_series"
    COUNT = "count"
    GAP_WAITED = "gap_waited"


@frozen
class SettleBounds:
    """How long to wait.

    Attributes
    ----------
    quiet_s
        After the last instance, for the application entity that sent it.
    gap_wait_max_s
        By how much a slice gap delays an early close.
    """

    quiet_s: float
    gap_wait_max_s: float


@frozen
class Arrivals:
    """What is known of the arrival of one series. None: has not happened.

    Attributes
    ----------
    last_received_at
        Receipt of the latest instance.
    association_ended_at
        End of the association that brought the latest instance; files from a folder have none.
    next_series_begun_at
        First instance of another series of the same study from the same application entity.
    count_reached_at
        When as many instances were there as a worklist, MPPS or `expected_count` announced.
    has_open_gap
        `has_open_gap` of what is there.
    """

    last_received_at: datetime
    association_ended_at: datetime | None = None
    next_series_begun_at: datetime | None = None
    count_reached_at: datetime | None = None
    has_open_gap: bool = False


@frozen
class Settling:
    """When a series settles if nothing else arrives, and why."""

    at: datetime
    reason: Settled


def settles_at(arrivals: Arrivals, bounds: SettleBounds) -> Settling:
    """Return when the series settles, if nothing else happens.

    Quiet time after the last instance always closes it. Earlier only if the association that
    brought it has ended and another series of the study has begun, or if its count is reached; an
    open slice gap delays that early close, never the quiet one.
    """
    last = arrivals.last_received_at
    candidates = [Settling(last + timedelta(seconds=bounds.quiet_s), Settled.QUIET)]
    ended, begun = arrivals.association_ended_at, arrivals.next_series_begun_at
    if ended is not None and begun is not None:
        candidates.append(_early(max(last, ended, begun), Settled.NEXT_SERIES, arrivals, bounds))
    if arrivals.count_reached_at is not None:
        reached = max(last, arrivals.count_reached_at)
        candidates.append(_early(reached, Settled.COUNT, arrivals, bounds))
    return min(candidates, key=lambda settling: settling.at)


def _early(at: datetime, reason: Settled, arrivals: Arrivals, bounds: SettleBounds) -> Settling:
    if arrivals.has_open_gap:
        return Settling(at + timedelta(seconds=bounds.gap_wait_max_s), Settled.GAP_WAITED)
    return Settling(at, reason)


def expected_count(shared: Elements) -> int | None:
    """Return how many instances a series of a single acquisition announces, None if none does.

    Images in Acquisition (0020,1002) counts for the acquisition, so it says something about the
    series only if all instances share it and Acquisition Number (0020,0012).
    """
    count = whole(shared, "ImagesInAcquisition")
    if whole(shared, "AcquisitionNumber") is None or count is None or count < 1:
        return None
    return count


def has_open_gap(instances: Iterable[Instance]) -> bool:
    """Whether a slice seems to be missing between those that are there."""
    return bool(stack_facts(slices(instances)).gaps)
