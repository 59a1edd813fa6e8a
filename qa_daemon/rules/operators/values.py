"""Whether there is a value, which one, and how many."""

from collections.abc import Iterable, Mapping

from qa_daemon.rules.facts import NotEvaluated
from qa_daemon.rules.looks.paths import Values
from qa_daemon.rules.operators.numbers import number, reckoned
from qa_daemon.rules.operators.table import (
    COUNT,
    FLAG,
    LIST,
    SCALAR,
    VALUE,
    VALUES,
    Answered,
    Asked,
    Takes,
    is_list,
    is_number,
    within,
    word,
)
from qa_daemon.rules.schema import Operand


@word("present", FLAG, "whether the element is there, empty or not", "present: true")
def present(asked: Asked) -> Answered:
    """Whether there is such an element."""
    return (asked.values is not None) is asked.test.operand


@word("filled", FLAG, "whether there is a value that is not empty", "filled: true")
def filled(asked: Asked) -> Answered:
    """Whether there is a value."""
    return bool(asked.filled) is asked.test.operand


def is_value(text: str, wanted: Operand) -> bool:
    """Whether a received text is this value; numbers are compared as numbers."""
    if text == str(wanted):
        return True
    return is_number(wanted) and number(text) == wanted


def _are_values(values: Values, wanted: Iterable[Operand]) -> bool:
    listed = tuple(wanted)
    return len(values) == len(listed) and all(map(is_value, values, listed))


@word(
    "equals",
    VALUE,
    "whether this is the value, or these are all values in their order",
    "equals: CT",
)
def equals(asked: Asked) -> Answered:
    """Whether the values are these and no others."""
    operand = asked.test.operand
    if isinstance(operand, Mapping):
        return _equals_fact(asked)
    wanted = operand if isinstance(operand, tuple) else (operand,)
    return _are_values(asked.values or (), wanted)


def _equals_fact(asked: Asked) -> Answered:
    other = asked.other()
    if isinstance(other, NotEvaluated):
        return other
    if not other:
        return NotEvaluated(f"{_other(asked)} has no value")
    if not asked.filled:
        return False
    if asked.filled == other and not is_reckoned(asked.test.operand):
        return True
    theirs, ours = reckoned(asked), [number(value) for value in asked.filled]
    if isinstance(theirs, NotEvaluated):
        return theirs if is_reckoned(asked.test.operand) else False
    return ours == list(theirs)


def is_reckoned(operand: Operand) -> bool:
    """Whether the operand reckons with the other fact, so that only numbers can be meant."""
    return isinstance(operand, Mapping) and bool({"plus", "times"} & set(operand))


def _other(asked: Asked) -> str:
    assert isinstance(asked.test.operand, Mapping)
    return str(asked.test.operand["fact"])


@word("not_equals", VALUE, "the opposite of equals", "not_equals: CT")
def not_equals(asked: Asked) -> Answered:
    """Whether the values are not these."""
    answer = equals(asked)
    return answer if isinstance(answer, NotEvaluated) else not answer


def _allowed(asked: Asked) -> tuple[Operand, ...] | NotEvaluated:
    operand = asked.test.operand
    if isinstance(operand, tuple):
        return operand
    other = asked.other()
    if isinstance(other, NotEvaluated):
        return other
    return other or NotEvaluated(f"{_other(asked)} has no value")


def _is_any(text: str, allowed: Iterable[Operand]) -> bool:
    return any(is_value(text, each) for each in allowed)


@word("in", VALUES, "whether every value is one of these, and there is one", "in: [CT, MR]")
def is_in(asked: Asked) -> Answered:
    """Whether all values are among those listed."""
    allowed = _allowed(asked)
    if isinstance(allowed, NotEvaluated):
        return allowed
    return bool(asked.values) and all(_is_any(value, allowed) for value in asked.values or ())


@word("not_in", VALUES, "whether no value is one of these", "not_in: [CT, MR]")
def not_in(asked: Asked) -> Answered:
    """Whether none of the values is among those listed."""
    allowed = _allowed(asked)
    if isinstance(allowed, NotEvaluated):
        return allowed
    return not any(_is_any(value, allowed) for value in asked.values or ())


@word("contains", SCALAR, "whether one of the values is this one", "contains: LOCALIZER")
def contains(asked: Asked) -> Answered:
    """Whether one value is the one named."""
    return _has(asked, (asked.test.operand,))


def _has(asked: Asked, wanted: Iterable[Operand]) -> bool:
    listed = tuple(wanted)
    return any(_is_any(value, listed) for value in asked.values or ())


@word("overlaps", VALUES, "whether one of the values is one of these", "overlaps: [AXIAL, MPR]")
def overlaps(asked: Asked) -> Answered:
    """Whether the two lists share a value."""
    allowed = _allowed(asked)
    return allowed if isinstance(allowed, NotEvaluated) else _has(asked, allowed)


@word("count", COUNT, "whether there are so many values, or items", "count: {at_most: 1}")
def count(asked: Asked) -> Answered:
    """Whether there are so many values; none where there is no element."""
    return within(len(asked.values or ()), asked.test.operand)


def _is_table(operand: Operand) -> bool:
    if not isinstance(operand, Mapping) or set(operand) != {"fact", "table"}:
        return False
    table = operand["table"]
    return (
        isinstance(operand["fact"], str)
        and isinstance(table, Mapping)
        and bool(table)
        and all(map(is_list, table.values()))
    )


TABLE = Takes(
    "{fact: NAME, table: {VALUE: [values that go with it]}}",
    _is_table,
    {
        "type": "object",
        "properties": {
            "fact": {"type": "string"},
            "table": {"type": "object", "additionalProperties": LIST.schema},
        },
        "required": ["fact", "table"],
        "additionalProperties": False,
    },
)


@word(
    "in_table",
    TABLE,
    "whether every value is one of those that the table gives to the value of the other fact",
    "in_table: {fact: tag.ViewPosition, table: {AP: [AP], LL: [LATERAL]}}",
)
def in_table(asked: Asked) -> Answered:
    """Whether the values go with those of another fact."""
    other = asked.other()
    if isinstance(other, NotEvaluated):
        return other
    assert isinstance(asked.test.operand, Mapping)
    table = asked.test.operand["table"]
    assert isinstance(table, Mapping)
    rows = [table[value] for value in other or () if value in table]
    if not rows or len(rows) < len(other or ()):
        return NotEvaluated(f"the table has no row for {_other(asked)}")
    allowed = [each for row in rows if isinstance(row, tuple) for each in row]
    return bool(asked.values) and all(_is_any(value, allowed) for value in asked.values or ())
