"""The words that conditions are made of, each a function from what is seen to yes, no or unknown.

A new need is a new row of `OPERATORS`, with tests; nothing in YAML is ever run as code.
"""

import re
from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

from attrs import frozen

from qa_daemon.dicom.regions import regions_of
from qa_daemon.records.instance import Instance
from qa_daemon.records.prediction import Prediction
from qa_daemon.rules.facts import NotEvaluated, SeriesFacts, decided, texts_of, values_of
from qa_daemon.rules.schema import FactTest, Operand

#: `tag.ImageType[3]`: the third value; `tag.Modality`: all values; how many instances and groups
#: of slices of one orientation there are.
FACT: Final = re.compile(
    r"tag\.([A-Za-z0-9]+)(?:\[([1-9][0-9]?)\])?|series\.(?:instances|orientations)|irregularities"
)

# A region of the tag that the model gives at least this much is not called absent: neighbours at
# the rim of the field (liver dome under LUNG) get 0.06 to 0.5, wrong regions 0.02 and less.
REGION_PRESENT_FROM: Final = 0.05


@frozen
class Look:
    """What a condition is evaluated over: a series, or one of its instances."""

    facts: SeriesFacts
    instance: Instance | None = None

    def values(self, fact: str) -> tuple[str, ...] | None:
        """Return the values of a fact as texts; None where there is no such element."""
        if fact == "series.instances":
            return (str(len(self.facts.series.instances)),)
        if fact == "series.orientations":
            return (str(self.facts.stack.orientation_count),)
        match = FACT.fullmatch(fact)
        assert match, f"the loader let an unknown fact pass: {fact}"
        keyword, index = match.groups()
        found = self._of_tag(keyword)
        if index is None or found is None:
            return found
        return found[int(index) - 1 : int(index)]

    def _of_tag(self, keyword: str) -> tuple[str, ...] | None:
        if self.instance is not None:
            return values_of(self.instance, keyword)
        if keyword == "SOPClassUID" and self.facts.series.instances:
            return values_of(self.facts.series.instances[0], keyword)
        element = self.facts.tag(keyword)
        return None if element is None else texts_of(element)


Answered: TypeAlias = bool | NotEvaluated


def _present(look: Look, test: FactTest) -> Answered:
    return (look.values(test.fact) is not None) is test.operand


def _filled(look: Look, test: FactTest) -> Answered:
    return any(look.values(test.fact) or ()) is test.operand


def _equals(look: Look, test: FactTest) -> Answered:
    return look.values(test.fact) == (str(test.operand),)


def _in(look: Look, test: FactTest) -> Answered:
    assert isinstance(test.operand, tuple)
    values, allowed = look.values(test.fact), {str(value) for value in test.operand}
    return bool(values) and allowed.issuperset(values or ())


def _contains(look: Look, test: FactTest) -> Answered:
    return str(test.operand) in (look.values(test.fact) or ())


def _at_least(look: Look, test: FactTest) -> Answered:
    assert isinstance(test.operand, int | float)
    values = look.values(test.fact)
    try:
        return bool(values) and float((values or ("",))[0]) >= test.operand
    except ValueError:
        return NotEvaluated(f"{test.fact} is no number")


def _overlaps_region(look: Look, test: FactTest) -> Answered:
    """Whether the body part named shares a region with what the pixels show (PS3.16 Annex L)."""
    assert isinstance(test.operand, Mapping)
    seen = decided(look.facts.inference.of(str(test.operand["prediction"])), "")
    if not isinstance(seen, Prediction):
        return NotEvaluated(str(seen))
    terms = look.values(test.fact) or ()
    named = frozenset[str]().union(*(regions_of(term) for term in terms))
    if not named:
        return NotEvaluated("the body part is no term with a known region")
    # A series is called after what much of it shows: the rim of a region is not enough.
    shares = seen.widespread or seen.probabilities
    return any(shares.get(name, 0.0) >= REGION_PRESENT_FROM for name in named)


@frozen
class Operator:
    """One word: what it does, and what may stand to its right."""

    apply: Callable[[Look, FactTest], Answered]
    takes: str
    accepts: Callable[[Operand], bool]


def _is_flag(operand: Operand) -> bool:
    return isinstance(operand, bool)


def _is_scalar(operand: Operand) -> bool:
    return isinstance(operand, str | int | float) and not isinstance(operand, bool)


def _is_number(operand: Operand) -> bool:
    return isinstance(operand, int | float) and not isinstance(operand, bool)


def _is_list(operand: Operand) -> bool:
    return isinstance(operand, tuple) and bool(operand) and all(map(_is_scalar, operand))


def _is_prediction(operand: Operand) -> bool:
    return isinstance(operand, Mapping) and set(operand) == {"prediction"}


OPERATORS: Final[Mapping[str, Operator]] = {
    "present": Operator(_present, "true or false", _is_flag),
    "filled": Operator(_filled, "true or false", _is_flag),
    "equals": Operator(_equals, "one value", _is_scalar),
    "in": Operator(_in, "a list of values", _is_list),
    "contains": Operator(_contains, "one value", _is_scalar),
    "at_least": Operator(_at_least, "a number", _is_number),
    "overlaps_region": Operator(_overlaps_region, "{prediction: TARGET}", _is_prediction),
}

#: Words that yield hits instead of yes or no; they stand alone as `check`.
FREE_OF: Final = "free_of"
