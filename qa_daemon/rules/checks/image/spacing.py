"""Sizes of pixels, distances of slices and tilt, each stated in more than one way."""

from math import acos, degrees
from typing import Final

from qa_daemon.geometry.cosines import Cosines, length
from qa_daemon.geometry.decimals import decimals
from qa_daemon.geometry.orientation import NORMAL_COSINE_MIN
from qa_daemon.records.element import Elements, first_text, texts
from qa_daemon.records.finding import Severity
from qa_daemon.records.instance import Instance
from qa_daemon.rules.checks.registry import Options, number, of_series
from qa_daemon.rules.checks.side.places import alike
from qa_daemon.rules.facts import (
    PASSED,
    Answer,
    Hit,
    NotApplicable,
    NotEvaluated,
    SeriesFacts,
    uids,
)

_IN_PLANE: Final = frozenset({"PixelSpacing", "ImagerPixelSpacing", "Rows", "Columns"}) | {
    "PixelSpacingCalibrationType",
    "PixelAspectRatio",
}
_EQUAL: Final = 0.01
# Smaller pictures are icons and samples of programmers; their field says nothing.
_PIXELS_MIN: Final = 64
#: Positions are written to a hundredth of a millimetre or better.
_SAME_MM: Final = 0.05


def _pair(elements: Elements, keyword: str) -> tuple[float, float] | None:
    found = decimals(texts(elements, keyword))
    if found is None or len(found) != 2 or min(found) <= 0:
        return None
    return found[0], found[1]


@of_series
def imager_spacing_fits(facts: SeriesFacts, _: Options) -> Answer:
    """Check Pixel Spacing against Imager Pixel Spacing (PS3.3 10.7.1.3, C.8.11.4).

    The body is nearer to the source than the detector is, so that Pixel Spacing is at most as
    large; where it is smaller, somebody calibrated, and Calibration Type says how.
    """
    larger, unsaid, applies = list[Instance](), list[Instance](), False
    for group in alike(facts, _IN_PLANE):
        elements = group[0].elements
        body, detector = _pair(elements, "PixelSpacing"), _pair(elements, "ImagerPixelSpacing")
        if body is None or detector is None:
            continue
        applies = True
        if any(b > d * (1 + _EQUAL) for b, d in zip(body, detector, strict=True)):
            larger.extend(group)
        elif any(b < d * (1 - _EQUAL) for b, d in zip(body, detector, strict=True)) and not (
            first_text(elements, "PixelSpacingCalibrationType")
        ):
            unsaid.extend(group)
    if not applies:
        return NotApplicable()
    if larger:
        message = "Pixel Spacing is larger than Imager Pixel Spacing; nothing shrinks on the way."
        return (Hit(message, uids(larger, facts.series.instances)),)
    if unsaid:
        message = "Pixel Spacing was calibrated, and Pixel Spacing Calibration Type is missing."
        return (Hit(message, uids(unsaid, facts.series.instances), severity=Severity.INFO),)
    return PASSED


@of_series
def field_plausible(facts: SeriesFacts, options: Options) -> Answer:
    """Check that rows and columns times their spacing are a field that there can be.

    Options: `keyword` of the spacing, `at_least_mm`, `at_most_mm`.
    """
    low, high = number(options, "at_least_mm", 0), number(options, "at_most_mm", 0)
    keyword = str(options.get("keyword", "PixelSpacing"))
    wrong, applies, said = list[Instance](), False, ""
    for group in alike(facts, _IN_PLANE):
        elements = group[0].elements
        spacing, size = _pair(elements, keyword), _size(elements)
        if spacing is None or size is None:
            continue
        applies = True
        field = [s * n for s, n in zip(spacing, size, strict=True)]
        if not all(low <= each <= high for each in field):
            wrong.extend(group)
            said = said or f"The field is {field[0]:.0f} x {field[1]:.0f} mm."
    if not applies:
        return NotApplicable()
    return (Hit(said, uids(wrong, facts.series.instances)),) if wrong else PASSED


def _size(elements: Elements) -> tuple[float, float] | None:
    found = decimals((first_text(elements, "Rows"), first_text(elements, "Columns")))
    return None if found is None or min(found) < _PIXELS_MIN else (found[0], found[1])


@of_series
def aspect_fits_spacing(facts: SeriesFacts, _: Options) -> Answer:
    """Check that Pixel Aspect Ratio is the ratio of Pixel Spacing, if both are there (C.7.6.3)."""
    wrong, applies = list[Instance](), False
    for group in alike(facts, _IN_PLANE):
        aspect = _pair(group[0].elements, "PixelAspectRatio")
        spacing = _pair(group[0].elements, "PixelSpacing")
        if aspect is None or spacing is None:
            continue
        applies = True
        if abs(aspect[0] / aspect[1] - spacing[0] / spacing[1]) > _EQUAL:
            wrong.extend(group)
    if not applies:
        return NotApplicable()
    return (Hit(sop_instance_uids=uids(wrong, facts.series.instances)),) if wrong else PASSED


@of_series
def slice_spacing_fits(facts: SeriesFacts, options: Options) -> Answer:
    """Check Spacing Between Slices against Image Position (Patient) of one even stack."""
    stack = facts.stack
    stated = decimals((facts.text("SpacingBetweenSlices"),))
    if stated is None or stack.spacing_mm is None or stack.orientation_count != 1:
        return NotApplicable()
    if stack.gaps or "SpacingBetweenSlices" in facts.series.conflicting:
        return NotEvaluated("the stack is not even")
    if abs(abs(stated[0]) - stack.spacing_mm) <= number(options, "share", 0.1) * stack.spacing_mm:
        return PASSED
    measured = f"{stack.spacing_mm:.6g}"
    if times := _times_apart(abs(stated[0]), stack.spacing_mm, facts):
        return (
            Hit(
                f"Spacing Between Slices says {stated[0]:g} mm; the positions lie {times} times as "
                f"far apart. Perhaps only some of the slices are here."
            ),
        )
    return (
        Hit(
            f"Spacing Between Slices says {stated[0]:g} mm; the positions lie {measured} mm apart.",
            proposed={"SpacingBetweenSlices": (measured,)},
        ),
    )


def _times_apart(stated: float, apart: float, facts: SeriesFacts) -> int:
    """Return how many spacings lie between two slices if the rest was left out; otherwise 0.

    A gap that was written for the distance makes it whole with Slice Thickness.
    """
    thickness = decimals((facts.text("SliceThickness"),))
    if stated <= 0 or (thickness is not None and abs(thickness[0] + stated - apart) <= _SAME_MM):
        return 0
    times = round(apart / stated)
    return times if times > 1 and abs(times * stated - apart) <= _SAME_MM else 0


@of_series
def tilt_fits_plane(facts: SeriesFacts, options: Options) -> Answer:
    """Check Gantry/Detector Tilt against the angle of the slices to the body axis (C.8.2.1)."""
    stated = decimals((facts.text("GantryDetectorTilt"),))
    angles = {
        round(degrees(acos(min(1.0, abs(each.cosines.normal[2]) / length(each.cosines.normal)))), 1)
        for each in facts.slices
        if isinstance(each.cosines, Cosines)
        and length(each.cosines.normal) > 0
        and abs(each.cosines.normal[2]) / length(each.cosines.normal) >= NORMAL_COSINE_MIN
    }
    if stated is None or len(angles) != 1:
        return NotApplicable()
    angle = angles.pop()
    if abs(abs(stated[0]) - angle) <= number(options, "degrees", 2):
        return PASSED
    return (
        Hit(
            f"Gantry/Detector Tilt says {stated[0]:g} degrees; the slices are tilted by {angle:g}."
        ),
    )
