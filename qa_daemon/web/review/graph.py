"""The visit as a graph: where its cards and wires stand. Numbers for a drawing, no words."""

from typing import Final

from attrs import frozen

from qa_daemon.queue.reviewing.visit import Visit, Wire

#: Units of the drawing; it scales with the page.
WIDTH: Final = 840
ORDER_WIDTH: Final = 282
SERIES_WIDTH: Final = 296
CARD: Final = 78
GAP: Final = 9
_PULL: Final = 90


@frozen(kw_only=True)
class Line:
    """One wire: its path and what it means."""

    path: str
    kind: str


@frozen(kw_only=True)
class Graph:
    """Where everything stands.

    Attributes
    ----------
    orders, series
        Upper edge of each card.
    """

    width: int
    height: int
    orders: tuple[int, ...]
    series: tuple[int, ...]
    lines: tuple[Line, ...]


def graph(visit: Visit) -> Graph:
    """Return the drawing of a visit: orders on the left, series on the right."""
    rows = max(len(visit.orders), len(visit.series), 1)
    height = rows * (CARD + GAP) - GAP
    orders = _spread(len(visit.orders), height)
    series = _spread(len(visit.series), height)
    lines = tuple(
        line
        for wire in sorted(visit.wires, key=lambda each: each.is_proposed)
        for line in _lines(wire, orders[wire.order], series[wire.series])
    )
    return Graph(width=WIDTH, height=height, orders=orders, series=series, lines=lines)


def _spread(count: int, height: int) -> tuple[int, ...]:
    """Return the upper edges of cards that share a column evenly."""
    each = height / max(count, 1)
    return tuple(round(at * each + (each - CARD) / 2) for at in range(count))


def _lines(wire: Wire, order: int, series: int) -> tuple[Line, ...]:
    if wire.is_now and wire.is_proposed:
        return (Line(path=_path(order, series, 0), kind="same"),)
    if wire.is_now:
        return (Line(path=_path(order, series, 8), kind="now"),)
    return (Line(path=_path(order, series, 0), kind="proposed"),)


def _path(order: int, series: int, down: int) -> str:
    left, right = ORDER_WIDTH, WIDTH - SERIES_WIDTH
    y0, y1 = order + CARD // 2 + down, series + CARD // 2 + down
    return f"M{left} {y0}C{left + _PULL} {y0} {right - _PULL} {y1} {right} {y1}"
