"""Ask the inference child about a series, and make predictions of its answers.

Frames are chosen here; pixels are opened in the child only (`predict.process` starts and kills it).
Of a small series every instance is decoded, so that pixels which cannot be are found; of a larger
one only those that are sampled.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from types import TracebackType
from typing import Any, Final, Self

import numpy as np
from attrs import define, field, frozen

from qa_daemon.config.settings import WorkerSettings
from qa_daemon.limits import Limits
from qa_daemon.pixels.choose import (
    Chosen,
    choose_frames,
    has_decodable_pixels,
    whole_series,
    why_not,
)
from qa_daemon.pixels.codestream import UNDECODABLE
from qa_daemon.pixels.table import agreed_side
from qa_daemon.predict.catalog import Catalog, ModelCard
from qa_daemon.predict.heads import (
    ORIENTATION,
    REGION,
    Outputs,
    Subject,
    orientation_predictions,
    region_predictions,
    unable,
)
from qa_daemon.predict.process import ChildProcess, TooMuch
from qa_daemon.records.inference import Inference
from qa_daemon.records.instance import Instance, Irregularity
from qa_daemon.records.prediction import Abstention, Prediction
from qa_daemon.records.series import Series

#: Frames of one object per question; each question has the deadline of an object.
FRAMES_PER_QUESTION: Final = 4

Reader = Callable[[str], bytes]


@frozen
class Request:
    """What to predict.

    Attributes
    ----------
    per_instance
        Adds one element per evaluated frame to those of the series, and evaluates every frame ...
    sampled_only
        ... or with this only those frames that speak for the series anyway.
    """

    targets: tuple[str, ...]
    per_instance: bool = False
    sampled_only: bool = False


@frozen
class _Plan:
    """What a series is asked.

    Attributes
    ----------
    reasons
        Per target asked for why it cannot be, None if it can.
    models
        Targets whose models look at the frames.
    sampled
        Frames that speak for the series.
    looked_at
        Frames that models look at: those, and with `per_instance` all unless `sampled_only`.
    """

    reasons: Mapping[str, Abstention | None]
    models: tuple[str, ...]
    sampled: tuple[Chosen, ...]
    looked_at: tuple[Chosen, ...]


@frozen
class _Question:
    """Frames of one instance; without models they are only decoded."""

    instance: Instance
    frames: tuple[int, ...]
    models: tuple[str, ...]


@define
class _Seen:
    """What the child said about a series so far."""

    logits: dict[str, dict[Chosen, list[float]]] = field(factory=dict)
    irregularities: dict[str, dict[str, Irregularity]] = field(factory=dict)
    sides: list[str | None] = field(factory=list)
    hit_limit: bool = False

    def add(self, question: _Question, answer: Mapping[str, Any]) -> None:
        """Take one answer in."""
        uid = question.instance.sop_instance_uid
        for kind, message, path in answer["irregularities"]:
            self.note(question.instance, Irregularity(str(kind), str(message), path))
        for frame in answer["frames"]:
            for target, scores in frame["scores"].items():
                self.logits.setdefault(target, {})[Chosen(uid, int(frame["frame"]))] = scores
            if frame["scores"]:
                self.sides.append(frame["table"])

    def note(self, instance: Instance, found: Irregularity) -> None:
        """Keep one irregularity of each kind that the scan of the instance did not find."""
        if all(known.kind != found.kind for known in instance.irregularities):
            of_instance = self.irregularities.setdefault(instance.sop_instance_uid, {})
            of_instance.setdefault(found.kind, found)


class Predictor:
    """Owns the inference child; not for use by several threads.

    Parameters
    ----------
    catalog
        Models; a target without one is `model_unavailable`.
    worker
        Deadline per object, memory of the child, frames sampled per series.
    limits
        Bounds of the scan and of decoding, which hold in the child too.
    """

    def __init__(self, catalog: Catalog, worker: WorkerSettings, limits: Limits) -> None:
        self.catalog = catalog
        self._slices_max = worker.slices_max
        self._limits = limits
        self._child = ChildProcess(
            tuple(catalog.cards.values()),
            limits,
            memory_bytes=worker.child_memory_bytes,
            deadline_s=worker.decode_deadline_s,
        )

    def __enter__(self) -> Self:
        """Nothing starts yet; the first question starts the child."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End the child."""
        self.close()

    @property
    def child_pid(self) -> int | None:
        """The process id of the child, None while there is none."""
        return self._child.pid

    def close(self) -> None:
        """End the child; a later question would start another."""
        self._child.close()

    def infer(self, series: Series, read: Reader, request: Request) -> Inference:
        """Return predictions for every target asked for, and what is wrong with the pixels.

        Parameters
        ----------
        read
            Gives the bytes of an object by `Instance.source`; what it raises is passed on.

        Raises
        ------
        RetryableError
            If the child cannot be started.
        """
        plan, seen = self._plan(series, request), _Seen()
        for question in _questions(series, plan, self._slices_max):
            self._ask(question, series.modality, read, seen)
        by_target = [self._predictions(target, plan, seen) for target in request.targets]
        frames = [each for said in by_target for each in said[1:]] if request.per_instance else []
        return Inference(
            predictions=(*(said[0] for said in by_target), *frames),
            irregularities={
                uid: tuple(found.values()) for uid, found in sorted(seen.irregularities.items())
            },
            table_side=agreed_side(seen.sides),
        )

    def _plan(self, series: Series, request: Request) -> _Plan:
        reasons = {target: self._reason(series, target) for target in request.targets}
        models = [target for target, reason in reasons.items() if reason is None]
        if ORIENTATION in models and self._reason(series, REGION) is None:
            models.append(REGION)  # the mirror is decided on slices that show organs
        sampled = choose_frames(series, self._slices_max) if models else ()
        looked_at = sampled
        if models and request.per_instance and not request.sampled_only:
            everything = whole_series(series, self._limits.frames_predicted_max)
            looked_at = tuple(dict.fromkeys((*everything, *sampled)))
        return _Plan(reasons, tuple(dict.fromkeys(models)), sampled, looked_at)

    def _reason(self, series: Series, target: str) -> Abstention | None:
        reason, card = why_not(series, target), self.catalog.of(target)
        if reason is None and card is None:
            return Abstention.MODEL_UNAVAILABLE
        if reason is None and card is not None and series.modality not in card.modalities:
            return Abstention.NOT_APPLICABLE
        return reason

    def _ask(self, question: _Question, modality: str, read: Reader, seen: _Seen) -> None:
        head = {"frames": question.frames, "targets": question.models, "modality": modality}
        content = read(question.instance.source)
        try:
            seen.add(question, self._child.ask(head, content))
        except TooMuch as error:
            seen.hit_limit = True
            seen.note(question.instance, Irregularity(UNDECODABLE, str(error), "PixelData"))

    def _predictions(self, target: str, plan: _Plan, seen: _Seen) -> tuple[Prediction, ...]:
        """Return the element of the series, then those of its frames."""
        card, reason = self.catalog.of(target), plan.reasons[target]
        if card is None or reason is not None:
            name = "" if card is None else card.name
            return (unable(target, reason or Abstention.MODEL_UNAVAILABLE, name),)
        if self._child.models is not None and target not in self._child.models:
            return (unable(target, Abstention.MODEL_UNAVAILABLE, card.name),)
        logits = seen.logits.get(target, {})
        of_series = _predicted(card, self._region(seen, plan.sampled), logits, plan.sampled)
        if not of_series:
            lacking = Abstention.LIMIT if seen.hit_limit else Abstention.NO_PIXELS
            return (unable(target, lacking, card.name),)
        ordered = sorted(logits, key=_position(plan.looked_at))
        frames = _predicted(card, self._region(seen, ordered), logits, ordered)[1:]
        return (of_series[0], *frames)

    def _region(self, seen: _Seen, frames: Sequence[Chosen]) -> tuple[Prediction, ...]:
        card = self.catalog.of(REGION)
        if card is None:
            return ()
        return _predicted(card, (), seen.logits.get(REGION, {}), frames)


def _predicted(
    card: ModelCard,
    regions: tuple[Prediction, ...],
    logits: Mapping[Chosen, list[float]],
    frames: Sequence[Chosen],
) -> tuple[Prediction, ...]:
    """Return what the head of a model says of the frames that were seen, `()` of none."""
    seen = [frame for frame in frames if frame in logits]
    if not seen:
        return ()
    subjects = tuple(Subject(frame.sop_instance_uid, frame.frame) for frame in seen)
    outputs = Outputs(card, subjects, np.array([logits[frame] for frame in seen], np.float32))
    if card.target == ORIENTATION:
        return orientation_predictions(outputs, regions)
    return region_predictions(outputs)


def _position(frames: Sequence[Chosen]) -> Callable[[Chosen], int]:
    places = {frame: place for place, frame in enumerate(frames)}
    return lambda frame: places[frame]


def _questions(series: Series, plan: _Plan, instances_max: int) -> Iterator[_Question]:
    """Yield what to ask, instance by instance in the order of the series."""
    by_uid: dict[str, list[int]] = {}
    for frame in plan.looked_at:
        by_uid.setdefault(frame.sop_instance_uid, []).append(frame.frame)
    checked = set(_checked(series, instances_max))
    for instance in series.instances:
        frames = sorted(by_uid.get(instance.sop_instance_uid, ()))
        if frames:
            for few in _parts(frames):
                yield _Question(instance, few, plan.models)
        elif instance.sop_instance_uid in checked:
            yield _Question(instance, _ends(instance), ())


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


def _parts(frames: Sequence[int]) -> Iterator[tuple[int, ...]]:
    for first in range(0, len(frames), FRAMES_PER_QUESTION):
        yield tuple(frames[first : first + FRAMES_PER_QUESTION])
