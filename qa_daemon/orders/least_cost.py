"""The assignment of least cost: every row one column, no column twice.

Own code and not SciPy's `linear_sum_assignment`: SciPy is over 100 MB installed for one function,
and a visit has a few dozen rows. Shortest augmenting paths with potentials (Jonker and Volgenant,
Computing 38, 1987; Kuhn's method in its dual form), O(rows squared times columns), exact.
"""

from collections.abc import Sequence
from math import inf


def least_cost(costs: Sequence[Sequence[float]]) -> tuple[int, ...]:
    """Return the column of each row, the sum of costs least.

    Parameters
    ----------
    costs
        Shape (rows, columns), as many columns as rows or more, finite.
    """
    rows, columns = len(costs), len(costs[0]) if costs else 0
    assert rows <= columns
    row_price, column_price = [0.0] * (rows + 1), [0.0] * (columns + 1)
    row_of = [0] * (columns + 1)  # 0: free; rows and columns count from 1
    for row in range(1, rows + 1):
        row_of[0] = row
        column, came_from = _shortest_path(costs, row_price, column_price, row_of)
        while column:
            row_of[column] = row_of[came_from[column]]
            column = came_from[column]
    found = [0] * rows
    for column in range(1, columns + 1):
        if row_of[column]:
            found[row_of[column] - 1] = column - 1
    return tuple(found)


def _shortest_path(
    costs: Sequence[Sequence[float]],
    row_price: list[float],
    column_price: list[float],
    row_of: Sequence[int],
) -> tuple[int, list[int]]:
    """Grow a tree of tight edges from column 0 to a free column; prices follow."""
    columns = len(column_price)
    slack, came_from, reached = [inf] * columns, [0] * columns, [False] * columns
    column = 0
    while True:
        reached[column] = True
        row = row_of[column]
        for other in range(1, columns):
            if reached[other]:
                continue
            reduced = costs[row - 1][other - 1] - row_price[row] - column_price[other]
            if reduced < slack[other]:
                slack[other], came_from[other] = reduced, column
        nearest = min((c for c in range(1, columns) if not reached[c]), key=slack.__getitem__)
        step = slack[nearest]
        for other in range(columns):
            if reached[other]:
                row_price[row_of[other]] += step
                column_price[other] -= step
            else:
                slack[other] -= step
        column = nearest
        if not row_of[column]:
            return column, came_from
