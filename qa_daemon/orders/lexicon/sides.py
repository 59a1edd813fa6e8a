"""Which side a text gives to each of the parts that it names.

A side is a word (`links`, `dcha`, `LT`) or a letter that means a side in the language of the text
and nothing else where it stands. In doubt there is none: no side is better than a wrong one.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from typing import Final

from attrs import evolve, frozen

from qa_daemon.orders.lexicon.matching import Span
from qa_daemon.orders.lexicon.mentions import Context, Mention
from qa_daemon.orders.lexicon.vocabulary import Kind

_CUTS: Final = {",", "+", "&", "/", ";", "-"}
_JOINTS: Final = {"/", "+", "&", "-"}
_LEVELS: Final = {"s", "c", "t", "th"}
#: Languages in which an L beside a view is the lateral view.
_LATERAL: Final = frozenset({"es", "it", "pt", "fr"})


@frozen
class _Side:
    side: str
    start: int
    stop: int
    gap: str


@frozen
class _Spot:
    """Where a letter stands.

    Attributes
    ----------
    touches
        Whether a part stands beside it.
    is_beside_side
        Whether another side does, or one across an `and`.
    """

    span: Span
    before: Span | None
    after: Span | None
    touches: bool
    is_beside_side: bool


def with_sides(
    named: Sequence[Mention], found: Sequence[Span], seen: Context
) -> tuple[Mention, ...]:
    """Return the mentions with the sides that the text gives them."""
    paired = [mention for mention in named if mention.is_paired]
    if not paired:
        return tuple(evolve(mention, side=None) for mention in named)
    words = [_said(side, span) for span in found if (side := _sure_side(span)) is not None]
    letters = _letters(found, paired, seen)
    told = [*words, *letters] if not words or _are_partners(words, letters) else words
    told = _merged(sorted(told, key=lambda side: side.start), found, paired)
    return tuple(
        evolve(mention, side=_side_of(mention, paired, told, found) if mention.is_paired else None)
        for mention in named
    )


def _said(side: str, span: Span) -> _Side:
    return _Side(side, span.start, span.stop, span.gap)


def _sure_side(span: Span) -> str | None:
    sides = {entry.side for entry in span.entries if entry.kind is Kind.SIDE}
    if len(sides) != 1 or span.has(Kind.REGION, Kind.VIEW):
        return None
    return sides.pop()


def _are_partners(words: Sequence[_Side], letters: Sequence[_Side]) -> bool:
    """Whether a letter goes on what a word began: `dir. e E`."""
    places = {side.stop for side in words} | {side.start for side in words}
    return any(letter.start in places or letter.stop in places for letter in letters)


def _letters(found: Sequence[Span], paired: Sequence[Mention], seen: Context) -> list[_Side]:
    sides = []
    for place, span in enumerate(found):
        options = {entry.side for entry in span.entries
                   if entry.kind is Kind.LETTER and entry.language in seen.languages}  # fmt: skip
        side = options.pop() if len(options) == 1 else None
        if side is None or span.has(Kind.REGION):
            continue
        spot = _spot(found, place, paired)
        if not _belongs_elsewhere(spot) and _reads_as_side(spot, seen):
            sides.append(_said(side, span))
    return sides


def _spot(found: Sequence[Span], place: int, paired: Sequence[Mention]) -> _Spot:
    span = found[place]
    near = [
        next((s for s in side if not s.has(Kind.JOIN)), None)
        for side in (found[place + 1 :], found[:place][::-1])
    ]
    return _Spot(
        span=span,
        before=found[place - 1] if place else None,
        after=_after(found, place),
        touches=any(span.start == part.place[1] or span.stop == part.place[0] for part in paired),
        is_beside_side=any(s is not None and s.has(Kind.SIDE, Kind.LETTER) for s in near),
    )


def _after(found: Sequence[Span], place: int) -> Span | None:
    """Return what follows; of a number of views, `2 inc`, the views."""
    following = found[place + 1 : place + 3]
    if len(following) > 1 and following[0].text.isdigit() and following[0].gap:
        number, views = following
        return views if views.has(Kind.VIEW) else number
    return following[0] if following else None


def _belongs_elsewhere(spot: _Spot) -> bool:
    """Whether a letter is part of L5, 3D, L-spine or l'epaule."""
    before, after = spot.before, spot.after
    if before is not None and (
        _is_level(before)
        or (before.text.isdigit() and (not spot.span.gap or spot.span.text == "d"))
    ):
        return True
    return after is not None and (
        after.gap.startswith("'") or _is_level(after) or (after.text.isdigit() and not after.gap)
    )


def _is_level(span: Span) -> bool:
    return span.has(Kind.SPINE, Kind.LEVEL) or span.text in _LEVELS


def _reads_as_side(spot: _Spot, seen: Context) -> bool:
    letter = spot.span.text
    follows_view = spot.before is not None and spot.before.has(Kind.VIEW)
    if spot.span.has(Kind.JOIN):
        return _is_no_conjunction(spot)
    is_view = spot.span.has(Kind.VIEW) and (not spot.touches or seen.languages <= _LATERAL)
    if is_view or (letter == "dx" and spot.before is None):  # DX: digital X-ray
        return False
    if letter == "l" and follows_view and _begins_part(spot, seen):
        return True
    if letter == "l" and spot.before is not None and spot.before.has(Kind.VIEW, Kind.JOIN):
        return spot.is_beside_side and not follows_view  # not AP/L, PA y L
    is_last = letter == "d" and follows_view and spot.after is None  # no view is called D
    if is_last or spot.touches or spot.is_beside_side or len(letter) > 1:
        return True
    return letter in {"l", "r"} and not seen.languages & _LATERAL


def _begins_part(spot: _Spot, seen: Context) -> bool:
    """Whether the part follows, `LAT L ANKLE`, in a language that calls no view L."""
    follows = spot.after is not None and spot.after.has(Kind.REGION) and spot.after.gap == " "
    return follows and spot.touches and spot.span.gap == " " and not seen.languages & _LATERAL


def _is_no_conjunction(spot: _Spot) -> bool:
    """Whether the Portuguese `e` is left, not `and`: at the end, or before a view or `2 inc`."""
    if spot.before is None or spot.before.has(Kind.VIEW):
        return False
    is_last = spot.after is None or spot.after.has(Kind.VIEW)
    return is_last and (spot.touches or spot.is_beside_side)


def _merged(told: Sequence[_Side], found: Sequence[Span], paired: Sequence[Mention]) -> list[_Side]:
    """Make one of `L/R`, `re + li`, `D e E`."""
    merged: list[_Side] = []
    for side in told:
        last = merged[-1] if merged else None
        if last is not None and last.side != side.side and _are_one(last, side, found, paired):
            merged[-1] = evolve(last, side="B", stop=side.stop)
        else:
            merged.append(side)
    return merged


def _are_one(last: _Side, side: _Side, found: Sequence[Span], paired: Sequence[Mention]) -> bool:
    between = [span for span in found if last.stop <= span.start < side.start]
    if any(not span.has(Kind.JOIN) for span in between):
        return False
    lies_before = any(mention.place[1] <= last.start for mention in paired)
    lies_after = any(mention.place[0] >= side.stop for mention in paired)
    return not (lies_before and lies_after) or bool(between) or side.gap[:1] in _JOINTS


def _side_of(
    mention: Mention, paired: Sequence[Mention], told: Sequence[_Side], found: Sequence[Span]
) -> str | None:
    if not told:
        return mention.side
    if len({side.side for side in told}) == 1:
        return told[0].side if _reaches(mention, told, paired, found) else mention.side
    if len(paired) == 1:
        return "B"
    own = _in_own_part(mention, paired, told, found)
    return own if own is not None else _nearest(mention, paired, told)


def _in_own_part(
    mention: Mention, paired: Sequence[Mention], told: Sequence[_Side], found: Sequence[Span]
) -> str | None:
    """Return the side beside a part where commas or `and` cut the text so that each has its own."""
    taken = {place for side in told for place in range(side.start, side.stop)}
    taken |= {place for each in paired for place in range(*each.place)}
    cuts = [
        span.start
        for span in found
        if (span.has(Kind.JOIN) and span.start not in taken) or span.gap[:1] in _CUTS
    ]
    if not cuts:
        return None
    parts: dict[int, set[str]] = {}
    for side in told:
        parts.setdefault(bisect_right(cuts, side.start), set()).add(side.side)
    homes = {bisect_right(cuts, each.place[0]) for each in paired}
    if set(parts) != homes or any(len(sides) > 1 for sides in parts.values()):
        return None
    return next(iter(parts[bisect_right(cuts, mention.place[0])]))


def _reaches(
    mention: Mention, told: Sequence[_Side], paired: Sequence[Mention], found: Sequence[Span]
) -> bool:
    """Whether the one side of a text is meant for this part, too."""
    if len(told) > 1 or len(paired) == 1:
        return True
    side = told[0]
    starts = [each.place[0] for each in paired]
    if side.start < min(starts) or side.start > max(starts):
        return True
    if mention.place[0] < side.start:
        return True
    between = [s for s in found if side.stop <= s.start <= mention.place[0]]
    return not any(s.has(Kind.JOIN) or s.gap[:1] in {*_JOINTS, ",", ";"} for s in between)


def _nearest(mention: Mention, paired: Sequence[Mention], told: Iterable[_Side]) -> str | None:
    """Return the side that stands as the others do: all before their parts, or all behind."""
    sides = sorted(told, key=lambda side: side.start)
    first = min(each.place[0] for each in paired)
    if sides[0].start < first:
        before = [side for side in sides if side.start < mention.place[0]]
        return before[-1].side
    behind = [side for side in sides if side.start >= mention.place[1]]
    return behind[0].side if behind else mention.side
