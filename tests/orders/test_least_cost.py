"""The solver against all assignments, one by one."""

from itertools import permutations

from hypothesis import given
from hypothesis import strategies as st

from qa_daemon.orders.least_cost import least_cost


def cost(costs: list[list[float]], columns: tuple[int, ...]) -> float:
    return sum(row[column] for row, column in zip(costs, columns, strict=True))


@given(st.integers(1, 4).flatmap(lambda rows: st.integers(rows, 5).flatmap(
    lambda columns: st.lists(
        st.lists(st.integers(-9, 9).map(float), min_size=columns, max_size=columns),
        min_size=rows, max_size=rows))))  # fmt: skip
def test_no_other_assignment_costs_less(costs: list[list[float]]) -> None:
    found = least_cost(costs)
    assert len(set(found)) == len(costs)
    least = min(cost(costs, each) for each in permutations(range(len(costs[0])), len(costs)))
    assert cost(costs, found) == least


def test_no_rows_need_no_columns() -> None:
    assert least_cost([]) == ()
