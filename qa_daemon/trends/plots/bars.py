"""Stacked bars from zero: solid, hatched, outlined, so that they can be told apart in grey."""

from collections.abc import Sequence
from typing import Final

from attrs import field, frozen, validators

from qa_daemon.trends.plots.axes import (
    BOTTOM,
    TOP,
    Marker,
    Tick,
    drawing,
    frame,
    marked,
    scale_to,
)
from qa_daemon.trends.plots.svg import element, joined, percent, pixels, text

#: The three that a stack may have, from below: how each is filled.
FILLS: Final = ("bar-solid", "bar-hatched", "bar-outlined")
#: Of the room of a bar, its width.
_WIDTH: Final = 0.7
#: The hatching is a pattern, which needs a name on its page.
HATCHING: Final = "hatched"


@frozen
class Stack:
    """One bar: its parts from below, what it says when pointed at, and where it leads."""

    parts: tuple[int, ...] = field(validator=validators.max_len(len(FILLS)))
    title: str
    link: str | None = None


def stacked(
    name: str, stacks: Sequence[Stack], ticks: Sequence[Tick], markers: Sequence[Marker]
) -> str:
    """Return a plot of stacks of equal width, left to right."""
    scale = scale_to(max((sum(stack.parts) for stack in stacks), default=0), is_whole=True)
    room = 1 / max(1, len(stacks))
    drawn = []
    for number, stack in enumerate(stacks):
        left, below, parts = (number + (1 - _WIDTH) / 2) * room, 0, []
        for fill, part in zip(FILLS, stack.parts, strict=False):
            if part:
                top, bottom = scale.y(below + part), scale.y(below)
                parts.append(_part(fill, left, room * _WIDTH, (top, bottom)))
            below += part
        drawn.append(_linked(stack, joined(parts) + _target(number * room, room)))
    labels = [f"{value:.0f}" for value in scale.values]
    inner = _hatching() + frame(scale, labels, ticks) + joined(drawn) + marked(markers)
    return drawing(name, inner)


def _part(fill: str, left: float, width: float, edges: tuple[float, float]) -> str:
    top, bottom = edges
    return element(
        "rect",
        class_=fill,
        x=percent(left),
        width=percent(width),
        y=pixels(top),
        height=pixels(max(0.5, bottom - top - 0.5)),
        fill=f"url(#{HATCHING})" if fill == "bar-hatched" else None,
    )


def _target(left: float, width: float) -> str:
    """Return what the pointer meets: the whole height, so that small bars can be had."""
    return element(
        "rect",
        class_="hit",
        x=percent(left),
        width=percent(width),
        y=pixels(TOP),
        height=pixels(BOTTOM - TOP),
    )


def _linked(stack: Stack, inner: str) -> str:
    titled = element("title", text(stack.title)) + inner
    if stack.link is None:
        return element("g", titled)
    # The keyboard has the date fields and the table; thirty stops in a row would bar the way.
    return element("a", titled, href=stack.link, tabindex=-1)


def _hatching() -> str:
    lines = element("rect", class_="hatch-ground", width=4, height=4) + element(
        "path", class_="hatch-line", d="M0 0v4"
    )
    pattern = element(
        "pattern",
        lines,
        id=HATCHING,
        width=4,
        height=4,
        patternUnits="userSpaceOnUse",
        patternTransform="rotate(45)",
    )
    return element("defs", pattern)
