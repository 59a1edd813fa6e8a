"""What all plots share: height in pixels, the scale from zero, ticks, lines at revisions."""

from collections.abc import Sequence
from math import ceil, floor, log10
from typing import Final

from attrs import frozen

from qa_daemon.trends.plots.svg import element, joined, percent, pixels, text

#: The plot stands between these; below it the labels of the horizontal axis.
TOP: Final = 30.0
BOTTOM: Final = 206.0
HEIGHT: Final = 226
#: Steps of a scale that people can read, times a power of ten.
_STEPS: Final = (1, 2, 2.5, 5, 10)
#: More lines than these hide the plot; the latest are drawn.
MARKERS_MAX: Final = 6
LABEL_LENGTH_MAX: Final = 32


@frozen
class Tick:
    """A place on an axis and its label."""

    at: float
    label: str


@frozen
class Marker:
    """A vertical line, at a share of the width, where something has been changed."""

    at: float
    label: str


@frozen
class Scale:
    """Values from zero to `top`, with the values that are labelled."""

    top: float
    values: tuple[float, ...]

    def y(self, value: float) -> float:
        """Return how far down a value stands, in pixels."""
        return BOTTOM - (BOTTOM - TOP) * min(value, self.top) / self.top


def scale_to(greatest: float, *, is_whole: bool = False, ticks: int = 4) -> Scale:
    """Return a scale from zero that holds `greatest`, with about `ticks` round values.

    Parameters
    ----------
    is_whole
        Of what is counted: no fraction of it is labelled.
    """
    wanted = max(greatest, 1e-9) / ticks
    power = 10.0 ** floor(log10(wanted))
    round_ones = (power * each for each in _STEPS if power * each >= wanted * 0.999)
    step = next(each for each in round_ones if not is_whole or each < 1 or each == round(each))
    if is_whole:
        step = max(1.0, step)
    count = max(1, ceil(greatest / step - 1e-9))
    return Scale(step * count, tuple(step * number for number in range(count + 1)))


def cut(label: str) -> str:
    """Return a label no longer than fits."""
    return label if len(label) <= LABEL_LENGTH_MAX else label[: LABEL_LENGTH_MAX - 1] + "…"


def frame(scale: Scale, labels: Sequence[str], ticks: Sequence[Tick]) -> str:
    """Return grid lines with the labels of their values, and the labels along the bottom."""
    lines = [
        element("line", class_="gl", x1="0%", x2="100%", y1=pixels(y), y2=pixels(y))
        + element("text", text(label), class_="ax-t", x=-8, y=pixels(y + 4), text_anchor="end")
        for y, label in ((scale.y(v), said) for v, said in zip(scale.values, labels, strict=True))
    ]
    below = [
        element(
            "text",
            text(tick.label),
            class_="ax-t",
            x=percent(tick.at),
            y=HEIGHT - 4,
            text_anchor=_anchor(tick.at),
        )
        for tick in ticks
    ]
    return joined((*lines, *below))


def marked(markers: Sequence[Marker]) -> str:
    """Return the vertical lines with their labels, the latest `MARKERS_MAX`."""
    drawn = []
    latest = sorted(markers, key=lambda each: each.at)[-MARKERS_MAX:]
    for number, marker in enumerate(latest):
        y = 11 + 12 * (number % 2)  # in two rows, so that neighbours do not lie on each other
        is_right = marker.at > 0.5
        line = element(
            "line", class_="mark", x1=percent(marker.at), x2=percent(marker.at),
            y1=pixels(y - 9), y2=pixels(BOTTOM),
        )  # fmt: skip
        label = element(
            "text",
            element("title", text(marker.label)) + text(cut(marker.label)),
            class_="mark-t",
            x=percent(marker.at),
            dx=-5 if is_right else 5,
            y=y,
            text_anchor="end" if is_right else "start",
        )
        drawn.append(line + label)
    return joined(drawn)


def drawing(name: str, inner: str) -> str:
    """Return the whole plot; `name` is what a screen reader says of it."""
    return element("svg", inner, class_="plot", role="group", aria_label=name, height=HEIGHT)


def _anchor(at: float) -> str:
    if at <= 0.02:
        return "start"
    return "end" if at >= 0.98 else "middle"
