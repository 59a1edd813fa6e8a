"""Conditions as they are written, read strictly: faults with their place and the nearest word."""

from collections.abc import Collection, Mapping, Sequence
from typing import Final

from attrs import evolve, frozen

from qa_daemon.dicom.encoding.dictionary import tag_of, vr_of
from qa_daemon.records.finding import Level
from qa_daemon.records.prediction import TARGETS
from qa_daemon.rules.checks.registry import SERIES_CHECKS, STUDY_CHECKS
from qa_daemon.rules.looks.look import FRAMES, INSTANCES, SERIES
from qa_daemon.rules.looks.names import FactName, Kind, UnknownFactError, fact_name
from qa_daemon.rules.operators import FREE_OF, OPERATORS
from qa_daemon.rules.reading.source import At, Raw, Reader, frozen_values, nearest
from qa_daemon.rules.schema import (
    AllOf,
    AnyOf,
    Condition,
    FactTest,
    Not,
    Operand,
    Quantified,
    Registered,
)

#: Quantities without a number, and those with one.
QUANTITIES: Final = ("every", "some", "none")
COUNTED: Final = ("at_least", "at_most")
OVER: Final = (INSTANCES, FRAMES, SERIES)

#: Facts that a look at several series does not have.
_OF_ONE_SERIES: Final = frozenset({Kind.SERIES, Kind.PREDICTION})


#: Words that compare instances; of one alone they would ask the same again and again.
_OF_MANY: Final = frozenset({"same_in", "unique_in"})


_MOST_USED: Final = (
    "those most used are filled, present, equals, in, matches, at_least, at_most; docs/rules.md "
    "has all of them"
)


@frozen
class Place:
    """Where in a rule a condition stands: what it may look at there.

    Attributes
    ----------
    items
        How many sequences it stands below; `item.X` needs one.
    is_single
        One instance is in view: below `every: instances`, or in a rule of level instance.
    is_below_series
        One series of a study is in view: below `every: series`.
    """

    level: Level
    items: int = 0
    is_single: bool = False
    is_below_series: bool = False

    @property
    def is_study(self) -> bool:
        """Whether several series are in view."""
        return self.level in {Level.STUDY, Level.VISIT} and not self.is_below_series


def read_check(reader: Reader, raw: Raw, level: Level) -> Condition:
    """Return the `check` of a rule."""
    at = ("check",)
    if isinstance(raw, dict) and FREE_OF in raw:
        kinds = raw[FREE_OF]
        is_right = raw.get("fact") == "irregularities" and isinstance(kinds, list) and bool(kinds)
        if not (reader.keys(raw, at, {"fact", FREE_OF}) and is_right):
            reader.fault(at, f"write {{fact: irregularities, {FREE_OF}: [KIND, ...]}}")
        return FactTest("irregularities", FREE_OF, frozen_values(kinds))
    return read_condition(reader, raw, at, place_of(level))


def place_of(level: Level) -> Place:
    """Return what the conditions of a rule look at."""
    return Place(level, is_single=level is Level.INSTANCE)


def read_condition(reader: Reader, raw: Raw, at: At, place: Place) -> Condition:
    """Return a condition of a rule."""
    match raw:
        case {"all": list(parts), **rest} if not rest:
            return AllOf(_conditions(reader, parts, (*at, "all"), place))
        case {"any": list(parts), **rest} if not rest:
            return AnyOf(_conditions(reader, parts, (*at, "any"), place))
        case {"not": inner, **rest} if not rest:
            return Not(read_condition(reader, inner, (*at, "not"), place))
        case dict():
            for key, read in (
                ("registered", _registered),
                ("fact", _test),
                ("is", _quantified),
            ):
                if key in raw:
                    return read(reader, raw, at, place)
        case _:
            pass
    reader.fault(
        at,
        "a condition is {fact: ..., OPERATOR: ...}, all, any, not, registered, or "
        "{every: OVER, is: ...} with every, some, none, at_least or at_most; several stand in a "
        "list below all: or any:",
    )
    return AllOf(())


def _conditions(
    reader: Reader, parts: Sequence[Raw], at: At, place: Place
) -> tuple[Condition, ...]:
    if not parts:
        reader.fault(at, f"'{at[-1]}' of nothing; list at least one condition")
    return tuple(
        read_condition(reader, part, (*at, index), place) for index, part in enumerate(parts)
    )


def _registered(reader: Reader, raw: Mapping[str, Raw], at: At, place: Place) -> Condition:
    name = str(raw["registered"])
    known: Collection[str] = STUDY_CHECKS if place.is_study else SERIES_CHECKS
    if name not in known:
        reader.fault((*at, "registered"), f"unknown check '{name}'{nearest(name, known)}")
    if place.is_study and at != ("check",):
        reader.fault(at, "a registered check of a study stands alone as check")
    return Registered(name, {str(k): frozen_values(v) for k, v in raw.items() if k != "registered"})


# --- one fact and one word -----------------------------------------------------------------------


def _test(reader: Reader, raw: Mapping[str, Raw], at: At, place: Place) -> Condition:
    fact, words = str(raw["fact"]), [key for key in raw if key != "fact"]
    check_fact(reader, fact, (*at, "fact"), place)
    if len(words) != 1:
        reader.fault(at, "exactly one operator belongs to a fact")
        return AllOf(())
    name = words[0]
    if name not in OPERATORS:
        hint = nearest(str(name), OPERATORS) or f"; {_MOST_USED}"
        reader.fault((*at, name), f"unknown operator '{name}'{hint}")
        return AllOf(())
    operand = frozen_values(raw[name])
    if name in _OF_MANY and place.is_single:
        reader.fault((*at, name), f"'{name}' asks about many instances; make it level series")
    if not OPERATORS[name].accepts(operand):
        reader.fault((*at, name), f"'{name}' takes {OPERATORS[name].takes.words}")
    elif isinstance(operand, Mapping):
        _check_operand(reader, operand, (*at, name), place)
    return FactTest(fact, name, operand)


def _check_operand(reader: Reader, operand: Mapping[str, Operand], at: At, place: Place) -> None:
    if "prediction" in operand:
        check_target(reader, operand["prediction"], at)
    if isinstance(operand.get("fact"), str):
        check_fact(reader, str(operand["fact"]), (*at, "fact"), place)


def check_fact(reader: Reader, fact: str, at: At, place: Place) -> FactName | None:
    """Return the fact of a name; None, with the fault noted, if nothing can be seen under it."""
    try:
        name = fact_name(fact)
    except UnknownFactError as error:
        reader.fault(at, str(error))
        return None
    if name.kind is Kind.ITEM and not place.items:
        reader.fault(
            at, f"'{fact}' has no item to look at; it stands below {{every: tag.SEQUENCE}}"
        )
        return None
    if name.kind in _OF_ONE_SERIES and place.is_study:
        reader.fault(at, f"'{fact}' is a fact of one series; this rule looks at a {place.level}")
        return None
    return name


def check_target(reader: Reader, target: object, at: At) -> None:
    """Refuse a misspelt target: it is never predicted, and its rule would be silent for good."""
    if not isinstance(target, str) or target not in TARGETS:
        reader.fault(at, f"unknown prediction '{target}'{nearest(str(target), TARGETS)}")


# --- every, some, none ---------------------------------------------------------------------------


def _quantified(reader: Reader, raw: Mapping[str, Raw], at: At, place: Place) -> Condition:
    quantities = [key for key in (*QUANTITIES, *COUNTED) if key in raw]
    if len(quantities) != 1:
        reader.fault(at, f"exactly one of {', '.join((*QUANTITIES, *COUNTED))} belongs to 'is'")
        return AllOf(())
    quantity = quantities[0]
    keys = {quantity, "is", "where"} | ({"of"} if quantity in COUNTED else set())
    if not reader.keys(raw, at, keys):
        return AllOf(())
    over = str(raw.get("of") if quantity in COUNTED else raw[quantity])
    inner = _below(reader, over, (*at, "of" if quantity in COUNTED else quantity), place)
    number = raw[quantity] if quantity in COUNTED else 0
    if not isinstance(number, int) or isinstance(number, bool) or number < 0:
        reader.fault((*at, quantity), f"'{quantity}' takes a whole number here, and `of: OVER`")
        number = 0
    return Quantified(
        quantity,
        over,
        read_condition(reader, raw["is"], (*at, "is"), inner),
        read_condition(reader, raw["where"], (*at, "where"), inner) if "where" in raw else None,
        number,
    )


def _below(reader: Reader, over: str, at: At, place: Place) -> Place:
    """Return what may be looked at below, and note what cannot be gone over here."""
    if over in OVER:
        if over == SERIES and not place.is_study:
            reader.fault(at, "the series of a study are gone over in rules of level study")
        if over == INSTANCES and place.is_single:
            reader.fault(at, "one instance is in view here; make the rule of level series")
        if over == SERIES:
            return evolve(place, is_below_series=True)
        return evolve(place, is_single=True)
    name = check_fact(reader, over, at, place)
    if name is not None and (
        name.kind not in {Kind.TAG, Kind.ITEM} or not is_sequence(name.steps[-1].keyword)
    ):
        reader.fault(at, f"'{over}' is no sequence; use {', '.join(OVER)} or tag.SEQUENCE")
    return evolve(place, items=place.items + 1)


def is_sequence(keyword: str) -> bool:
    """Whether the element holds items."""
    tag = tag_of(keyword)
    return tag is not None and vr_of(tag) == "SQ"
