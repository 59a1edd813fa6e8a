"""Whether a model meets other pictures than those it was measured on, by its own probabilities."""

from collections.abc import Sequence
from datetime import datetime
from math import log, sqrt
from typing import Final

from attrs import field, frozen

#: Probabilities are told apart by tenths.
BIN_COUNT: Final = 10
#: From here on a distribution counts as shifted (Lewis, An Introduction to Credit Scoring, 1994;
#: Siddiqi, Intelligent Credit Scoring, 2nd ed. 2017, p. 369), and from here on as moving.
SHIFTED_FROM: Final = 0.25
MOVING_FROM: Final = 0.10
#: Of the standard normal distribution: one alarm in 1,000 looks by chance.
_QUANTILE: Final = 3.0902
#: Fewer series than this say nothing about a distribution over ten bins.
SERIES_MIN: Final = 50
#: Stands for nothing in an empty bin, which would be infinitely unlikely.
_LEAST: Final = 0.5


@frozen
class Distribution:
    """How many series had a probability in each tenth, 0 to 1."""

    counts: tuple[int, ...] = field()

    @counts.validator
    def _are_ten(self, _attribute: object, counts: tuple[int, ...]) -> None:
        if len(counts) != BIN_COUNT or min(counts) < 0:
            raise ValueError(f"a distribution of scores has {BIN_COUNT} counts, none below 0")

    @property
    def total(self) -> int:
        """All series."""
        return sum(self.counts)

    @property
    def shares(self) -> tuple[float, ...]:
        """Of each tenth, all 0 of nothing."""
        return tuple(count / self.total if self.total else 0.0 for count in self.counts)


@frozen(kw_only=True)
class Drift:
    """How far the scores of late are from those expected.

    Attributes
    ----------
    expected
        What the model's card says, or this site's first scores where it says nothing.
    is_of_card
        Which of the two.
    index
        Population stability index; None where there are too few series.
    bar
        What the index must reach to be called shifted: `SHIFTED_FROM`, or what chance alone
        reaches with so few series.
    """

    target: str
    model: str
    since: datetime
    expected: Distribution
    is_of_card: bool
    seen: Distribution
    abstained: int
    index: float | None
    bar: float

    @property
    def is_shifted(self) -> bool:
        """Whether the model meets other pictures than those it was measured on."""
        return self.index is not None and self.index >= self.bar

    @property
    def is_moving(self) -> bool:
        """Whether it may come to that."""
        return self.index is not None and MOVING_FROM <= self.index < self.bar


def bin_of(probability: float) -> int:
    """Return the tenth of a probability, 0 to 9; 1.0 belongs to the last."""
    return min(BIN_COUNT - 1, max(0, int(probability * BIN_COUNT)))


def distribution(probabilities: Sequence[float]) -> Distribution:
    """Count probabilities by tenths."""
    counts = [0] * BIN_COUNT
    for probability in probabilities:
        counts[bin_of(probability)] += 1
    return Distribution(tuple(counts))


def stability_index(expected: Distribution, seen: Distribution) -> float:
    """Return the population stability index: sum over bins of (s - e) ln(s / e); 0 = alike.

    Half a series stands in empty bins.
    """
    index = 0.0
    for a, b in zip(_filled(expected), _filled(seen), strict=True):
        index += (b - a) * log(b / a)
    return index


def _filled(given: Distribution) -> tuple[float, ...]:
    counts = [max(count, _LEAST) for count in given.counts]
    return tuple(count / sum(counts) for count in counts)


def chance_index(expected: Distribution, seen: Distribution) -> float:
    """Return the index that chance alone reaches once in 1,000 looks.

    For two samples of one distribution the index is about (1/n + 1/m) times a chi-square with
    bins - 1 degrees of freedom (Yurdakul and Naranjo, J. Risk Model Validation 14, 2020); its
    quantile by Wilson and Hilferty (1931), right to 1 % here.
    """
    bins = sum(1 for a, b in zip(expected.counts, seen.counts, strict=True) if a or b)
    degrees = max(bins - 1, 1)
    ninth = 2 / (9 * degrees)
    chi_square = degrees * (1 - ninth + _QUANTILE * sqrt(ninth)) ** 3
    return (1 / expected.total + 1 / seen.total) * chi_square


@frozen(kw_only=True)
class Scores:
    """What one model said of late, and what is expected of it."""

    target: str
    model: str
    since: datetime
    seen: Distribution
    abstained: int
    expected: Distribution
    is_of_card: bool


def drift_of(scores: Scores) -> Drift:
    """Compare what was seen with what is expected."""
    enough = min(scores.expected.total, scores.seen.total) >= SERIES_MIN
    index = stability_index(scores.expected, scores.seen) if enough else None
    chance = chance_index(scores.expected, scores.seen) if enough else 0.0
    return Drift(
        target=scores.target,
        model=scores.model,
        since=scores.since,
        expected=scores.expected,
        is_of_card=scores.is_of_card,
        seen=scores.seen,
        abstained=scores.abstained,
        index=index,
        bar=max(SHIFTED_FROM, chance),
    )
