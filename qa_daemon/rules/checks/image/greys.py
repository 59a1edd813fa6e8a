"""Windows against the values that pixels can have, and images that are missing by their number."""

from typing import Final

from qa_daemon.geometry.decimals import decimals
from qa_daemon.records.element import Elements, first_text
from qa_daemon.records.finding import Severity
from qa_daemon.records.instance import Instance
from qa_daemon.rules.checks.registry import Options, number, of_series
from qa_daemon.rules.checks.side.places import alike
from qa_daemon.rules.facts import PASSED, Answer, Hit, NotApplicable, SeriesFacts, uids
from qa_daemon.series.slices import whole

_KEYWORDS: Final = frozenset(
    """
    WindowCenter WindowWidth BitsStored PixelRepresentation RescaleSlope RescaleIntercept
    ModalityLUTSequence VOILUTSequence SmallestImagePixelValue LargestImagePixelValue
    """.split()  # noqa: SIM905  a table reads better as text
)
_BITS_MAX: Final = 32


def value_range(elements: Elements) -> tuple[float, float] | None:
    """Return least and greatest value after the modality transformation; None if unknown."""
    stored = decimals((first_text(elements, "BitsStored"),))
    if stored is None or not 0 < stored[0] <= _BITS_MAX or "ModalityLUTSequence" in elements:
        return None
    signed = first_text(elements, "PixelRepresentation") == "1"
    low = -(2.0 ** (stored[0] - 1)) if signed else 0.0
    high = low + 2.0 ** stored[0] - 1
    slope = decimals((first_text(elements, "RescaleSlope") or "1",))
    intercept = decimals((first_text(elements, "RescaleIntercept") or "0",))
    if slope is None or intercept is None:
        return None
    ends = [each * slope[0] + intercept[0] for each in (low, high)]
    return min(ends), max(ends)


def _windows(elements: Elements) -> tuple[tuple[float, float], ...]:
    found = [elements.get(keyword) for keyword in ("WindowCenter", "WindowWidth")]
    if any(each is None for each in found):
        return ()
    centres, widths = (decimals(tuple(map(str, e.values))) for e in found if e is not None)
    if not centres or not widths or len(centres) != len(widths) or min(widths) <= 0:
        return ()
    return tuple((c - w / 2, c + w / 2) for c, w in zip(centres, widths, strict=True))


@of_series
def windows_within_values(facts: SeriesFacts, _: Options) -> Answer:
    """Check that a window lies among the values that pixels can have (PS3.3 C.11.2.1.2).

    Where none of several windows does, the picture is black or white; where only some do not, one
    of the presets is, which is an info.
    """
    wrong, untidy, applies = list[Instance](), list[Instance](), False
    for group in alike(facts, _KEYWORDS):
        elements = group[0].elements
        windows, values = _windows(elements), value_range(elements)
        if not windows or values is None or "VOILUTSequence" in elements:
            continue
        applies = True
        outside = [low > values[1] or high < values[0] for low, high in windows]
        if all(outside):
            wrong.extend(group)
        elif any(outside):
            untidy.extend(group)
    if not applies:
        return NotApplicable()
    if wrong:
        return (Hit(sop_instance_uids=uids(wrong, facts.series.instances)),)
    if untidy:
        message = "One of several windows lies outside the values that the pixels can have."
        whole = facts.series.instances
        return (Hit(message, uids(untidy, whole), severity=Severity.INFO),)
    return PASSED


@of_series
def instances_complete(facts: SeriesFacts, options: Options) -> Answer:
    """Check that no Instance Numbers are missing between the first and the last.

    Numbers that step evenly were thinned or count echoes; many missing ones are another stack. Up
    to `share` of the series may be missing before the numbers say nothing.
    """
    numbers = sorted(
        {
            found
            for each in facts.series.instances
            if (found := whole(each.elements, "InstanceNumber")) is not None
        }
    )
    if len(numbers) < number(options, "instances", 5):
        return NotApplicable()
    missing = numbers[-1] - numbers[0] + 1 - len(numbers)
    if missing == 0 or missing > number(options, "share", 0.25) * len(numbers):
        return PASSED
    lost = sorted(set(range(numbers[0], numbers[-1])) - set(numbers))
    shown = ", ".join(map(str, lost[:5])) + (" ..." if missing > 5 else "")
    return (Hit(f"Instance Numbers are missing: {shown}."),)
