"""On which side of a stored CT picture the patient table lies; gravity points there.

The table is a long thin curve beside the body, touching nothing, in air. What is not plainly that
is no table: a wrong side would turn a suggestion around, an unknown one only leaves it open.
"""

from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

Mask = NDArray[np.bool_]

#: Carbon shells lie above this, mattress, blanket and air below.
SOLID_HU: Final = -500.0
#: The longer side is sampled to this; a shell of 2 mm in a field of 500 mm keeps a pixel.
SIDE: Final = 256
#: The body covers at least this share of the picture.
BODY_SHARE_MIN: Final = 0.06
#: The table spans at least this share of the body's width ...
SPAN_MIN: Final = 0.5
#: ... and is no thicker on average than this share of the picture.
THICKNESS_MAX: Final = 0.05
#: Distance of its middle line from a parabola, as a share of the picture.
UNEVENNESS_MAX: Final = 0.012
#: How much of its length must lie beyond the body, seen from the body's middle.
BEYOND_MIN: Final = 0.98
#: So many slices in agreement make a series sure, or all of them if there are fewer.
SLICES_MIN: Final = 2


@frozen(eq=False)
class _Part:
    """A connected region: rows, first and last column (exclusive) of its runs."""

    rows: NDArray[np.intp]
    columns: NDArray[np.intp]

    @property
    def size(self) -> int:
        return len(self.rows)


def table_side(hu: NDArray[np.float32]) -> str | None:
    """Return `top`, `bottom`, `left` or `right` of a picture in HU, None unless it is plain."""
    step = -(-max(hu.shape) // SIDE)
    rows, columns = hu.shape[0] // step * step, hu.shape[1] // step * step
    parts = _parts(_any_of_blocks(hu[:rows, :columns] > SOLID_HU, step))
    if not parts:
        return None
    shape = (rows // step, columns // step)
    body = max(parts, key=lambda part: part.size)
    if body.size < BODY_SHARE_MIN * shape[0] * shape[1]:
        return None
    sides = {side for part in parts if part is not body for side in _sides_of(part, body, shape)}
    return sides.pop() if len(sides) == 1 else None


def agreed_side(sides: Iterable[str | None]) -> str | None:
    """Return the side on which the slices of a series agree, None if too few say anything."""
    seen = list(sides)
    said = [side for side in seen if side is not None]
    is_enough = len(said) >= min(SLICES_MIN, len(seen)) > 0
    return said[0] if is_enough and len(set(said)) == 1 else None


def _any_of_blocks(solid: Mask, step: int) -> Mask:
    """Return which blocks hold anything solid: a thin shell must not fall between the samples."""
    rows = np.logical_or.reduce([solid[first::step] for first in range(step)])
    blocks: Mask = np.logical_or.reduce([rows[:, first::step] for first in range(step)])
    return blocks


def _sides_of(part: _Part, body: _Part, shape: tuple[int, int]) -> list[str]:
    return [
        side
        for side, turned_part, turned_body in _turned(part, body, shape)
        if _lies_below(turned_part, turned_body, max(shape))
    ]


def _turned(part: _Part, body: _Part, shape: tuple[int, int]) -> Iterable[tuple[str, _Part, _Part]]:
    """Yield both parts as seen with each side of the picture at the bottom."""
    last_row, last_column = shape[0] - 1, shape[1] - 1
    yield "bottom", part, body
    yield (
        "top",
        _Part(last_row - part.rows, part.columns),
        _Part(last_row - body.rows, body.columns),
    )
    yield "right", _Part(part.columns, part.rows), _Part(body.columns, body.rows)
    columns, body_columns = last_column - part.columns, last_column - body.columns
    yield "left", _Part(columns, part.rows), _Part(body_columns, body.rows)


def _lies_below(part: _Part, body: _Part, side: int) -> bool:
    """Whether a part is a thin even curve below the body, across most of its width."""
    counts = np.bincount(part.columns)
    columns = np.flatnonzero(counts)
    width = body.columns.max() - body.columns.min() + 1
    under = columns[(columns >= body.columns.min()) & (columns <= body.columns.max())]
    if len(under) < SPAN_MIN * width or part.size > THICKNESS_MAX * side * len(columns):
        return False
    middle = np.bincount(part.columns, weights=part.rows)[columns] / counts[columns]
    # The ends of a table bend, and may be cut by the round field of view.
    inner = slice(len(columns) // 12, len(columns) - len(columns) // 12)
    at, line = columns[inner] / side, middle[inner]
    curve = np.polynomial.Polynomial.fit(at, line, 2)
    if float(np.abs(curve(at) - line).mean()) > UNEVENNESS_MAX * side:
        return False
    lowest = np.full(int(max(columns.max(), body.columns.max())) + 1, -1)
    np.maximum.at(lowest, body.columns, body.rows)
    beyond = middle > np.maximum(lowest[columns], body.rows.mean())
    return float(beyond.mean()) >= BEYOND_MIN


def _parts(mask: Mask) -> list[_Part]:
    """Return the regions of a mask, 8-connected: runs of each row, joined with those above."""
    runs: list[tuple[int, int, int]] = []
    parent: list[int] = []
    above: Sequence[int] = ()
    at, edges = np.nonzero(np.diff(np.pad(mask, ((0, 0), (1, 1))), axis=1))
    by_row: dict[int, list[tuple[int, int]]] = {}
    for row, start, stop in zip(
        at[::2].tolist(), edges[::2].tolist(), edges[1::2].tolist(), strict=True
    ):
        by_row.setdefault(row, []).append((start, stop))
    for row in range(mask.shape[0]):
        here = []
        for start, stop in by_row.get(row, ()):
            here.append(len(runs))
            parent.append(len(runs))
            runs.append((row, start, stop))
            _join(parent, runs, here[-1], above)
        above = here
    members: dict[int, list[tuple[int, int, int]]] = {}
    for index, run in enumerate(runs):
        members.setdefault(_root(parent, index), []).append(run)
    return [_part(found) for found in members.values()]


def _join(
    parent: list[int], runs: Sequence[tuple[int, int, int]], index: int, above: Sequence[int]
) -> None:
    _, start, stop = runs[index]
    for other in above:
        if runs[other][1] <= stop and runs[other][2] >= start:
            parent[_root(parent, other)] = _root(parent, index)


def _root(parent: list[int], index: int) -> int:
    while parent[index] != index:
        parent[index] = parent[parent[index]]
        index = parent[index]
    return index


def _part(runs: Sequence[tuple[int, int, int]]) -> _Part:
    row, start, stop = np.asarray(runs).T
    lengths = stop - start
    before = np.cumsum(lengths) - lengths
    columns = np.arange(lengths.sum()) + np.repeat(start - before, lengths)
    return _Part(np.repeat(row, lengths), columns)
