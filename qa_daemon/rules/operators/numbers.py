"""Numbers against a constant or against another fact."""

import math
from collections.abc import Callable, Mapping
from typing import Final

from qa_daemon.rules.facts import NotEvaluated
from qa_daemon.rules.operators.table import (
    NUMBER,
    Answered,
    Asked,
    Takes,
    fact_schema,
    is_fact,
    is_number,
    word,
)
from qa_daemon.rules.schema import Operand

# Sixteen characters of a DS carry at most this much rounding (PS3.5 Table 6.2-1).
_ROUNDING: Final = 1e-9


def number(text: str) -> float | None:
    """Return the number that a received text is, None if it is none; never NaN or infinite."""
    if "_" in text:  # Python reads 1_000, DICOM does not
        return None
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def reckoned(asked: Asked) -> tuple[float, ...] | NotEvaluated:
    """Return the numbers that the operand stands for, `times` before `plus`, one for each value."""
    operand = asked.test.operand
    wanted = len(asked.filled)
    if not isinstance(operand, Mapping):
        assert isinstance(operand, int | float)
        return (float(operand),) * wanted
    other = asked.other()
    if isinstance(other, NotEvaluated):
        return other
    name = operand["fact"]
    found = [number(value) for value in other or ()]
    if not found:
        return NotEvaluated(f"{name} has no value")
    if len(found) not in (1, wanted):
        return NotEvaluated(f"{name} has {len(found)} values, {asked.test.fact} has {wanted}")
    times, plus = operand.get("times", 1), operand.get("plus", 0)
    assert isinstance(times, int | float)
    assert isinstance(plus, int | float)
    results = tuple(each * times + plus for each in found if each is not None)
    if len(results) < len(found):
        return NotEvaluated(f"{name} is no number")
    return results * wanted if len(results) == 1 else results


def _compared(asked: Asked, holds: Callable[[float, float], bool]) -> Answered:
    """Whether it holds for every value; no where there is none."""
    if not asked.filled:
        return False
    bounds = reckoned(asked)
    if isinstance(bounds, NotEvaluated):
        return bounds
    ours = [number(value) for value in asked.filled]
    answers = [
        holds(one, bound) for one, bound in zip(ours, bounds, strict=True) if one is not None
    ]
    if len(answers) < len(ours):
        return NotEvaluated(f"{asked.test.fact} is no number")
    return all(answers)


@word("at_least", NUMBER, "whether every value is this number or more", "at_least: 2")
def at_least(asked: Asked) -> Answered:
    """Whether all values are as great as this, or greater."""
    return _compared(asked, lambda value, bound: value >= bound)


@word("at_most", NUMBER, "whether every value is this number or less", "at_most: {fact: tag.Rows}")
def at_most(asked: Asked) -> Answered:
    """Whether all values are as small as this, or smaller."""
    return _compared(asked, lambda value, bound: value <= bound)


@word("above", NUMBER, "whether every value is greater than this", "above: 0")
def above(asked: Asked) -> Answered:
    """Whether all values are greater."""
    return _compared(asked, lambda value, bound: value > bound)


@word("below", NUMBER, "whether every value is smaller than this", "below: {fact: tag.BitsStored}")
def below(asked: Asked) -> Answered:
    """Whether all values are smaller."""
    return _compared(asked, lambda value, bound: value < bound)


_NEAR_KEYS: Final = ("within", "percent")


def _is_near(operand: Operand) -> bool:
    if not isinstance(operand, Mapping) or not set(operand) & set(_NEAR_KEYS):
        return False
    if "value" not in operand:
        return is_fact(operand, *_NEAR_KEYS, "plus", "times") and _are_not_negative(operand)
    return (
        set(operand) <= {"value", *_NEAR_KEYS}
        and all(map(is_number, operand.values()))
        and _are_not_negative(operand)
    )


def _are_not_negative(operand: Mapping[str, Operand]) -> bool:
    given = [operand[key] for key in _NEAR_KEYS if key in operand]
    return all(isinstance(each, int | float) and each >= 0 for each in given)


NEAR: Final = Takes(
    "{value: n, within: n} or {fact: NAME, within: n}; percent: n instead of within",
    _is_near,
    {
        "anyOf": [
            {
                "type": "object",
                "properties": {key: {"type": "number"} for key in ("value", *_NEAR_KEYS)},
                "required": ["value"],
                "additionalProperties": False,
            },
            fact_schema(*_NEAR_KEYS, "plus", "times"),
        ]
    },
)


@word(
    "near",
    NEAR,
    "whether every value is this number, give or take",
    "near: {fact: tag.SpacingBetweenSlices, within: 0.1}",
)
def near(asked: Asked) -> Answered:
    """Whether no value is further away than allowed."""
    operand = asked.test.operand
    assert isinstance(operand, Mapping)
    within, percent = operand.get("within", 0), operand.get("percent", 0)
    assert isinstance(within, int | float)
    assert isinstance(percent, int | float)

    def is_near(value: float, middle: float) -> bool:
        room = max(within, abs(middle) * percent / 100)
        return abs(value - middle) <= room + _ROUNDING * abs(middle)

    middle = operand.get("value")
    if middle is None:
        return _compared(asked, is_near)
    assert isinstance(middle, int | float)
    fixed = float(middle)
    return _compared_with(asked, lambda value: is_near(value, fixed))


def _compared_with(asked: Asked, holds: Callable[[float], bool]) -> Answered:
    if not asked.filled:
        return False
    ours = [number(value) for value in asked.filled]
    answers = [holds(one) for one in ours if one is not None]
    if len(answers) < len(ours):
        return NotEvaluated(f"{asked.test.fact} is no number")
    return all(answers)
