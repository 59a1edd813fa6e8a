"""The table of operators; the modules beside this one put their words into it."""

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

from attrs import frozen

from qa_daemon.rules.facts import NotEvaluated
from qa_daemon.rules.looks.look import Look, Said
from qa_daemon.rules.looks.names import UnknownFactError, fact_name
from qa_daemon.rules.looks.paths import Values
from qa_daemon.rules.schema import FactTest, Operand

Answered: TypeAlias = bool | NotEvaluated
Schema: TypeAlias = Mapping[str, object]

#: Words that yield hits instead of yes or no; they stand alone as `check`.
FREE_OF: Final = "free_of"


@frozen
class Takes:
    """What may stand to the right of a word: said for people, as a test, and as JSON Schema."""

    words: str
    accepts: Callable[[Operand], bool]
    schema: Schema


@frozen
class Asked:
    """A word asked of the values that a fact has; they are known when it is asked."""

    look: Look
    test: FactTest
    values: Values | None

    @property
    def filled(self) -> Values:
        """The values that are not empty."""
        return tuple(value for value in self.values or () if value)

    def other(self) -> Said:
        """Return the values of the fact that the operand names, the empty ones left out."""
        operand = self.test.operand
        assert isinstance(operand, Mapping)
        said = self.look.values(str(operand["fact"]))
        return said if isinstance(said, NotEvaluated | None) else tuple(filter(None, said))


Word: TypeAlias = Callable[[Asked], Answered]


@frozen
class Operator:
    """One word of conditions.

    Attributes
    ----------
    takes, means, example
        For the reference: what may stand to its right, what it asks, and a line of YAML.
    blames
        Which instances are to blame for a no; None where the whole subject is.
    beside
        Names of facts that it looks at besides those that the test names.
    """

    name: str
    answer: Word
    takes: Takes
    means: str
    example: str
    blames: Callable[[Asked], tuple[str, ...]] | None = None
    beside: Callable[[FactTest], tuple[str, ...]] = lambda _: ()

    def apply(self, look: Look, test: FactTest) -> Answered:
        """Return yes, no, or why there is no answer."""
        said = look.values(test.fact)
        if isinstance(said, NotEvaluated):
            return said
        return self.answer(Asked(look, test, said))

    def accepts(self, operand: Operand) -> bool:
        """Whether this may stand to the right of the word."""
        return self.takes.accepts(operand)

    def blamed(self, look: Look, test: FactTest) -> tuple[str, ...]:
        """Return the SOP Instance UIDs that a no is about; `()` means all."""
        said = look.values(test.fact)
        if self.blames is None or isinstance(said, NotEvaluated):
            return ()
        return self.blames(Asked(look, test, said))


OPERATORS: Final[dict[str, Operator]] = {}


def word(name: str, takes: Takes, means: str, example: str, **more: Any) -> Callable[[Word], Word]:
    """Register a function as the operator of this name; more is `blames` and `beside`."""

    def registered(answer: Word) -> Word:
        assert name not in OPERATORS
        OPERATORS[name] = Operator(name, answer, takes, means, example, **more)
        return answer

    return registered


def facts_in(test: FactTest) -> tuple[str, ...]:
    """Return the names of all facts that a test looks at, its own first."""
    operand = test.operand
    if isinstance(operand, Mapping) and isinstance(operand.get("fact"), str):
        return (test.fact, str(operand["fact"]))
    return (test.fact,)


# --- what may stand to the right -----------------------------------------------------------------


def is_scalar(operand: Operand) -> bool:
    """Whether it is one text or number."""
    return isinstance(operand, str | int | float) and not isinstance(operand, bool)


def is_number(operand: Operand) -> bool:
    """Whether it is one number."""
    return isinstance(operand, int | float) and not isinstance(operand, bool)


def is_list(operand: Operand) -> bool:
    """Whether it is a list of texts and numbers, at least one."""
    return isinstance(operand, tuple) and bool(operand) and all(map(is_scalar, operand))


def is_fact(operand: Operand, *more: str) -> bool:
    """Whether it is `{fact: NAME}`, with numbers under none but these other keys."""
    if not isinstance(operand, Mapping) or not isinstance(operand.get("fact"), str):
        return False
    rest = {key: value for key, value in operand.items() if key != "fact"}
    return set(rest) <= set(more) and all(map(is_number, rest.values()))


def known_fact(name: Operand) -> bool:
    """Whether there is a fact of this name."""
    try:
        fact_name(str(name))
    except UnknownFactError:
        return False
    return True


_SCALAR_SCHEMA: Final[Schema] = {"type": ["string", "number"]}
_LIST_SCHEMA: Final[Schema] = {"type": "array", "items": _SCALAR_SCHEMA, "minItems": 1}


def fact_schema(*more: str) -> Schema:
    """Return the JSON Schema of `{fact: NAME}` with numbers under these other keys."""
    return {
        "type": "object",
        "properties": {"fact": {"type": "string"}, **{key: {"type": "number"} for key in more}},
        "required": ["fact"],
        "additionalProperties": False,
    }


FLAG: Final = Takes("true or false", lambda operand: isinstance(operand, bool), {"type": "boolean"})
SCALAR: Final = Takes("one value", is_scalar, _SCALAR_SCHEMA)
LIST: Final = Takes("a list of values", is_list, _LIST_SCHEMA)
VALUE: Final = Takes(
    "one value, a list of values in their order, or {fact: NAME, plus: n, times: n}",
    lambda operand: is_scalar(operand) or is_list(operand) or is_fact(operand, "plus", "times"),
    {"anyOf": [_SCALAR_SCHEMA, _LIST_SCHEMA, fact_schema("plus", "times")]},
)
VALUES: Final = Takes(
    "a list of values or {fact: NAME}",
    lambda operand: is_list(operand) or is_fact(operand),
    {"anyOf": [_LIST_SCHEMA, fact_schema()]},
)
NUMBER: Final = Takes(
    "a number or {fact: NAME, plus: n, times: n}",
    lambda operand: is_number(operand) or is_fact(operand, "plus", "times"),
    {"anyOf": [{"type": "number"}, fact_schema("plus", "times")]},
)
TEXTS: Final = Takes(
    "a text or a list of texts",
    lambda operand: isinstance(operand, str) or is_list(operand),
    {"anyOf": [{"type": "string"}, _LIST_SCHEMA]},
)


def one_of(words: Mapping[str, object], what: str) -> Takes:
    """Return what takes one of these words."""
    return Takes(
        f"{what}: {', '.join(sorted(words))}",
        lambda operand: isinstance(operand, str) and operand in words,
        {"enum": sorted(words)},
    )


BOUNDS: Final = ("at_least", "at_most", "equals")
COUNT: Final = Takes(
    "a number or {at_least: n, at_most: n}",
    lambda operand: is_number(operand) or _is_bounds(operand),
    {
        "anyOf": [
            {"type": "number"},
            {
                "type": "object",
                "properties": {name: {"type": "number"} for name in BOUNDS},
                "minProperties": 1,
                "additionalProperties": False,
            },
        ]
    },
)


def _is_bounds(operand: Operand) -> bool:
    return (
        isinstance(operand, Mapping)
        and bool(operand)
        and set(operand) <= set(BOUNDS)
        and all(map(is_number, operand.values()))
    )


def within(count: float, operand: Operand) -> bool:
    """Whether a count is what `COUNT` asks for."""
    if not isinstance(operand, Mapping):
        return count == operand
    asked = {name: operand[name] for name in BOUNDS if name in operand}
    checks: Mapping[str, Callable[[float], bool]] = {
        "at_least": lambda bound: count >= bound,
        "at_most": lambda bound: count <= bound,
        "equals": lambda bound: count == bound,
    }
    return all(
        checks[name](bound) for name, bound in asked.items() if isinstance(bound, int | float)
    )
