"""The side in descriptions, in tags, and in the picture."""

from collections.abc import Mapping, Sequence
from typing import Final

from qa_daemon.records.element import Elements
from qa_daemon.records.prediction import Prediction
from qa_daemon.rules.checks.registry import Options, of_series
from qa_daemon.rules.checks.side.laterality import WORDS, judged_by_group
from qa_daemon.rules.checks.side.places import Stated, stated_sides
from qa_daemon.rules.checks.side.texts import OF_ORDER, OF_SERIES, sides_in, texts_in
from qa_daemon.rules.facts import (
    PASSED,
    Answer,
    Hit,
    NotApplicable,
    NotEvaluated,
    SeriesFacts,
    decided,
)

_TEXTS: Final[Mapping[str, Sequence[str]]] = {"series": OF_SERIES, "order": OF_ORDER}
_ONE: Final = frozenset("LR")
_ELEMENTS: Final = frozenset({"Laterality", "ImageLaterality"})


def _of(options: Options) -> Sequence[str]:
    return _TEXTS[str(options.get("texts", "series"))]


def _proposed(stated: Sequence[Stated], side: str) -> Mapping[str, tuple[str, ...]]:
    """Return the side for each element that says another; nothing where a code says it, too."""
    if not all(each.path in _ELEMENTS for each in stated):
        return {}
    return {each.path: (side,) for each in stated if each.side != side}


@of_series
def side_agrees_with_words(facts: SeriesFacts, options: Options) -> Answer:
    """Check that the side in the tags is the one in the descriptions.

    Options: `texts: series` (what was chosen for the images) or `texts: order`.
    """

    def judge(elements: Elements) -> Hit | NotApplicable | None:
        texts = texts_in(elements, _of(options))
        stated, described = stated_sides(elements), sides_in(texts)
        sides = {each.side for each in stated} & _ONE
        if len(sides) != 1 or len(described) != 1:
            return NotApplicable()
        if sides == described:
            return None
        side = next(iter(described))
        places = " and ".join(dict.fromkeys(e.place for e in stated if e.side in sides))
        words = " and ".join(keyword for keyword in texts if sides_in({"": texts[keyword]}))
        return Hit(
            f"{places} says {WORDS[sides.pop()]}; {words} says {WORDS[side]}.",
            evidence={**{each.place: each.side for each in stated}, **texts},
            proposed=_proposed(stated, side),
        )

    return judged_by_group(facts, judge, frozenset(_of(options)))


@of_series
def words_agree_on_side(facts: SeriesFacts, _: Options) -> Answer:
    """Check that what was ordered and what was chosen for the images name one side."""

    def judge(elements: Elements) -> Hit | NotApplicable | None:
        chosen, ordered = (texts_in(elements, keywords) for keywords in (OF_SERIES, OF_ORDER))
        ours, theirs = sides_in(chosen), sides_in(ordered)
        if len(ours) != 1 or len(theirs) != 1:
            return NotApplicable()
        if ours == theirs:
            return None
        here, there = (WORDS[next(iter(each))] for each in (ours, theirs))
        return Hit(
            f"The descriptions of the series say {here}, those of the study {there}.",
            evidence={**chosen, **ordered},
        )

    return judged_by_group(facts, judge, frozenset((*OF_SERIES, *OF_ORDER)))


@of_series
def side_agrees_with_picture(facts: SeriesFacts, options: Options) -> Answer:
    """Check that the side that the tags state is the one that the picture shows.

    Options: `target`, side_marker or laterality.
    """
    target = str(options.get("target", "side_marker"))
    seen = decided(facts.inference.of(target), "")
    if not isinstance(seen, Prediction) or seen.label not in _ONE:
        return NotEvaluated(f"{target}: {seen if isinstance(seen, str) else 'neither L nor R'}")

    def judge(elements: Elements) -> Hit | NotApplicable | None:
        sides = {each.side for each in stated_sides(elements)} & _ONE
        if len(sides) != 1:
            return NotApplicable()
        if seen.label in sides:
            return None
        what = "the marker in the picture" if target == "side_marker" else "the picture"
        side = str(seen.label)
        return Hit(
            f"The tags say {WORDS[sides.pop()]}; {what} says {WORDS[side]}.",
            proposed=_proposed(stated_sides(elements), side),
        )

    return judged_by_group(facts, judge)


@of_series
def marker_not_mirrored(facts: SeriesFacts, _: Options) -> Answer:
    """Check that the letter of a side marker can be read as it is written."""
    seen = decided(facts.inference.of("side_marker"), "")
    if not isinstance(seen, Prediction):
        return NotEvaluated(f"side_marker: {seen}")
    if seen.mirrored is None:
        return NotApplicable()
    return (Hit(),) if seen.mirrored else PASSED
