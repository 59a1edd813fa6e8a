"""One side for all places that state one: a suggestion per side, the better supported first."""

from collections import Counter
from collections.abc import Sequence
from typing import Final

from qa_daemon.dicom.coding.concepts import SIDE_CODES
from qa_daemon.records.element import first_text
from qa_daemon.records.finding import Change, Suggestion
from qa_daemon.rules.checks.side.places import KEYWORDS, Stated, alike, stated_sides
from qa_daemon.rules.facts import SeriesFacts
from qa_daemon.suggest.values import removing, replacing, writing

#: What General Series can say: there is no word for both, and none for unpaired (C.7.3.1).
_OF_A_SERIES: Final = frozenset("RL")


def side_suggestions(facts: SeriesFacts) -> tuple[Suggestion, ...]:
    """Return what makes all coded places say one side, for each side that one of them says.

    Nothing where the images of a series state different sides: each may be right for itself.
    """
    groups = alike(facts, KEYWORDS)
    if len(groups) != 1:
        return ()
    stated = stated_sides(groups[0][0].elements)
    votes = Counter(each.side for each in stated if each.side != "U")
    likeliest = sorted(votes, key=lambda side: (-votes[side], side))
    suggestions = [
        Suggestion(changes) for side in likeliest if (changes := _changes(facts, side, stated))
    ]
    return tuple(suggestions)


def _changes(facts: SeriesFacts, side: str, stated: Sequence[Stated]) -> tuple[Change, ...]:
    if side not in _OF_A_SERIES and any(each.path == "Laterality" for each in stated):
        return ()
    changes: dict[tuple[str, str | None], Change] = {}
    for each in stated:
        for path, value in _written(each, side):
            for change in writing(facts.series, path, (value,)):
                changes.setdefault((change.path, change.sop_instance_uid), change)
    return tuple(changes.values())


def _written(stated: Stated, side: str) -> tuple[tuple[str, str], ...]:
    """Return path -> value of the elements that would say the side in this place."""
    if not stated.path.endswith("]"):
        return ((stated.path, side),)
    value, meaning = SIDE_CODES[side]
    return (
        (f"{stated.path}.CodeValue", value),
        (f"{stated.path}.CodingSchemeDesignator", "SCT"),
        (f"{stated.path}.CodeMeaning", meaning),
    )


def per_image_suggestions(facts: SeriesFacts) -> tuple[Suggestion, ...]:
    """Return what moves the side from the series to its images, where they differ in it.

    Laterality "shall not be present" where the images of a series differ (C.7.3.1); Image
    Laterality may be.
    """
    sides = {
        each.sop_instance_uid: side
        for each in facts.series.instances
        if (side := first_text(each.elements, "Laterality").upper()) in _OF_A_SERIES
    }
    if len(set(sides.values())) < 2:
        return ()
    added = tuple(
        change
        for uid, side in sides.items()
        for change in replacing(facts.series, "ImageLaterality", (side,), only=uid)
        if change.current in (None, ())
    )
    return (Suggestion((*removing(facts.series, "Laterality"), *added)),)
