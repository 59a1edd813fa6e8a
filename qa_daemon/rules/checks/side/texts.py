"""Descriptions, and the parts and sides that they name."""

from collections.abc import Iterable, Mapping
from typing import Final

from qa_daemon.orders.lexicon.read import regions_named
from qa_daemon.records.element import Elements, first_text
from qa_daemon.records.order import NamedRegion

#: What the technologist chose for these images.
OF_SERIES: Final = ("SeriesDescription", "ProtocolName", "PerformedProcedureStepDescription")
#: What was ordered; some of it may not have been done yet, or stands in another series.
OF_ORDER: Final = ("RequestedProcedureDescription", "StudyDescription", "ReasonForStudy")

#: From here on the lexicon gives one reading rather than several.
SURE_FROM: Final = 0.9
#: Readings below this are guesses among several, and deny nothing.
_POSSIBLE_FROM: Final = 0.3
_BOTH: Final = frozenset("LR")


def texts_in(elements: Elements, keywords: Iterable[str]) -> Mapping[str, str]:
    """Return keyword -> text, for those that are filled."""
    found = {keyword: first_text(elements, keyword) for keyword in keywords}
    return {keyword: text for keyword, text in found.items() if text}


def named_in(texts: Mapping[str, str]) -> tuple[NamedRegion, ...]:
    """Return everything that the texts may name."""
    return tuple(
        named
        for text in dict.fromkeys(texts.values())
        for named in regions_named(text)
        if named.weight >= _POSSIBLE_FROM
    )


def sides_in(texts: Mapping[str, str]) -> frozenset[str]:
    """Return the sides that the texts name: L, R, both, or none."""
    sides = {named.side for named in named_in(texts)} - {None}
    return frozenset(_BOTH if "B" in sides else (side for side in sides if side))


def parts_in(texts: Mapping[str, str]) -> frozenset[str]:
    """Return the terms that the texts may name; none unless one of them is sure."""
    named = named_in(texts)
    if not any(each.weight >= SURE_FROM for each in named):
        return frozenset()
    return frozenset(each.region for each in named)
