"""The stability index against figures reckoned by hand, and against chance."""

from datetime import UTC, datetime
from math import log
from random import Random

import pytest

from qa_daemon.trends.drift import (
    SHIFTED_FROM,
    Distribution,
    Drift,
    Scores,
    bin_of,
    chance_index,
    distribution,
    drift_of,
    stability_index,
)

EVEN = Distribution((100,) * 10)


@pytest.mark.parametrize(
    ("probability", "number"), [(0.0, 0), (0.0999, 0), (0.1, 1), (0.95, 9), (1.0, 9)]
)
def test_a_probability_belongs_to_a_tenth(probability: float, number: int) -> None:
    assert bin_of(probability) == number


def test_alike_distributions_have_an_index_of_zero() -> None:
    assert stability_index(EVEN, Distribution((7,) * 10)) == 0.0


def test_the_index_is_the_sum_over_bins() -> None:
    seen = Distribution((200, 0, *(100,) * 8))
    total = 1000.5  # half a series stands in the empty bin
    by_hand = (200 / total - 0.1) * log(2000 / total) + (0.5 / total - 0.1) * log(5 / total)
    by_hand += 8 * (100 / total - 0.1) * log(1000 / total)
    assert stability_index(EVEN, seen) == pytest.approx(by_hand)


def drift(seen: Distribution) -> Drift:
    return drift_of(
        Scores(
            target="view",
            model="view@1.0.0",
            since=datetime(2026, 11, 1, tzinfo=UTC),
            seen=seen,
            abstained=0,
            expected=EVEN,
            is_of_card=True,
        )
    )


def test_scores_that_moved_to_the_lower_half_are_shifted() -> None:
    moved = drift(Distribution((180, 180, 180, 180, 180, 20, 20, 20, 20, 20)))
    assert moved.bar == SHIFTED_FROM
    assert moved.is_shifted


def test_too_few_series_have_no_index() -> None:
    few = drift(Distribution((49, *(0,) * 9)))
    assert few.index is None
    assert not few.is_shifted
    assert not few.is_moving


def test_with_few_series_the_bar_is_what_chance_reaches() -> None:
    expected = 27.877  # chi-square of 9 degrees of freedom, 0.999
    sixty = Distribution((6,) * 10)
    assert chance_index(EVEN, sixty) == pytest.approx((1 / 1000 + 1 / 60) * expected, rel=0.01)
    assert drift(sixty).bar > SHIFTED_FROM


def test_chance_alone_seldom_reaches_the_bar() -> None:
    chance = Random(7)  # noqa: S311  chance, not a secret
    alarms = sum(
        drift(distribution([chance.random() for _ in range(60)])).is_shifted for _ in range(500)
    )
    assert alarms <= 5


def test_a_distribution_has_ten_counts() -> None:
    with pytest.raises(ValueError, match="10 counts"):
        Distribution((1, 2))
