"""Everything that the page, its export and the digest show, of one cut through the facts."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Final

import numpy as np
from attrs import field, frozen

from qa_daemon.trends import daily, rates
from qa_daemon.trends.daily import Backlog, Bar
from qa_daemon.trends.facts import OF_SERIES, Facet, Facts
from qa_daemon.trends.period import Period
from qa_daemon.trends.rates import Matrix, Place, Tally

#: Rules and stations of the table on the page; the export holds all.
MATRIX_RULES_MAX: Final = 12
MATRIX_STATIONS_MAX: Final = 8


@frozen(kw_only=True)
class Revision:
    """When other rules, or another model, came into force.

    Attributes
    ----------
    kind
        `rules` or `model`.
    name
        Of the model with its version; of rules the digest of the pack.
    """

    kind: str
    name: str
    at: datetime


@frozen(kw_only=True)
class Cut:
    """Which findings are looked at: of a period, and of one value of some facets."""

    period: Period
    only: Mapping[Facet, str] = field(factory=dict)


@frozen(kw_only=True)
class Overview:
    """What the facts say.

    Attributes
    ----------
    whole, before
        Of the period, and of the equally long one before it.
    open_now
        Whatever their age; the period does not matter.
    """

    cut: Cut
    whole: Tally
    before: Tally
    open_now: Backlog
    open_a_week_ago: int
    median_wait_s: float | None
    bars: tuple[Bar, ...]
    backlog: tuple[Backlog, ...]
    matrix: Matrix
    wrong: tuple[Place, ...]
    tallies: tuple[Tally, ...]


def overview(facts: Facts, judged: Facts, cut: Cut, facet: Facet, now: datetime) -> Overview:
    """Return what the facts say of one cut, counted by the values of `facet`."""
    chosen, series = _only(facts, cut.only), _only(judged, cut.only)
    inside = _within(chosen, cut.period)
    earlier = cut.period.before()
    edges = cut.period.edges()
    found_places = rates.places(inside)
    knows_series = all(facet in OF_SERIES for facet in cut.only)
    own_series = _within(series, cut.period)
    now_open = daily.backlog(chosen, (now,))[0]
    week_ago = now - timedelta(days=7)
    return Overview(
        cut=cut,
        whole=rates.tally(inside, own_series if knows_series else None),
        before=rates.tally(_within(chosen, earlier)),
        open_now=now_open,
        open_a_week_ago=daily.backlog(chosen, (week_ago,))[0].open,
        median_wait_s=daily.median_wait_s(inside),
        bars=daily.bars(chosen.chosen(chosen.at_s < cut.period.ends.timestamp()), edges),
        backlog=daily.backlog(chosen, _looked_at(edges, now)),
        matrix=rates.matrix(found_places, MATRIX_RULES_MAX, MATRIX_STATIONS_MAX),
        wrong=rates.too_often_wrong(found_places),
        tallies=rates.tallies(inside, own_series, facet),
    )


def _looked_at(edges: Sequence[datetime], now: datetime) -> tuple[datetime, ...]:
    """Return when each bar that has begun ends, the one that holds `now` at `now`."""
    return tuple(min(ends, now) for begins, ends in pairwise(edges) if begins <= now)


def _only(facts: Facts, only: Mapping[Facet, str]) -> Facts:
    mask = np.ones(len(facts), dtype=np.bool_)
    for facet, value in only.items():
        if facet in facts.codes:
            mask &= facts.is_value(facet, value)
    return facts.chosen(mask)


def _within(facts: Facts, period: Period) -> Facts:
    begins, ends = period.begins.timestamp(), period.ends.timestamp()
    return facts.chosen((facts.at_s >= begins) & (facts.at_s < ends))
