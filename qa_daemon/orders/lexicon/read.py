"""Body regions and sides that a text or a code names."""

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Final

from qa_daemon.dicom.regions import body_parts
from qa_daemon.orders.lexicon.matching import spans
from qa_daemon.orders.lexicon.mentions import Mention, context, mentions, settled
from qa_daemon.orders.lexicon.sides import with_sides
from qa_daemon.orders.lexicon.tokens import tokens
from qa_daemon.orders.lexicon.vocabulary import canonical
from qa_daemon.records.order import NamedRegion

__all__ = ["NamedRegion", "regions_named", "regions_of_snomed"]

#: Descriptions repeat from series to series.
_TEXT_CACHE: Final = 4096
_DIGITS: Final = 3
#: What follows is history: a side there, `Knie li. Z.n. TEP re.`, is not the side of the picture.
_PAST: Final = re.compile(
    r"\b(z\.? ?n\.|zustand nach|s/p|status (post|na)|post[ -]?op|h/o|hx|history of|previous|prior"
    r"|atcd|ant[eé]c[eé]dents?|antecedentes?|esiti|pregress[ao])(?!\w)",
    re.IGNORECASE,
)


@lru_cache(maxsize=_TEXT_CACHE)
def regions_named(text: str) -> tuple[NamedRegion, ...]:
    """Return what a description names, the surest first; `()` if nothing is known."""
    whole = _read(text)
    past = _PAST.search(text)
    if past is None:
        return whole
    today = {named.region: named for named in _read(text[: past.start()]) if named.side is not None}
    return tuple(today.get(named.region, named) for named in whole)


def _read(text: str) -> tuple[NamedRegion, ...]:
    found = spans(tokens(text))
    seen = context(found)
    found = settled(found, seen)
    named = with_sides(mentions(found, seen), found, seen)
    return _once([*_coded(text), *named])


def _coded(text: str) -> list[Mention]:
    return [
        Mention(region, 1.0, (0, 0))
        for token in tokens(text)
        for region in regions_of_snomed(token.plain)
    ]


def regions_of_snomed(code: str) -> tuple[str, ...]:
    """Return the atomic terms of a SNOMED CT code of PS3.16 Annex L, `()` if it has none."""
    term = _terms_by_code().get(code)
    return () if term is None else canonical()[term]


@lru_cache(maxsize=1)
def _terms_by_code() -> dict[str, str]:
    # Editions before 2020 had other codes for three of the terms.
    terms = {"43799004": "CHEST"}
    for part in body_parts().values():
        terms.setdefault(part.code, part.term)
    return terms


def _once(named: Iterable[Mention]) -> tuple[NamedRegion, ...]:
    """Join the mentions of one part; left here and right there is both."""
    weights: dict[str, float] = {}
    sides: dict[str, set[str]] = {}
    for mention in named:
        weights[mention.region] = max(weights.get(mention.region, 0.0), mention.weight)
        sides.setdefault(mention.region, set()).update({mention.side} - {None})  # type: ignore[arg-type]
    order = sorted(weights, key=lambda region: -weights[region])
    return tuple(
        NamedRegion(region, _one(sides[region]), round(weights[region], _DIGITS))
        for region in order
    )


def _one(sides: set[str]) -> str | None:
    if len(sides) > 1:
        return "B"
    return next(iter(sides), None)
