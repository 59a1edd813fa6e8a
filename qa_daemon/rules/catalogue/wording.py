"""Conditions and suggestions as a rule file writes them, for pages and explanations."""

from collections.abc import Mapping
from typing import Any

import yaml

from qa_daemon.rules.schema import (
    AllOf,
    AnyOf,
    Condition,
    FactTest,
    Need,
    Not,
    Operand,
    Quantified,
    Registered,
    Suggest,
)

# Whoever shows it folds it: one condition is one line here.
_WIDTH = 100_000


def condition_text(condition: Condition) -> str:
    """Return a condition as YAML, on one line."""
    return _dumped(_condition(condition))


def need_text(need: Need) -> str:
    """Return what a rule needs of a prediction, in words."""
    part = f" ({need.part})" if need.part else ""
    least = f", at least {need.probability:g} sure" if need.probability else ""
    below = f", below {need.below:g}" if need.below else ""
    return f"{need.prediction}{part}{least}{below}"


def suggest_text(suggest: Suggest) -> str:
    """Return a suggestion as YAML."""
    changes = [_change(each) for each in (suggest, *suggest.more)]
    return _dumped(changes if suggest.more else changes[0])


def _dumped(raw: object) -> str:
    text = yaml.safe_dump(
        raw, default_flow_style=True, sort_keys=False, allow_unicode=True, width=_WIDTH
    )
    return text.removesuffix("...\n").strip()


def _condition(condition: Condition) -> dict[str, Any]:
    match condition:
        case FactTest(fact, operator, operand):
            return {"fact": fact, operator: _plain(operand)}
        case Registered(name, options):
            return {"registered": name, **{key: _plain(each) for key, each in options.items()}}
        case AllOf(conditions):
            return {"all": [_condition(each) for each in conditions]}
        case AnyOf(conditions):
            return {"any": [_condition(each) for each in conditions]}
        case Not(inner):
            return {"not": _condition(inner)}
        case Quantified():
            return _quantified(condition)


def _quantified(condition: Quantified) -> dict[str, Any]:
    if condition.quantity in {"at_least", "at_most"}:
        head: dict[str, Any] = {condition.quantity: condition.number, "of": condition.over}
    else:
        head = {condition.quantity: condition.over}
    if condition.where is not None:
        head["where"] = _condition(condition.where)
    return {**head, "is": _condition(condition.condition)}


def _change(suggest: Suggest) -> dict[str, Any]:
    change: dict[str, Any] = {suggest.way: suggest.subject}
    if suggest.source:
        change[suggest.source] = _plain(suggest.argument)
    if suggest.table:
        change["table"] = _plain(suggest.table)
    if suggest.scope != "series":
        change["scope"] = suggest.scope
    return change


def _plain(operand: Operand) -> object:
    match operand:
        case tuple():
            return [_plain(each) for each in operand]
        case Mapping():
            return {key: _plain(each) for key, each in operand.items()}
        case _:
            return operand
