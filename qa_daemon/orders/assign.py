"""Which images of a visit belong to which of its orders, and what must move.

All series and orders of a patient's visit are looked at together: the assignment with the most
evidence is found exactly, and where it differs from what the images say, the difference is
proposed, if it gains enough. Below the margin nothing is proposed.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import compress
from math import exp, log
from typing import Final, TypeAlias

from attrs import frozen

from qa_daemon.orders.anatomy import overlap
from qa_daemon.orders.evidence import FITS_FROM, Weighed, Witness, weigh
from qa_daemon.orders.least_cost import least_cost
from qa_daemon.orders.proposal import Assigned, Filed, Kind, Move, Proposal
from qa_daemon.records.order import Order, OrderKey, OrderSource

#: How readily a mistake is believed. Not measured at any site: chosen, with the next two and
#: `evidence.NEIGHBOUR`, on visits built of the 314 radiographs of one half of the patients whom the
#: shipped model had not seen, such that at most 5 of 1,000 clean visits raised anything.
#: `tests/bench` measures on the other half.
PRIOR_WRONG: Final = 0.15
#: Images that name no known order belong to one of the visit's or to none.
PRIOR_UNNAMED: Final = 0.5
#: Below this probability nothing is proposed.
PROBABILITY_MIN: Final = 0.9
#: An order of the visit has its images, or they are still to come.
COVERED: Final = 3.0
#: Images that nobody could judge go along with an exchange that others prove, but not against what
#: they show; chosen as above.
OWN_GAIN_MIN: Final = -2.0
#: Images show the parts of two orders where each is this probable.
SHARED_MIN: Final = 0.9
#: With more orders each group takes the one that fits it best: the exact way grows with the square.
ORDERS_MAX: Final = 100
_DECIMALS: Final = 1
_GAIN_MOST: Final = 500.0
_WORDS: Final = frozenset({Witness.BODY_PART, Witness.DESCRIPTION, Witness.PROTOCOL, Witness.STEP})


def assigned(filed: Sequence[Filed], orders: Sequence[Order]) -> Assigned:
    """Return which images of a visit belong to which of its orders."""
    in_force = [order for order in orders if not order.is_cancelled]
    table = _Table.of(filed, in_force)
    found: list[Proposal] = []
    if filed and in_force:
        found = _mistakes(_moves(table, _assigned(table)).values(), table)
        found += _shares(table, _after(table, found))
    found += _unmatched(table, found, any(_is_told(order) for order in orders))
    found.sort(key=lambda each: -each.probability)
    fit = tuple(tuple(each.log_odds for each in row) for row in table.weighed)
    return Assigned(tuple(in_force), fit, tuple(found))


def proposals(filed: Sequence[Filed], orders: Sequence[Order]) -> tuple[Proposal, ...]:
    """Return what should change so that images and orders of one visit agree, surest first."""
    return assigned(filed, orders).proposals


def _is_told(order: Order) -> bool:
    return order.source is not OrderSource.IMAGES


@frozen
class _Table:
    """All evidence, a row per series and a column per order.

    Attributes
    ----------
    current
        Per series the columns of the orders that it names.
    """

    filed: tuple[Filed, ...]
    orders: tuple[Order, ...]
    weighed: tuple[tuple[Weighed, ...], ...]
    current: tuple[frozenset[int], ...]

    @classmethod
    def of(cls, filed: Sequence[Filed], orders: Sequence[Order]) -> "_Table":
        named = [[any(order.key.means(key) for key in each.keys) for order in orders]
                 for each in filed]  # fmt: skip
        return cls(
            tuple(filed),
            tuple(orders),
            tuple(
                tuple(
                    weigh(each.said, order, each.modality, list(compress(orders, row)))
                    for order in orders
                )
                for each, row in zip(filed, named, strict=True)
            ),
            tuple(frozenset(c for c, names_it in enumerate(row) if names_it) for row in named),
        )

    def log_odds(self, row: int, column: int) -> float:
        weighed = self.weighed[row][column]
        return weighed.log_odds + weighed.leaning

    def is_decided(self, row: int) -> bool:
        """Whether a model was sure of what a series shows."""
        return any(each.witness is Witness.PIXELS for each in self.filed[row].said)

    def stays(self, row: int) -> int | None:
        """Return the column that a series names and fits best, None if it names no known order."""
        named = self.current[row]
        return max(named, key=lambda column: self.log_odds(row, column)) if named else None


def _assigned(table: _Table) -> tuple[int, ...]:
    """Return the column of each row such that all evidence together is greatest."""
    groups: dict[tuple[object, ...], list[int]] = defaultdict(list)
    for row in range(len(table.filed)):
        odds = (round(table.log_odds(row, c), _DECIMALS) for c in range(len(table.orders)))
        groups[(table.current[row], *odds)].append(row)
    members = list(groups.values())
    if len(table.orders) > ORDERS_MAX:
        chosen = [_best(table, rows[0]) for rows in members]
    else:
        chosen = _covering(table, members)
    wanted = [0] * len(table.filed)
    for rows, column in zip(members, chosen, strict=True):
        for row in rows:
            wanted[row] = column
    return tuple(wanted)


def _best(table: _Table, row: int) -> int:
    """Return the best order of a series; of equals the one that it names."""
    columns = range(len(table.orders))
    return max(columns, key=lambda c: (table.log_odds(row, c), c in table.current[row]))


def _covering(table: _Table, members: Sequence[Sequence[int]]) -> list[int]:
    """Assign groups so that orders have images where the evidence does not forbid it.

    Each order has one place that earns `COVERED`; a group that takes none has the order that fits
    it best. So orders choose groups by what they gain over that, or choose none: exact for the sum,
    and its cost grows with the number of groups only as such.
    """
    best = [_best(table, rows[0]) for rows in members]
    costs = []
    for column in range(len(table.orders)):
        gains = [
            _covered(table, rows, column, own) for rows, own in zip(members, best, strict=True)
        ]
        costs.append([*(-gain for gain in gains), *(0.0 for _ in table.orders)])
    chosen = list(best)
    for column, group in enumerate(least_cost(costs)):
        if group < len(members):
            chosen[group] = column
    return chosen


def _covered(table: _Table, rows: Sequence[int], column: int, best: int) -> float:
    """Return what a group earns as the images of an order, over what it earns alone.

    It earns its evidence once per series, but not endlessly: they are alike.
    """
    first, size = rows[0], 1.0 + log(len(rows))
    alone = size * table.log_odds(first, best) + _habit(table, first)
    return size * table.log_odds(first, column) + COVERED - alone


def _habit(table: _Table, row: int) -> float:
    """Staying is preferred to an equal change."""
    return 0.1 if _best(table, row) in table.current[row] else 0.0


def _moves(table: _Table, wanted: Sequence[int]) -> dict[int, Move]:
    """Return by row what would move; never to an order that the series names already."""
    found = {}
    for row, column in enumerate(wanted):
        if column in table.current[row] or len(table.current[row]) > 1:
            continue
        move = _move(table, row, column)
        if move.gain + move.leaning >= OWN_GAIN_MIN:
            found[row] = move
    return found


def _move(table: _Table, row: int, column: int) -> Move:
    stays = table.stays(row)
    against = Weighed(0.0) if stays is None else table.weighed[row][stays]
    origin = None if stays is None else table.orders[stays]
    uid = table.filed[row].series_instance_uid
    return Move(uid, origin, table.orders[column], against, table.weighed[row][column])


Way: TypeAlias = tuple[OrderKey | None, OrderKey]


def _mistakes(moved: Iterable[Move], table: _Table) -> list[Proposal]:
    """Return the mistakes that the moves amount to, as far as they are probable.

    Images that exchange their orders, two or in a ring, are one mistake, of which each way proves
    the others. A way that only touches on a mistake is one of its own, and must be probable alone.
    """
    ways: dict[Way, list[Move]] = defaultdict(list)
    for move in moved:
        ways[(_name(move.origin), move.target.key)].append(move)
    made = (
        _proposal(_with_followers([move for way in ring for move in ways[way]], table), table)
        for ring in _rings(list(ways))
    )
    return [
        each for each in made if each.probability >= PROBABILITY_MIN and _is_seen(each.moves, table)
    ]


def _is_seen(moves: Sequence[Move], table: _Table) -> bool:
    """Whether a picture proves it, or the images name no order: words alone take nothing away."""
    moving = {move.series_instance_uid for move in moves}
    seen = (table.is_decided(row) for row, each in enumerate(table.filed)
            if each.series_instance_uid in moving)  # fmt: skip
    return any(seen) or all(move.origin is None for move in moves)


def _rings(ways: Sequence[Way]) -> list[list[Way]]:
    """Group the ways that lie on one ring; every other way stands alone."""
    graph: dict[OrderKey | None, set[OrderKey]] = defaultdict(set)
    for origin, target in ways:
        graph[origin].add(target)
    ahead = {key: _reached(graph, key) for way in ways for key in way}
    groups: dict[object, list[Way]] = defaultdict(list)
    for origin, target in ways:
        ring = frozenset(key for key in ahead[target] if target in ahead[key])
        groups[ring if origin in ring else (origin, target)].append((origin, target))
    return list(groups.values())


def _reached(
    graph: Mapping[OrderKey | None, Iterable[OrderKey]], begin: OrderKey | None
) -> frozenset[OrderKey]:
    found: set[OrderKey] = set()
    waiting = [begin]
    while waiting:
        fresh = set(graph.get(waiting.pop(), ())) - found
        found |= fresh
        waiting += fresh
    return frozenset(found)


def _with_followers(moves: Sequence[Move], table: _Table) -> list[Move]:
    """Add images of the same exchange that no model was sure of.

    What was made for one order was made together: it goes along where none of the order's images
    stays, and not against what it shows.
    """
    gone = {move.series_instance_uid for move in moves}
    columns = {order.key: column for column, order in enumerate(table.orders)}
    targets: dict[int, set[int]] = defaultdict(set)
    for move in moves:
        if move.origin is not None:
            targets[columns[move.origin.key]].add(columns[move.target.key])
    found = list(moves)
    for origin, ahead in targets.items():
        left = [
            row for row, named in enumerate(table.current)
            if named == {origin} and table.filed[row].series_instance_uid not in gone
        ]  # fmt: skip
        if len(ahead) > 1 or any(table.is_decided(row) for row in left):
            continue
        following = (_move(table, row, next(iter(ahead))) for row in left)
        found += [each for each in following if each.gain + each.leaning >= OWN_GAIN_MIN]
    return found


def _proposal(moves: Sequence[Move], table: _Table) -> Proposal:
    gain = _gain(moves) + COVERED * _newly_covered(moves, table)
    prior = PRIOR_UNNAMED if all(move.origin is None for move in moves) else PRIOR_WRONG
    return Proposal(_kind(moves, table), tuple(moves), gain, probability(gain, prior))


def _newly_covered(moves: Sequence[Move], table: _Table) -> int:
    """Return how many more orders have images once the series have moved."""
    columns = {order.key: column for column, order in enumerate(table.orders)}
    moved = {move.series_instance_uid: columns[move.target.key] for move in moves}
    before = [table.stays(row) for row in range(len(table.filed))]
    after = [
        moved.get(each.series_instance_uid, stays)
        for each, stays in zip(table.filed, before, strict=True)
    ]
    return len({*after} - {None}) - len({*before} - {None})


def _name(order: Order | None) -> OrderKey | None:
    return None if order is None else order.key


def _gain(moves: Sequence[Move]) -> float:
    """Return what all moves gain; series that moved the same way say the same thing again."""
    ways: dict[tuple[object, object], list[float]] = defaultdict(list)
    for move in moves:
        ways[(_name(move.origin), _name(move.target))].append(move.gain)
    return sum(max(gains) * (1.0 + 0.25 * log(len(gains))) for gains in ways.values())


def probability(gain: float, prior: float = PRIOR_WRONG) -> float:
    """Return how probable a mistake is that would explain so much evidence."""
    return 1.0 / (1.0 + exp(log((1.0 - prior) / prior) - min(gain, _GAIN_MOST)))


def _kind(moves: Sequence[Move], table: _Table) -> Kind:
    origins = {_name(move.origin) for move in moves}
    targets = {_name(move.target) for move in moves}
    if origins & targets and None not in origins:
        return Kind.SWAP
    gone = {move.series_instance_uid for move in moves}
    remains = any(
        move.origin is not None and each.series_instance_uid not in gone
        and any(move.origin.key.means(key) for key in each.keys)
        for move in moves
        for each in table.filed
    )  # fmt: skip
    had_none = all(
        not any(move.target.key.means(key) for key in each.keys)
        for move in moves
        for each in table.filed
    )
    return Kind.SPLIT if had_none and (remains or len(targets) > 1) else Kind.MOVE


def _after(table: _Table, found: Iterable[Proposal]) -> tuple[int | None, ...]:
    """Return the column of each series once the proposals are carried out."""
    columns = {order.key: column for column, order in enumerate(table.orders)}
    moved = {move.series_instance_uid: columns[move.target.key]
             for each in found for move in each.moves}  # fmt: skip
    return tuple(
        moved.get(each.series_instance_uid, table.stays(row))
        for row, each in enumerate(table.filed)
    )


def _shares(table: _Table, after: Sequence[int | None]) -> list[Proposal]:
    """Return orders without images whose parts another order's images show, too.

    One proposal for each order that shares its images, however many it shares them with.
    """
    taken = {*after, *(column for named in table.current for column in named)}
    found: dict[int, list[Move]] = defaultdict(list)
    for column, order in enumerate(table.orders):
        for row, own in enumerate(after):
            if column in taken or own is None or not _shows_both(table, row, own, column):
                continue
            uid, support = table.filed[row].series_instance_uid, table.weighed[row][column]
            found[own].append(Move(uid, table.orders[own], order, Weighed(0.0), support))
    shares = []
    for moves in found.values():
        gain = max(move.gain for move in moves)
        shares.append(Proposal(Kind.SHARE, tuple(moves), gain, probability(gain, PRIOR_UNNAMED)))
    return shares


def _shows_both(table: _Table, row: int, own: int, other: int) -> bool:
    """Whether pixels and words of a series show two orders' parts.

    Pixels alone do not do: each chest shows some abdomen.
    """
    first, second = table.orders[own], table.orders[other]
    alike = (overlap(one.region, two.region) for one in first.regions for two in second.regions)
    if any(share >= FITS_FROM for share in alike):
        return False
    limit = log(SHARED_MIN / (1 - SHARED_MIN))
    for column in (own, other):
        items = table.weighed[row][column].items
        seen = any(each.witness is Witness.PIXELS and each.log_odds >= limit for each in items)
        said = any(each.witness in _WORDS and each.log_odds > 0 for each in items)
        if not (seen and said):
            return False
    return True


def _unmatched(table: _Table, found: Sequence[Proposal], anything_told: object) -> list[Proposal]:
    """Return orders without images and images without order, after all proposals."""
    if not anything_told:
        return []
    told = [column for column, order in enumerate(table.orders) if _is_told(order)]
    moves = [move for each in found for move in each.moves]
    reached = {move.target.key for move in moves}
    named = {column for columns in table.current for column in columns}
    seen = {each.modality for each in table.filed}
    empty = [
        table.orders[column]
        for column in told
        if column not in named
        and table.orders[column].key not in reached
        and (not table.orders[column].modalities or table.orders[column].modalities & seen)
    ]
    moved = {move.series_instance_uid for move in moves}
    stray = [
        each.series_instance_uid
        for each, columns in zip(table.filed, table.current, strict=True)
        if not columns & set(told) and each.series_instance_uid not in moved
    ]
    return [
        *(Proposal(Kind.ORDER_WITHOUT_IMAGES, orders=(order,)) for order in empty),
        *(Proposal(Kind.IMAGES_WITHOUT_ORDER, series_instance_uids=(uid,)) for uid in stray),
    ]
