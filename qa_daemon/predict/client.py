"""Ask the inference child about a series, and make predictions of its answers.

Frames are chosen by `predict.questions`; pixels are opened in the child only (`predict.process`
starts and kills it).
Of a small series every instance is decoded, so that pixels which cannot be are found; of a larger
one only those that are sampled.
"""

from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Any, Self

import numpy as np
from attrs import define, evolve, field
from numpy.typing import NDArray

from qa_daemon.config.settings import WorkerSettings
from qa_daemon.geometry.cosines import Fault, read_cosines
from qa_daemon.geometry.placement import read_position
from qa_daemon.geometry.planes import BodyPlane, body_plane
from qa_daemon.limits import Limits
from qa_daemon.pixels.choose import Chosen
from qa_daemon.pixels.codestream import UNDECODABLE
from qa_daemon.pixels.table import agreed_side
from qa_daemon.predict.catalog import Catalog, ModelCard
from qa_daemon.predict.drawing.drawn import (
    BODY_BYTES_MAX,
    FRAMES_PER_QUESTION,
    REASON_MAX,
    Drawn,
    read,
)
from qa_daemon.predict.drawing.small import Small, body_bytes_max
from qa_daemon.predict.drawing.small import read as read_small
from qa_daemon.predict.heads.answer import MARKER, PLACED, predictions
from qa_daemon.predict.heads.outputs import Outputs, Place, Subject, unable
from qa_daemon.predict.process import ChildProcess, TooMuch
from qa_daemon.predict.questions import Asked, Bounds, Question, Request, asked, questions
from qa_daemon.records.inference import Inference
from qa_daemon.records.instance import Instance, Irregularity, Plane
from qa_daemon.records.prediction import Abstention, Box, Prediction
from qa_daemon.records.series import Series

__all__ = ["Predictor", "Reader", "Request"]

Reader = Callable[[str], bytes]


@define
class _Seen:
    """What the child said about a series so far.

    Attributes
    ----------
    rows, boxes
        By model and frame: logits, one row per square, and where the squares lie.
    """

    rows: dict[str, dict[Chosen, list[list[float]]]] = field(factory=dict)
    boxes: dict[str, dict[Chosen, tuple[Box, ...]]] = field(factory=dict)
    irregularities: dict[str, dict[str, Irregularity]] = field(factory=dict)
    sides: list[str | None] = field(factory=list)
    hit_limit: bool = False

    def add(self, question: Question, answer: Mapping[str, Any]) -> None:
        """Take one answer in."""
        uid = question.instance.sop_instance_uid
        for kind, message, path in answer["irregularities"]:
            self.note(question.instance, Irregularity(str(kind), str(message), path))
        for frame in answer["frames"]:
            at = Chosen(uid, int(frame["frame"]))
            for model, rows in frame["scores"].items():
                self.rows.setdefault(model, {})[at] = rows
            for model, boxes in frame["boxes"].items():
                self.boxes.setdefault(model, {})[at] = tuple(Box(*box) for box in boxes)
            if question.seeks_table and frame["scores"]:
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
        self._bounds = Bounds(worker.slices_max, limits.frames_predicted_max)
        self._child = ChildProcess(
            tuple(
                {
                    card.name: card for card in (*catalog.cards.values(), *catalog.shadows.values())
                }.values()
            ),
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

    @property
    def refused(self) -> Mapping[str, str]:
        """Models that the child would not load, by name, and why; `{}` before its first start."""
        return self._child.refused

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
        seen = _Seen()
        plan = tuple(
            asked(target, series, self.catalog, request, self._bounds) for target in request.targets
        )
        for question in questions(series, plan, self._bounds.sampled_max):
            self._ask(question, series.modality, read, seen)
        by_target = [self._predictions(each, series, seen) for each in plan]
        frames = [each for said in by_target for each in said[1:]] if request.per_instance else []
        return Inference(
            predictions=(*(said[0] for said in by_target), *frames),
            irregularities={
                uid: tuple(found.values()) for uid, found in sorted(seen.irregularities.items())
            },
            table_side=agreed_side(seen.sides),
            shadow=self._shadow(plan, series, read) if request.with_shadows else (),
        )

    def draw(
        self, content: bytes, frames: Sequence[int], modality: str
    ) -> tuple[tuple[Drawn, ...], str]:
        """Return what at most `FRAMES_PER_QUESTION` frames of an object look like.

        Where they cannot be drawn there are none, and the second is the reason.

        Raises
        ------
        RetryableError
            If the child cannot be started.
        """
        assert len(frames) <= FRAMES_PER_QUESTION
        head = {"draws": True, "frames": list(frames), "modality": modality}
        try:
            answer = self._child.ask(head, content, BODY_BYTES_MAX)
            return read(answer.head["drawn"], answer.body), str(answer.head["reason"])[:REASON_MAX]
        except TooMuch as error:
            return (), str(error)
        except (KeyError, TypeError, ValueError):
            self._child.close()
            return (), "the decoder answered what is no picture"

    def shrink(self, content: bytes, frame: int, side_max: int) -> Small | None:
        """Return a frame with neither side longer than `side_max`, None where it cannot be had.

        Raises
        ------
        RetryableError
            If the child cannot be started.
        """
        head = {"shrinks": True, "frames": [frame], "side": side_max}
        try:
            answer = self._child.ask(head, content, body_bytes_max(side_max))
            if answer.head["reason"]:
                return None
            return read_small(answer.head["drawn"], answer.body, side_max)
        except TooMuch:
            return None
        except (KeyError, TypeError, ValueError):
            self._child.close()
            return None

    def _shadow(
        self, plan: Sequence[Asked], series: Series, read: Reader
    ) -> tuple[Prediction, ...]:
        """Return what would be said otherwise if the shadows were in force.

        They are asked apart: whatever one of them costs takes nothing from those in force.
        """
        if not self.catalog.shadows:
            return ()
        would, request = self.catalog.shadowed(), Request(tuple(each.target for each in plan))
        other = [asked(name, series, would, request, self._bounds) for name in request.targets]
        changed = [
            new
            for old, new in zip(plan, other, strict=True)
            if (old.card, old.witnesses, old.reason) != (new.card, new.witnesses, new.reason)
        ]
        seen = _Seen()
        for question in questions(series, changed, instances_max=0):
            self._ask(question, series.modality, read, seen)
        return tuple(self._predictions(each, series, seen)[0] for each in changed)

    def _ask(self, question: Question, modality: str, read: Reader, seen: _Seen) -> None:
        head = {
            "frames": question.frames,
            "models": question.models,
            "modality": modality,
            "table": question.seeks_table,
        }
        content = read(question.instance.source)
        try:
            seen.add(question, self._child.ask(head, content).head)
        except TooMuch as error:
            seen.hit_limit = True
            seen.note(question.instance, Irregularity(UNDECODABLE, str(error), "PixelData"))

    def _predictions(self, each: Asked, series: Series, seen: _Seen) -> tuple[Prediction, ...]:
        """Return the element of the series, then those of its frames."""
        card = each.card
        if card is None or each.reason is not None:
            name = "" if card is None else card.name
            return (unable(each.target, each.reason or Abstention.MODEL_UNAVAILABLE, name),)
        if self._child.models is not None and card.name not in self._child.models:
            return (unable(each.target, Abstention.MODEL_UNAVAILABLE, card.name),)
        whole = _said(each, each.sampled, series, seen)
        if not whole:
            lacking = Abstention.LIMIT if seen.hit_limit else Abstention.NO_PIXELS
            return (unable(each.target, lacking, card.name),)
        return (whole[0], *_said(each, each.looked_at, series, seen)[1:])


def _said(
    each: Asked, frames: Sequence[Chosen], series: Series, seen: _Seen
) -> tuple[Prediction, ...]:
    """Return what the head of a target says of the frames that were seen, `()` of none."""
    assert each.card is not None
    outputs = _outputs(each.card, frames, seen)
    if not outputs.subjects:
        return ()
    if each.target in PLACED:
        outputs = evolve(outputs, heights_mm=_heights_mm(series, outputs.subjects))
    witnesses = [
        said
        for card in each.witnesses
        for said in predictions(card.target, _outputs(card, frames, seen))[1:]
    ]
    return predictions(each.target, outputs, witnesses)


def _outputs(card: ModelCard, frames: Sequence[Chosen], seen: _Seen) -> Outputs:
    rows = seen.rows.get(card.name, {})
    is_marker = card.target == MARKER  # a picture may have no place where a marker may be
    found = [frame for frame in frames if frame in rows and (is_marker or rows[frame])]
    subjects = tuple(Subject(frame.sop_instance_uid, frame.frame) for frame in found)
    if is_marker:
        places = tuple(_places(rows[at], seen.boxes.get(card.name, {}).get(at, ())) for at in found)
        return Outputs(card, subjects, np.zeros((0, card.outputs), np.float32), places=places)
    logits = np.array([rows[at][0] for at in found], np.float32).reshape(-1, card.outputs)
    return Outputs(card, subjects, logits)


def _places(rows: Sequence[Sequence[float]], boxes: Sequence[Box]) -> tuple[Place, ...]:
    return tuple(
        Place(np.asarray(row, np.float32), box) for row, box in zip(rows, boxes, strict=True)
    )


def _heights_mm(series: Series, subjects: Sequence[Subject]) -> NDArray[np.float64]:
    """Return how far to the head each axial frame lies by its Image Position; NaN for others."""
    found = {
        Subject(instance.sop_instance_uid, plane.frame): _height_mm(plane)
        for instance in series.instances
        for plane in instance.planes
    }
    return np.asarray([found.get(subject, np.nan) for subject in subjects], np.float64)


def _height_mm(plane: Plane) -> float:
    if plane.position is None or plane.orientation is None:
        return float("nan")
    position, cosines = read_position(plane.position.values), read_cosines(plane.orientation.values)
    if isinstance(position, Fault) or isinstance(cosines, Fault):
        return float("nan")
    return position[2] if body_plane(cosines.normal) is BodyPlane.AXIAL else float("nan")
