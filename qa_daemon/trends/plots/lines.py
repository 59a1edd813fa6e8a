"""Lines from zero over the width, each with its name at its end; and a line at a goal."""

from collections.abc import Callable, Sequence
from typing import Final

from attrs import field, frozen, validators

from qa_daemon.trends.plots.axes import (
    HEIGHT,
    Marker,
    Scale,
    Tick,
    drawing,
    frame,
    marked,
    scale_to,
)
from qa_daemon.trends.plots.svg import element, joined, percent, pixels, text

#: Told apart by how they are drawn.
STROKES: Final = ("line-solid", "line-dashed", "line-dotted")
#: Width of the inner picture, which is stretched; strokes are not.
_WIDE: Final = 1000
#: Names of two lines that end nearer than this are moved apart.
_APART: Final = 12.0


@frozen
class Line:
    """Values at equal distances, None where there is none; grey points prove nothing yet."""

    name: str
    values: tuple[float | None, ...]
    is_proven: tuple[bool, ...] = ()


@frozen(kw_only=True)
class LinePlot:
    """What is drawn.

    Attributes
    ----------
    said
        Turns a value to the text of its label.
    top
        Of the scale, None = what the values need.
    """

    name: str
    lines: tuple[Line, ...] = field(validator=validators.max_len(len(STROKES)))
    ticks: tuple[Tick, ...]
    said: Callable[[float], str]
    markers: tuple[Marker, ...] = ()
    goal: tuple[float, str] | None = None
    top: float | None = None


def lines(plot: LinePlot) -> str:
    """Return a plot of at most three lines."""
    values = [value for line in plot.lines for value in line.values if value is not None]
    greatest = plot.top or max((*values, plot.goal[0] if plot.goal else 0.0), default=0.0) or 1.0
    scale = scale_to(greatest)
    inner = joined(
        element(
            "path",
            class_=stroke,
            d=_path(line.values, scale),
            fill="none",
            vector_effect="non-scaling-stroke",
        )
        for stroke, line in zip(STROKES, plot.lines, strict=False)
    )
    stretched = element(
        "svg", inner, x=0, y=0, width="100%", height=HEIGHT,
        viewBox=f"0 0 {_WIDE} {HEIGHT}", preserveAspectRatio="none",
    )  # fmt: skip
    points = joined(joined(_points(line, scale)) for line in plot.lines)
    goal = "" if plot.goal is None else _goal(plot.goal, scale)
    labels = [plot.said(value) for value in scale.values]
    below = frame(scale, labels, plot.ticks) + goal
    return drawing(
        plot.name,
        below + stretched + points + joined(_names(plot.lines, scale)) + marked(plot.markers),
    )


def _place(number: int, count: int) -> float:
    return (number + 0.5) / count


def _path(values: Sequence[float | None], scale: Scale) -> str:
    """Return the line; it breaks where there is no value, as nothing is known there."""
    steps, is_drawing = [], False
    for number, value in enumerate(values):
        if value is not None:
            x, y = _WIDE * _place(number, len(values)), scale.y(value)
            steps.append(f"{'L' if is_drawing else 'M'}{x:.1f} {y:.1f}")
        is_drawing = value is not None
    return "".join(steps) or "M0 0"


def _points(line: Line, scale: Scale) -> list[str]:
    """Return a point for each value that no line shows, or that proves nothing by itself."""
    drawn = []
    for number, value in enumerate(line.values):
        if value is None:
            continue
        is_alone = all(
            not 0 <= near < len(line.values) or line.values[near] is None
            for near in (number - 1, number + 1)
        )
        is_proven = line.is_proven[number] if line.is_proven else True
        if is_alone or not is_proven:
            kind = "point" if is_proven else "point-grey"
            x = percent(_place(number, len(line.values)))
            drawn.append(element("circle", class_=kind, cx=x, cy=pixels(scale.y(value)), r=3))
    return drawn


def _names(drawn: Sequence[Line], scale: Scale) -> list[str]:
    ends = []
    for line in drawn:
        known = [(n, value) for n, value in enumerate(line.values) if value is not None]
        if known:
            number, value = known[-1]
            ends.append((scale.y(value) - 6, _place(number, len(line.values)), line.name))
    named, last = [], None
    for y, at, name in sorted(ends):
        here = y if last is None or y - last >= _APART else last + _APART
        last = here
        is_right = at > 0.5
        named.append(
            element(
                "text", text(name), class_="line-t", x=percent(at), y=pixels(here),
                text_anchor="end" if is_right else "start",
            )
        )  # fmt: skip
    return named


def _goal(goal: tuple[float, str], scale: Scale) -> str:
    value, label = goal
    y = scale.y(value)
    line = element("line", class_="goal", x1="0%", x2="100%", y1=pixels(y), y2=pixels(y))
    return line + element("text", text(label), class_="goal-t", x=6, y=pixels(y - 5))
