"""Whether a side is stated where one is due, and stated once."""

from collections.abc import Callable, Mapping
from typing import Final

from attrs import evolve

from qa_daemon.records.element import Elements, first_text
from qa_daemon.records.finding import Severity
from qa_daemon.records.instance import Instance
from qa_daemon.rules.checks.registry import Options, of_series
from qa_daemon.rules.checks.side.places import (
    KEYWORDS,
    Stated,
    alike,
    is_paired,
    is_unpaired,
    parts_named,
    stated_sides,
)
from qa_daemon.rules.checks.side.texts import OF_ORDER, OF_SERIES, sides_in, texts_in
from qa_daemon.rules.facts import PASSED, Answer, Hit, NotApplicable, SeriesFacts, uids

WORDS: Final[Mapping[str, str]] = {"R": "right", "L": "left", "B": "both", "U": "unpaired"}
_OPPOSITE: Final = frozenset("RL")


def judged_by_group(
    facts: SeriesFacts,
    judge: Callable[[Elements], Hit | NotApplicable | None],
    more: frozenset[str] = frozenset(),
) -> Answer:
    """Judge each distinct set of values once, and gather the instances that were hit alike."""
    hits: dict[str, tuple[Hit, list[Instance]]] = {}
    applied = False
    for group in alike(facts, KEYWORDS | more):
        answer = judge(group[0].elements)
        if isinstance(answer, NotApplicable):
            continue
        applied = True
        if answer is not None:
            hits.setdefault(answer.message, (answer, []))[1].extend(group)
    if not applied:
        return NotApplicable()
    return tuple(
        evolve(hit, sop_instance_uids=uids(concerned, facts.series.instances))
        for hit, concerned in hits.values()
    )


def told(stated: tuple[Stated, ...]) -> Mapping[str, str]:
    """Return place -> side, for the evidence of a finding."""
    return {each.place: each.side for each in stated}


def _where(elements: Elements) -> str:
    """Return the element in which such an object states its side (C.7.3.1, C.8.11.2)."""
    per_image = "ImageLaterality" in elements or first_text(elements, "Modality") in ("DX", "MG")
    return "ImageLaterality" if per_image else "Laterality"


@of_series
def paired_part_has_side(facts: SeriesFacts, _: Options) -> Answer:
    """Check that images of a limb or a breast say which one (PS3.3 C.7.3.1, C.8.11.2)."""

    def judge(elements: Elements) -> Hit | NotApplicable | None:
        paired = [part for part in parts_named(elements) if is_paired(part)]
        if not paired:
            return NotApplicable()
        if any(each.side != "U" for each in stated_sides(elements)):
            return None
        texts = texts_in(elements, (*OF_SERIES, *OF_ORDER))
        sides = sides_in(texts)
        described = f" The descriptions say {WORDS[next(iter(sides))]}." if len(sides) == 1 else ""
        return Hit(
            f"{paired[0].term} is one of a pair, and nothing says which side this is.{described}",
            evidence=dict(texts) if described else {},
            proposed={_where(elements): tuple(sides)} if described else {},
        )

    return judged_by_group(facts, judge, frozenset((*OF_SERIES, *OF_ORDER)))


@of_series
def unpaired_part_has_no_side(facts: SeriesFacts, _: Options) -> Answer:
    """Check that no side is given to a part that has none (PS3.16 Table L-5)."""

    def judge(elements: Elements) -> Hit | NotApplicable | None:
        parts = parts_named(elements)
        if not parts or not all(map(is_unpaired, parts)):
            return NotApplicable()
        wrong = tuple(each for each in stated_sides(elements) if each.side in _OPPOSITE)
        if not wrong:
            return None
        places = " and ".join(dict.fromkeys(each.place for each in wrong))
        side = WORDS[wrong[0].side]
        return Hit(f"{places} says {side}; {parts[0].term} has no sides.", evidence=told(wrong))

    return judged_by_group(facts, judge)


@of_series
def stated_sides_agree(facts: SeriesFacts, _: Options) -> Answer:
    """Check that all coded places of one instance state one side."""

    def judge(elements: Elements) -> Hit | NotApplicable | None:
        stated = stated_sides(elements)
        if len({each.path for each in stated}) < 2:
            return NotApplicable()
        sides = {each.side for each in stated}
        if len(sides) == 1:
            return None
        named = ", ".join(f"{each.place} says {WORDS[each.side]}" for each in stated)
        severity = None if sides >= _OPPOSITE else Severity.MINOR
        return Hit(f"{named}.", evidence=told(stated), severity=severity)

    return judged_by_group(facts, judge)


@of_series
def series_of_one_side(facts: SeriesFacts, _: Options) -> Answer:
    """Check that a series does not hold images of the left and of the right."""
    sides: dict[str, list[Instance]] = {}
    for group in alike(facts, KEYWORDS):
        for side in {each.side for each in stated_sides(group[0].elements)} & _OPPOSITE:
            sides.setdefault(side, []).extend(group)
    if not sides:
        return NotApplicable()
    if len(sides) == 1:
        return PASSED
    fewer = min(sides.values(), key=len)
    counts = " and ".join(f"{len(sides[side])} of the {WORDS[side]}" for side in sorted(sides))
    return (
        Hit(
            f"The series holds {counts} side; viewers hang a series as one.",
            uids(fewer, facts.series.instances),
        ),
    )


@of_series
def empty_side_is_of_paired_part(facts: SeriesFacts, _: Options) -> Answer:
    """Check that a part without sides does not have an empty Laterality (type 2C, C.7.3.1)."""

    def judge(elements: Elements) -> Hit | NotApplicable | None:
        parts = parts_named(elements)
        if not parts:
            return NotApplicable()
        return Hit() if all(map(is_unpaired, parts)) else None

    return judged_by_group(facts, judge)
