"""Conditions in three values: yes, no, and unknown with a reason; with or without their trace."""

from collections.abc import Iterator, Sequence

from attrs import frozen

from qa_daemon.records.instance import Instance
from qa_daemon.rules.checks.registry import SERIES_CHECKS
from qa_daemon.rules.facts import Answer, NotApplicable, NotEvaluated, SeriesFacts, uids
from qa_daemon.rules.looks.columns import groups
from qa_daemon.rules.looks.look import INSTANCES, SERIES, Look, Said
from qa_daemon.rules.operators import OPERATORS, Answered
from qa_daemon.rules.operators.table import facts_in
from qa_daemon.rules.schema import (
    AllOf,
    AnyOf,
    Condition,
    FactTest,
    Not,
    Quantified,
    Registered,
)


def holds(condition: Condition, look: Look) -> Answered:
    """Return whether it holds: no beats unknown in `all`, yes beats unknown in `any`."""
    match condition:
        case FactTest():
            return OPERATORS[condition.operator].apply(look, condition)
        case Not(inner):
            return _opposite(holds(inner, look))
        case AllOf(conditions):
            return _first(conditions, look, stops_at=False)
        case AnyOf(conditions):
            return _first(conditions, look, stops_at=True)
        case Quantified():
            return _quantity(condition, look)
        case Registered(name, options):
            assert isinstance(look.facts, SeriesFacts)
            return _yes_or_no(SERIES_CHECKS[name](look.facts, options))


def _opposite(answer: Answered) -> Answered:
    return answer if isinstance(answer, NotEvaluated) else not answer


def _first(conditions: Sequence[Condition], look: Look, *, stops_at: bool) -> Answered:
    unknown = None
    for condition in conditions:
        answer = holds(condition, look)
        if answer is stops_at:
            return stops_at
        if isinstance(answer, NotEvaluated):
            unknown = answer
    return unknown or (not stops_at)


def _yes_or_no(answer: Answer) -> Answered:
    match answer:
        case NotEvaluated():
            return answer
        case NotApplicable():
            return NotEvaluated("the check does not apply")
        case hits:
            return not hits


# --- every, some, none ---------------------------------------------------------------------------


def _quantity(condition: Quantified, look: Look) -> Answered:
    answers = [(answer, count) for answer, count, _ in _answers(condition, look)]
    unknowns = [answer for answer, _ in answers if isinstance(answer, NotEvaluated)]
    yes = sum(count for answer, count in answers if answer is True)
    no = sum(count for answer, count in answers if answer is False)
    unknown = sum(count for _, count in answers) - yes - no
    match condition.quantity:
        case "every":
            decided = False if no else None if unknown else True
        case "some":
            decided = True if yes else None if unknown else False
        case "none":
            decided = False if yes else None if unknown else True
        case "at_least":
            decided = _enough(yes, yes + unknown, condition.number)
        case _:
            enough = _enough(yes, yes + unknown, condition.number + 1)
            decided = None if enough is None else not enough
    return unknowns[0] if decided is None else decided


def _enough(least: int, most: int, wanted: int) -> bool | None:
    return True if least >= wanted else False if most < wanted else None


def _answers(
    condition: Quantified, look: Look
) -> Iterator[tuple[Answered, int, tuple[Instance, ...]]]:
    """Yield an answer for each, with how many it stands for; those left out by `where` are not."""
    for each, count, instances in _each(condition, look):
        chosen = True if condition.where is None else holds(condition.where, each)
        if isinstance(chosen, NotEvaluated):
            yield chosen, count, instances
        elif chosen:
            yield holds(condition.condition, each), count, instances


def _each(condition: Quantified, look: Look) -> Iterator[tuple[Look, int, tuple[Instance, ...]]]:
    if (
        condition.over == INSTANCES
        and look.instance is None
        and isinstance(look.facts, SeriesFacts)
    ):
        for group in groups(look.facts, names(condition)):
            yield Look(look.facts, group[0]), len(group), group
        return
    for each in look.over(condition.over):
        yield each, 1, tuple(each.instances) if condition.over in {INSTANCES, SERIES} else ()


def names(condition: Condition) -> frozenset[str]:
    """Return what decides the answer of one instance: facts, sequences, `frames`."""
    return frozenset(_names(condition))


def _names(condition: Condition) -> Iterator[str]:
    match condition:
        case FactTest(operator=operator) if operator in OPERATORS:
            yield from facts_in(condition)
            yield from OPERATORS[operator].beside(condition)
        case AllOf(conditions) | AnyOf(conditions):
            for each in conditions:
                yield from _names(each)
        case Not(inner):
            yield from _names(inner)
        case Quantified(over=over):
            if over not in {INSTANCES, SERIES}:
                yield over
            yield from _names(condition.condition)
            if condition.where is not None:
                yield from _names(condition.where)
        case _:
            return


def tests(condition: Condition) -> Iterator[FactTest]:
    """Yield every fact with its word that a condition holds, at any depth; not `free_of`."""
    match condition:
        case FactTest(operator=operator):
            if operator in OPERATORS:
                yield condition
        case AllOf(conditions) | AnyOf(conditions):
            for each in conditions:
                yield from tests(each)
        case Not(inner):
            yield from tests(inner)
        case Quantified(condition=inner, where=where):
            yield from tests(inner)
            if where is not None:
                yield from tests(where)
        case _:
            return


def registered(condition: Condition) -> Iterator[Registered]:
    """Yield the registered checks that a condition names."""
    match condition:
        case Registered():
            yield condition
        case AllOf(conditions) | AnyOf(conditions):
            for each in conditions:
                yield from registered(each)
        case Not(inner):
            yield from registered(inner)
        case _:
            return


# --- whom a no is about --------------------------------------------------------------------------


def blamed(condition: Condition, look: Look) -> tuple[str, ...]:
    """Return the SOP Instance UIDs that are to blame for a no; `()` where all are."""
    match condition:
        case FactTest():
            return OPERATORS[condition.operator].blamed(look, condition)
        case AllOf(conditions):
            failing = (each for each in conditions if holds(each, look) is False)
            first = next(failing, None)
            return () if first is None else blamed(first, look)
        case Quantified(quantity="every" | "none", over="instances" | "series"):
            culprit = condition.quantity == "none"
            found = [
                instance
                for answer, _, instances in _answers(condition, look)
                if answer is culprit
                for instance in instances
            ]
            return uids(found, look.instances)
        case _:
            return ()


# --- with a trace --------------------------------------------------------------------------------


@frozen
class Trace:
    """How an answer came about: the values seen, and the answers below it.

    Attributes
    ----------
    seen
        The facts that were looked at, with what they said.
    count
        For how many instances or items it stands.
    """

    condition: Condition
    answer: Answered
    seen: tuple[tuple[str, Said], ...] = ()
    below: "tuple[Trace, ...]" = ()
    count: int = 1


# Traces of a thousand instances are for nobody; the first distinct ones tell the story.
_TRACED_MAX = 5


def traced(condition: Condition, look: Look, count: int = 1) -> Trace:
    """Return the same answer as `holds`, with everything that led to it."""
    seen: tuple[tuple[str, Said], ...] = ()
    if isinstance(condition, FactTest):
        seen = tuple((name, look.values(name)) for name in facts_in(condition))
    below = tuple(traced(each, at, number) for each, at, number in _parts(condition, look))
    return Trace(condition, holds(condition, look), seen, below, count)


def _parts(condition: Condition, look: Look) -> list[tuple[Condition, Look, int]]:
    match condition:
        case Not(inner):
            return [(inner, look, 1)]
        case AllOf(conditions) | AnyOf(conditions):
            return [(each, look, 1) for each in conditions]
        case Quantified(condition=inner):
            each_of = list(_each(condition, look))[:_TRACED_MAX]
            return [(inner, each, count) for each, count, _ in each_of]
        case _:
            return []
