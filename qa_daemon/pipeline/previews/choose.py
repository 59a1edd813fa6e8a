"""Which frames of a series a person is shown. Pure."""

from collections.abc import Iterator, Sequence

from attrs import frozen

from qa_daemon.geometry.planes import BodyPlane
from qa_daemon.pixels.choose import SLICES, Chosen, choose_frames, has_decodable_pixels
from qa_daemon.records.finding import Finding
from qa_daemon.records.series import Series

#: Instances that findings speak of, shown whatever voted.
NAMED_MAX = 10


@frozen
class Wanted:
    """A frame to be drawn.

    Attributes
    ----------
    position
        Among all frames of the series, counted from 1.
    """

    at: Chosen
    position: int
    tells: bool


def wanted_frames(
    series: Series, findings: Sequence[Finding], voters_max: int, count_max: int
) -> tuple[Wanted, ...]:
    """Return at most `count_max` frames in the order of the stack, those that voted among them.

    Parameters
    ----------
    voters_max
        How many frames speak for a series (`worker.slices_max`).
    """
    planes = frozenset({BodyPlane.AXIAL}) if series.modality in SLICES else None
    voters = choose_frames(series, voters_max, planes)
    named = tuple(_named(series, findings))
    telling = tuple(dict.fromkeys((*named, *voters)))[: max(1, count_max)]
    if count_max == 1:
        telling = (voters[len(voters) // 2],) if voters else telling
    around = () if count_max == 1 else choose_frames(series, count_max)
    chosen = tuple(dict.fromkeys((*telling, *around)))[:count_max]
    if not chosen:  # a localiser alone, or something derived: no model looks at it, people may
        chosen = tuple(_first_frames(series))[:count_max]
    positions = _positions(series, chosen)
    drawn = [Wanted(each, positions[each], each in telling) for each in chosen]
    return tuple(sorted(drawn, key=lambda each: each.position))


def frame_count(series: Series) -> int:
    """Return how many frames all instances have."""
    return sum(each.number_of_frames for each in series.instances)


def _named(series: Series, findings: Sequence[Finding]) -> Iterator[Chosen]:
    """Yield the first frames of instances that findings speak of, if not of all."""
    uids = {uid for finding in findings for uid in finding.sop_instance_uids}
    instances = [each for each in series.instances if has_decodable_pixels(each)]
    spoken_of = [each for each in instances if each.sop_instance_uid in uids]
    if len(spoken_of) < len(instances):
        for each in spoken_of[:NAMED_MAX]:
            yield Chosen(each.sop_instance_uid, 1)


def _first_frames(series: Series) -> Iterator[Chosen]:
    for each in series.instances:
        if each.number_of_frames:
            yield Chosen(each.sop_instance_uid, 1)


def _positions(series: Series, chosen: Sequence[Chosen]) -> dict[Chosen, int]:
    before, starts = 0, {}
    for each in series.instances:
        starts[each.sop_instance_uid] = before
        before += each.number_of_frames
    return {each: starts[each.sop_instance_uid] + each.frame for each in chosen}
