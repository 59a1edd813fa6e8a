"""What a series is asked: which models look at which frames, object by object. Pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from attrs import frozen

from qa_daemon.pixels.choose import (
    Chosen,
    Known,
    choose_frames,
    has_decodable_pixels,
    why_not,
)
from qa_daemon.predict.catalog import Catalog, ModelCard
from qa_daemon.predict.heads.answer import STACK
from qa_daemon.predict.heads.orientation import witnesses_of
from qa_daemon.records.instance import Instance
from qa_daemon.records.prediction import Abstention
from qa_daemon.records.series import Series

#: Frames of one object per question; each question has the deadline of an object.
FRAMES_PER_QUESTION: Final = 4
#: In so many frames of a series the patient table is sought: it costs as much as a model, and two
#: that agree are enough (`pixels.table`).
TABLE_FRAMES_MAX: Final = 4
#: Which model's answers tell the direction of a stack, if there is none of its own.
_REGION: Final = "body_region"


@frozen
class Request:
    """What to predict.

    Attributes
    ----------
    per_instance
        Adds one element per evaluated frame to those of the series, and evaluates every frame ...
    sampled_only
        ... or with this only those frames that speak for the series anyway.
    with_shadows
        Asks the models that run in shadow, too.
    """

    targets: tuple[str, ...]
    per_instance: bool = False
    sampled_only: bool = False
    with_shadows: bool = False


@frozen
class Asked:
    """What is asked of one target.

    Attributes
    ----------
    reason
        Why nothing is, None if something is.
    card
        The model that answers; None where there is none.
    witnesses
        Models that look at the same frames for the sake of this target.
    sampled
        Frames that speak for the series.
    looked_at
        Frames that models look at: those, and with `per_instance` all unless `sampled_only`.
    """

    target: str
    card: ModelCard | None
    reason: Abstention | None = None
    witnesses: tuple[ModelCard, ...] = ()
    sampled: tuple[Chosen, ...] = ()
    looked_at: tuple[Chosen, ...] = ()


@frozen
class Question:
    """Frames of one instance and the models, by name; without any they are only decoded.

    Attributes
    ----------
    seeks_table
        Whether the side of the patient table is sought, which costs as much as a model.
    """

    instance: Instance
    frames: tuple[int, ...]
    models: tuple[str, ...] = ()
    seeks_table: bool = False


@frozen
class Bounds:
    """How many frames speak for a series, and how many are looked at altogether."""

    sampled_max: int
    frames_max: int


def asked(target: str, series: Series, catalog: Catalog, request: Request, bounds: Bounds) -> Asked:
    """Return what is asked of a target, with the frames, or why nothing is."""
    card, reason = _fitting(target, series, catalog)
    if reason is None and card is None:
        reason = Abstention.MODEL_UNAVAILABLE
    if card is None or reason is not None:
        return Asked(target, card, reason)
    known = _known(target, card)
    sampled = choose_frames(series, bounds.sampled_max, known.wanted)
    looked_at = sampled
    if request.per_instance and not request.sampled_only:
        every = choose_frames(series, bounds.frames_max, known.wanted)
        looked_at = tuple(dict.fromkeys((*every, *sampled)))
    return Asked(target, card, None, _witnesses(card, series, catalog), sampled, looked_at)


def _fitting(
    target: str, series: Series, catalog: Catalog
) -> tuple[ModelCard | None, Abstention | None]:
    """Return the model of a target that knows such a series, else the first with why it does not.

    A target may have models for different planes.
    """
    cards = catalog.every(target)
    if not cards and target == STACK:
        cards = catalog.every(_REGION)
    reasons = [why_not(series, _known(target, card)) for card in cards]
    for card, reason in zip(cards, reasons, strict=True):
        if reason is None:
            return card, None
    # A further model, for other planes, does not make up for the one that is damaged.
    is_whole = target == STACK or catalog.of(target) is not None
    return (cards[0], reasons[0]) if cards and is_whole else (None, why_not(series, Known(target)))


def _known(target: str, card: ModelCard) -> Known:
    return Known(target, frozenset(card.modalities), frozenset(card.planes))


def _witnesses(card: ModelCard, series: Series, catalog: Catalog) -> tuple[ModelCard, ...]:
    found = (_fitting(witness.target, series, catalog) for witness in witnesses_of(card))
    return tuple(witness for witness, reason in found if witness is not None and reason is None)


def questions(series: Series, plan: Sequence[Asked], instances_max: int) -> Iterator[Question]:
    """Yield what to ask, instance by instance in the order of the series."""
    models = _models_by_frame(plan)
    seeking = _seeking(plan)
    by_uid: dict[str, list[int]] = {}
    for frame in models:
        by_uid.setdefault(frame.sop_instance_uid, []).append(frame.frame)
    checked = set(_checked(series, instances_max))
    for instance in series.instances:
        uid = instance.sop_instance_uid
        if uid in by_uid:
            frames = sorted(by_uid[uid])
            looks = [(models[at], at in seeking) for at in (Chosen(uid, each) for each in frames)]
            yield from _of_instance(instance, frames, looks)
        elif uid in checked:
            yield Question(instance, _ends(instance))


def _seeking(plan: Iterable[Asked]) -> frozenset[Chosen]:
    """Return a few of the frames that speak for the series, evenly spaced."""
    sampled = tuple(dict.fromkeys(frame for each in plan for frame in each.sampled))
    count = min(len(sampled), TABLE_FRAMES_MAX)
    return frozenset(sampled[(2 * part + 1) * len(sampled) // (2 * count)] for part in range(count))


def _models_by_frame(plan: Iterable[Asked]) -> Mapping[Chosen, tuple[str, ...]]:
    models: dict[Chosen, dict[str, None]] = {}
    for each in plan:
        if each.card is not None:
            names = dict.fromkeys(card.name for card in (each.card, *each.witnesses))
            for frame in each.looked_at:
                models.setdefault(frame, {}).update(names)
    return {frame: tuple(names) for frame, names in models.items()}


def _of_instance(
    instance: Instance, frames: Sequence[int], looks: Sequence[tuple[tuple[str, ...], bool]]
) -> Iterator[Question]:
    """Yield at most `FRAMES_PER_QUESTION` frames at a time, those of the same models together."""
    by_look: dict[tuple[tuple[str, ...], bool], list[int]] = {}
    for number, look in zip(frames, looks, strict=True):
        by_look.setdefault(look, []).append(number)
    for (models, is_sampled), numbers in by_look.items():
        for first in range(0, len(numbers), FRAMES_PER_QUESTION):
            few = tuple(numbers[first : first + FRAMES_PER_QUESTION])
            yield Question(instance, few, models, is_sampled)


def _checked(series: Series, instances_max: int) -> Iterable[str]:
    """Return the instances whose pixels are decoded, whatever a model looks at."""
    uids = [each.sop_instance_uid for each in series.instances if has_decodable_pixels(each)]
    if len(uids) <= instances_max:
        return uids
    return [
        uids[(2 * part + 1) * len(uids) // (2 * instances_max)] for part in range(instances_max)
    ]


def _ends(instance: Instance) -> tuple[int, ...]:
    """Return the first and the last frame: what a cut or a wrong count damages is at the end."""
    return (1,) if instance.number_of_frames == 1 else (1, instance.number_of_frames)
