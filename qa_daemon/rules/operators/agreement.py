"""Whether instances and series agree in a value, or never share one."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Final

from qa_daemon.records.instance import Instance
from qa_daemon.records.series import Series
from qa_daemon.rules.facts import NotEvaluated, StudyFacts, uids
from qa_daemon.rules.looks.look import Look
from qa_daemon.rules.looks.paths import Values
from qa_daemon.rules.operators.table import Answered, Asked, Takes, word
from qa_daemon.rules.schema import Operand

_SCOPES: Final = ("series", "study")
_IGNORED: Final = ("blanks", "carets", "case")


def _is_scope(operand: Operand) -> bool:
    if not isinstance(operand, Mapping):
        return operand in _SCOPES
    ignoring = operand.get("ignoring", ())
    return (
        set(operand) <= {"scope", "ignoring"}
        and operand.get("scope") in _SCOPES
        and isinstance(ignoring, tuple)
        and all(each in _IGNORED for each in ignoring)
    )


SCOPE: Final = Takes(
    "series or study, or {scope: study, ignoring: [case, blanks, carets]}",
    _is_scope,
    {
        "anyOf": [
            {"enum": list(_SCOPES)},
            {
                "type": "object",
                "properties": {
                    "scope": {"enum": list(_SCOPES)},
                    "ignoring": {"type": "array", "items": {"enum": list(_IGNORED)}},
                },
                "required": ["scope"],
                "additionalProperties": False,
            },
        ]
    },
)


def _holders(asked: Asked) -> Mapping[Values, list[Instance]]:
    """Return who has which filled values; what is to be ignored in them is left out."""
    operand = asked.test.operand
    scope = operand.get("scope") if isinstance(operand, Mapping) else operand
    ignoring = operand.get("ignoring", ()) if isinstance(operand, Mapping) else ()
    assert isinstance(ignoring, tuple)
    holders: dict[Values, list[Instance]] = defaultdict(list)
    for instance in instances_in(asked.look, str(scope)):
        said = Look(asked.look.facts, instance).values(asked.test.fact)
        if isinstance(said, tuple) and any(said):
            holders[tuple(_folded(value, ignoring) for value in said)].append(instance)
    return holders


def instances_in(look: Look, scope: str) -> Sequence[Instance]:
    """Return the instances of the series in view, or of the whole study."""
    return [each for series in _series_in(look, scope) for each in series.instances]


def _series_in(look: Look, scope: str) -> Sequence[Series]:
    if isinstance(look.facts, StudyFacts):
        return look.facts.series
    if scope == "study":
        return (look.facts.series, *look.facts.siblings)
    return (look.facts.series,)


def _folded(value: str, ignoring: Sequence[Operand]) -> str:
    if "case" in ignoring:
        value = value.casefold()
    if "carets" in ignoring:
        value = value.replace("^", " ").strip()
    if "blanks" in ignoring:
        value = " ".join(value.split())
    return value


def _fewer(asked: Asked) -> tuple[str, ...]:
    """Return the instances that say something else than most; `()` where there is no most."""
    holders = _holders(asked)
    counts = Counter({values: len(members) for values, members in holders.items()})
    ranked = counts.most_common(2)
    if len(ranked) > 1 and ranked[0][1] == ranked[1][1]:
        return ()
    others = [each for values, found in holders.items() if values != ranked[0][0] for each in found]
    return uids(others, asked.look.instances)


@word(
    "same_in",
    SCOPE,
    "whether all instances that have a value have the same",
    "same_in: {scope: study, ignoring: [case]}",
    blames=_fewer,
)
def same_in(asked: Asked) -> Answered:
    """Whether there is at most one filled value in the series, or in the study."""
    if asked.look.items:
        return NotEvaluated("items of a sequence are not compared between instances")
    return len(_holders(asked)) <= 1


def _sharing(asked: Asked) -> tuple[str, ...]:
    shared = [each for found in _holders(asked).values() if len(found) > 1 for each in found]
    return uids(shared, asked.look.instances)


@word(
    "unique_in",
    SCOPE,
    "whether no two instances have the same value",
    "unique_in: series",
    blames=_sharing,
)
def unique_in(asked: Asked) -> Answered:
    """Whether every filled value stands in one instance only."""
    return all(len(found) == 1 for found in _holders(asked).values())
