"""Corrected Image Orientation and Image Position of every slice, under each hypothesis.

The tag of a series promises one axial class, its pixels show another. Either the pixels were
turned after acquisition (H2), or Image Orientation alone is wrong (H1a), or the whole patient
frame is (H1b: Patient Position was entered wrongly). On an exact axial slice all three correct
Image Orientation alike; they differ in Image Position, which is why all are offered.
"""

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Final, TypeAlias

from attrs import evolve, frozen

from qa_daemon.geometry.cosines import (
    WRITTEN_TOLERANCE,
    Cosines,
    Vector,
    are_alike,
    orthonormal,
    orthonormality_fault,
)
from qa_daemon.geometry.decimals import DS_CHARACTERS_MAX, decimal, decimal_text
from qa_daemon.geometry.orientation import (
    CLASS_BOTTOM_SIDES,
    display,
    expected_class,
    inverse,
    patient_position_turned,
    turn_between,
)
from qa_daemon.geometry.placement import Placement, frame_replaced, pixels_turned, turned_cosines
from qa_daemon.records.element import first_text
from qa_daemon.records.finding import Action, Change, Hypothesis, Scope, Suggestion
from qa_daemon.records.instance import Instance, Located
from qa_daemon.records.series import Series
from qa_daemon.series.slices import PlacedFrame, placed_frames

_TAGS: Final = {
    "ImageOrientationPatient": "00200037",
    "ImagePositionPatient": "00200032",
    "PixelSpacing": "00280030",
    "PatientPosition": "00185100",
}

# Weights before any evidence, from the reports of reader failures and common lies:
# pictures turned at a console or by software are told more often than wrong positions, and those
# more often than a wrong Image Orientation alone. Who enters a wrong position mistakes head for
# feet or supine for prone; a patient on the side is hard to overlook.
_PRIOR: Final = {
    Hypothesis.PIXELS_TURNED: 0.5,
    Hypothesis.FRAME_WRONG: 0.3,
    Hypothesis.IOP_WRONG: 0.2,
}
_PRIOR_FRAME_ON_THE_SIDE: Final = 0.15

# A field centre off its reference by this share of the field halves the weight; real series
# without siblings stand up to half a field off the origin (table height), those with siblings
# share their centre but for the choice of the field.
_OFF_CENTRE_SHARE: Final = 0.35
_OFF_SIBLINGS_SHARE: Final = 0.2

# Instances looked at per sibling; a long series does not say more than its tenth part.
_SIBLING_SAMPLES: Final = 16

# How much a table, or the order of regions along the stack, speaks for one side.
_STRONG: Final = 8.0

# Confidences are rounded down, so that their sum never exceeds that of the finding.
_CONFIDENCE_STEPS: Final = 10_000


@frozen
class _Corrected:
    """New values of one frame; None where the value stays unknown or untouched."""

    cosines: Cosines
    position: Vector | None
    spacing_mm: tuple[float, float] | None = None


_Correction: TypeAlias = Callable[[PlacedFrame], "_Corrected | None"]


def orientation_suggestions(  # noqa: PLR0913 - the evidence is named, not bundled
    series: Series,
    predicted: int,
    confidence: float,
    *,
    siblings: Sequence[Series] = (),
    table_side: str | None = None,
    stack_direction: str | None = None,
) -> tuple[Suggestion, ...]:
    """Return the corrected tags under each hypothesis, the likeliest first.

    `()` if the tag promises no axial class, or the class that the pixels show. Slices whose
    orientation differs from that of most axial ones get no change: they are a finding of their
    own. Hypotheses that come to the same values are told once.

    Parameters
    ----------
    predicted
        The class that the pixels show, 0 to 7. If only the quarter turn is decided, the class
        with that turn which keeps the mirror of the tag (`geometry.orientation.keeping_mirror`).
    confidence
        That of the finding; the suggestions share it.
    siblings
        Other series; those of the same Frame of Reference tell where the field should lie.
    table_side
        Side of the stored picture on which the table lies, as in `Inference`.
    stack_direction
        `agrees` or `reversed`: whether body regions follow z as tagged (target of that name).
    """
    frames, expected = _axial_frames(series)
    d = turn_between(predicted, expected)
    if not frames or d == 0:
        return ()
    weights = _weights(d, table_side, stack_direction)
    fits_as_tagged, fits_turned = _centre_fits(frames, d, _reference(series, siblings))
    weights[Hypothesis.IOP_WRONG] *= fits_turned
    weights[Hypothesis.PIXELS_TURNED] *= fits_as_tagged
    weights[Hypothesis.FRAME_WRONG] *= fits_as_tagged
    by_changes: dict[Hypothesis, tuple[Change, ...]] = {}
    shares: dict[Hypothesis, float] = {}
    for hypothesis in sorted(weights, key=lambda each: -weights[each]):
        changes = _changes(frames, hypothesis, d, expected)
        if not changes:
            continue
        same = next((told for told, others in by_changes.items() if others == changes), None)
        if same is None:
            by_changes[hypothesis] = changes
        told = same or hypothesis
        shares[told] = shares.get(told, 0.0) + weights[hypothesis]
    total = math.fsum(shares.values())
    return tuple(
        Suggestion(
            changes=by_changes[hypothesis],
            hypothesis=hypothesis,
            confidence=_rounded_down(confidence * shares[hypothesis] / total),
            display=display(inverse(d)),
        )
        for hypothesis in sorted(shares, key=lambda each: -shares[each])
    )


def _rounded_down(confidence: float) -> float:
    return math.floor(confidence * _CONFIDENCE_STEPS) / _CONFIDENCE_STEPS


def _axial_frames(series: Series) -> tuple[tuple[PlacedFrame, ...], int]:
    """Return the frames of the most frequent axial orientation, and the class it promises."""
    frames = tuple(placed_frames(series.instances))
    classes = {
        cosines: expected.value
        for cosines in {frame.cosines for frame in frames}
        if (expected := expected_class(cosines)).value is not None
    }
    counts = Counter(frame.cosines for frame in frames if frame.cosines in classes)
    if not counts:
        return (), 0
    common = counts.most_common(1)[0][0]
    expected_common = classes[common]
    assert expected_common is not None
    return tuple(
        evolve(frame, cosines=cosines)
        for frame in frames
        if are_alike(common, frame.cosines) and (cosines := _clean(frame.cosines)) is not None
    ), expected_common


def _clean(cosines: Cosines) -> Cosines | None:
    """Return cosines that may be written again: as received if they are good, else mended."""
    if orthonormality_fault(cosines, WRITTEN_TOLERANCE) is None:
        return cosines
    return orthonormal(cosines)


# --- evidence ------------------------------------------------------------------------------------


def _weights(
    d: int, table_side: str | None, stack_direction: str | None
) -> dict[Hypothesis, float]:
    """Return prior weights times what table and stack direction say.

    The sign of a tilt against Gantry/Detector Tilt says nothing here: scanners derive Image
    Orientation from both the tilt and the entered position, so that they agree in either case.
    """
    weights = dict(_PRIOR)
    if d % 2:
        weights[Hypothesis.FRAME_WRONG] = _PRIOR_FRAME_ON_THE_SIDE
    moved_to = CLASS_BOTTOM_SIDES[d]
    if moved_to != "bottom" and table_side == "bottom":
        # Gravity pulls towards the table: such pixels are as acquired.
        weights[Hypothesis.FRAME_WRONG] *= _STRONG
        weights[Hypothesis.IOP_WRONG] *= _STRONG
    elif moved_to != "bottom" and table_side == moved_to:
        weights[Hypothesis.PIXELS_TURNED] *= _STRONG
    if d >= 4 and stack_direction == "reversed":
        # Only a wrong frame exchanges head and feet.
        weights[Hypothesis.FRAME_WRONG] *= _STRONG
    elif d >= 4 and stack_direction == "agrees":
        weights[Hypothesis.FRAME_WRONG] /= _STRONG
    return weights


def _middle_placement(frames: Sequence[PlacedFrame]) -> Placement | None:
    placements = [placed for frame in frames if (placed := frame.placement) is not None]
    return placements[len(placements) // 2] if placements else None


@frozen
class _Reference:
    """Where field centres should lie in x and y, and by what share of a field they may miss it."""

    centre: tuple[float, float]
    share: float


def _reference(series: Series, siblings: Sequence[Series]) -> _Reference:
    """Return the field centre of other series of the same frame, else the isocentre."""
    frame_uid = first_text(series.shared, "FrameOfReferenceUID")
    placements = [
        placed
        for sibling in siblings
        if frame_uid
        and first_text(sibling.shared, "FrameOfReferenceUID") == frame_uid
        and sibling.series_instance_uid != series.series_instance_uid
        for frame in placed_frames(_sampled(sibling.instances))
        if (placed := frame.placement) is not None
    ]
    sums, weights = [0.0, 0.0], [0.0, 0.0]
    for placed in placements:
        for axis in (0, 1):
            # Along its normal a projection or a stack says little about its centre.
            weight = 1 - placed.cosines.normal[axis] ** 2
            sums[axis] += weight * placed.centre[axis]
            weights[axis] += weight
    if min(weights) < 0.5:
        return _Reference((0.0, 0.0), _OFF_CENTRE_SHARE)
    return _Reference((sums[0] / weights[0], sums[1] / weights[1]), _OFF_SIBLINGS_SHARE)


def _sampled(instances: Sequence[Instance]) -> Sequence[Instance]:
    """Return some instances, evenly: enough to meet every plane of a localiser."""
    return instances[:: max(1, len(instances) // _SIBLING_SAMPLES)]


def _centre_fits(
    frames: Sequence[PlacedFrame], d: int, reference: _Reference
) -> tuple[float, float]:
    """Return how well the field lies as tagged (H2 and H1b keep its distance), and under H1a.

    1 at the reference, 0.5 at `reference.share` of a field away. Under H1b the other series of a
    wrong frame turn along.
    """
    placed = _middle_placement(frames)
    if placed is None:
        return 1.0, 1.0
    turned = evolve(placed, cosines=turned_cosines(placed.cosines, d))

    def fit(placement: Placement) -> float:
        x, y, _ = placement.centre
        away = math.hypot(x - reference.centre[0], y - reference.centre[1])
        return 1 / (1 + (away / (reference.share * max(placement.field_mm))) ** 2)

    return fit(placed), fit(turned)


# --- values --------------------------------------------------------------------------------------


def _correction(hypothesis: Hypothesis, d: int, expected: int) -> _Correction:
    if hypothesis is Hypothesis.IOP_WRONG:
        return lambda frame: _Corrected(turned_cosines(frame.cosines, d), frame.position)
    if hypothesis is Hypothesis.FRAME_WRONG:
        return lambda frame: _Corrected(*frame_replaced(frame.cosines, frame.position, d, expected))
    return lambda frame: _pixels_turned(frame, d)


def _pixels_turned(frame: PlacedFrame, d: int) -> _Corrected | None:
    tagged = frame.placement
    if tagged is None:
        return None
    if d % 2:
        # The tag speaks of the array before the turn, whose rows are the columns of this one.
        tagged = evolve(tagged, rows=tagged.columns, columns=tagged.rows)
    new = pixels_turned(tagged, d)
    spacing = (new.row_spacing_mm, new.column_spacing_mm)
    has_changed = spacing != (tagged.row_spacing_mm, tagged.column_spacing_mm)
    return _Corrected(new.cosines, new.position, spacing if has_changed else None)


def _changes(
    frames: Sequence[PlacedFrame], hypothesis: Hypothesis, d: int, expected: int
) -> tuple[Change, ...]:
    """Return one change per element, in the order of instances; `()` if it cannot be computed.

    What functional groups share among frames is told once.
    """
    corrected_by = _correction(hypothesis, d, expected)
    changes: dict[tuple[str, str], Change] = {}
    for frame in frames:
        corrected = corrected_by(frame)
        if corrected is None:
            return ()
        plane, uid = frame.plane, frame.instance.sop_instance_uid
        for located, numbers in (
            (plane.orientation, corrected.cosines.values),
            (plane.position, corrected.position),
            (plane.spacing, corrected.spacing_mm),
        ):
            if located is not None and numbers is not None and (uid, located.path) not in changes:
                changes[uid, located.path] = _replaced(uid, located, numbers)
        if hypothesis is Hypothesis.FRAME_WRONG and (uid, "PatientPosition") not in changes:
            position = _patient_position(frame.instance, d, expected)
            if position is not None:
                changes[uid, "PatientPosition"] = position
    return tuple(changes.values())


def _replaced(uid: str, located: Located, numbers: Sequence[float]) -> Change:
    attribute = located.path.rpartition(".")[2]
    received = {abs(value): text for text in located.values if (value := decimal(text)) is not None}
    return Change(
        scope=Scope.INSTANCE,
        action=Action.REPLACE,
        attribute=attribute,
        tag=_TAGS[attribute],
        path=located.path,
        vr="DS",
        current=located.values,
        proposed=tuple(_text(number, received) for number in numbers),
        sop_instance_uid=uid,
    )


def _text(number: float, received: Mapping[float, str]) -> str:
    """Return a number as text, with the digits received where only its sign or place is new."""
    text = received.get(abs(number))
    if text is not None:
        digits = text.strip(" +-")
        signed = f"-{digits}" if number < 0 else digits
        if len(signed) <= DS_CHARACTERS_MAX:
            return signed
    return decimal_text(number)


def _patient_position(instance: Instance, d: int, expected: int) -> Change | None:
    """Return the change of Patient Position; None for terms beyond the eight recumbent ones."""
    element = instance.elements.get("PatientPosition")
    entered = first_text(instance.elements, "PatientPosition")
    true = patient_position_turned(entered, d, expected)
    if element is None or true is None:
        return None
    return Change(
        scope=Scope.INSTANCE,
        action=Action.REPLACE,
        attribute="PatientPosition",
        tag=_TAGS["PatientPosition"],
        path="PatientPosition",
        vr="CS",
        current=(entered,),
        proposed=(true,),
        sop_instance_uid=instance.sop_instance_uid,
    )
