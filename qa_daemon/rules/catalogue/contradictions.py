"""Conditions that nothing can meet, found without a look at any image."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from qa_daemon.rules.schema import AllOf, Condition, FactTest, Not, Operand, Rule

#: Words that only a value can answer with yes.
_WANT_A_VALUE: Final = frozenset(
    {"equals", "in", "contains", "overlaps", "matches", "starts_with", "ends_with", "has_word"}
    | {"has_text", "length", "at_least", "at_most", "above", "below", "near", "is_term_of"}
    | {"before", "after", "not_before", "not_after", "part_of", "in_table"}
)


def contradictions(rule: Rule) -> Iterator[str]:
    """Yield what can never be: a rule that never applies, never fires, or always does."""
    applies = [] if rule.applies_when is None else list(_demands(rule.applies_when))
    impossible = _impossible(applies)
    if impossible:
        yield f"it never applies: {impossible}"
        return
    check = list(_demands(rule.check))
    impossible = _impossible(check)
    if impossible:
        yield f"its check never passes: {impossible}"
    elif impossible := _impossible([*applies, *check]):
        yield f"it fires whenever it applies: {impossible}"
    if check and all(demand in applies for demand in check):
        yield "it never fires: applies_when asks for all that the check does"


def _demands(condition: Condition) -> Iterator[FactTest]:
    """Yield the tests that all must hold; of `any` and the like nothing is sure."""
    match condition:
        case FactTest():
            yield condition
        case AllOf(conditions):
            for each in conditions:
                yield from _demands(each)
        case Not(FactTest(fact, operator, bool(operand))) if operator in {"present", "filled"}:
            yield FactTest(fact, operator, operand=not operand)
        case Not(FactTest(fact, "equals", operand)):
            yield FactTest(fact, "not_equals", operand)
        case Not(FactTest(fact, "in", operand)):
            yield FactTest(fact, "not_in", operand)
        case _:
            return


def _impossible(demands: Sequence[FactTest]) -> str:
    """Return what two demands contradict each other in, "" if none do."""
    by_fact: dict[str, list[FactTest]] = defaultdict(list)
    for demand in demands:
        by_fact[demand.fact].append(demand)
    for fact, tests in by_fact.items():
        said = _absent_and_present(tests) or _no_value_left(tests) or _no_number_left(tests)
        if said:
            return f"{fact} {said}"
    return ""


def _absent_and_present(tests: Sequence[FactTest]) -> str:
    words = {(test.operator, test.operand is True) for test in tests}
    wants = {test.operator for test in tests} & _WANT_A_VALUE
    is_empty = ("filled", False) in words or ("present", False) in words
    if is_empty and wants:
        return f"cannot be without a value and answer '{min(wants)}'"
    if is_empty and ("filled", True) in words:
        return "cannot be filled and not"
    if ("present", False) in words and ("present", True) in words:
        return "cannot be present and not"
    return ""


def _no_value_left(tests: Sequence[FactTest]) -> str:
    """Return that no value is in all lists and in none of the forbidden ones."""
    allowed: set[str] | None = None
    forbidden = set[str]()
    for test in tests:
        values = _values(test.operand)
        if values is None:
            continue
        if test.operator in {"equals", "in"}:
            allowed = values if allowed is None else allowed & values
        elif test.operator in {"not_equals", "not_in"}:
            forbidden |= values
    if allowed is not None and not allowed - forbidden:
        return "has no value that all conditions allow"
    return ""


def _values(operand: Operand) -> set[str] | None:
    match operand:
        case str() | int() | float():
            return {str(operand)}
        case tuple():
            return set(map(str, operand))
        case _:
            return None


def _no_number_left(tests: Sequence[FactTest]) -> str:
    bounds: Mapping[str, list[float]] = defaultdict(list)
    for test in tests:
        if isinstance(test.operand, int | float) and not isinstance(test.operand, bool):
            bounds[test.operator].append(float(test.operand))
    low = max([*bounds["at_least"], *bounds["above"]], default=None)
    high = min([*bounds["at_most"], *bounds["below"]], default=None)
    if low is None or high is None:
        return ""
    is_open = low in bounds["above"] or high in bounds["below"]
    return (
        "has no number that all conditions allow" if low > high or (low == high and is_open) else ""
    )
