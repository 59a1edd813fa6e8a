"""What a rule file says, as values (contract, section 3)."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final, TypeAlias

from attrs import field, frozen

from qa_daemon.records.finding import Level, Severity, Topic


class Status(StrEnum):
    """How far a rule has come; draft and retired ones are not evaluated."""

    DRAFT = "draft"
    TEST = "test"
    STABLE = "stable"
    RETIRED = "retired"


class Outcome(StrEnum):
    """What became of a rule for one subject (contract, section 2)."""

    PASSED = "passed"
    FINDING = "finding"
    NOT_APPLICABLE = "not_applicable"
    NOT_EVALUATED = "not_evaluated"
    FAULT = "fault"


#: Names that `suggest: {registered: NAME}` may give; the room `suggest` holds the functions.
REGISTERED_SUGGESTIONS: Final = frozenset(
    {"one_side", "orientation", "other_grey", "patient_orientation", "plane_letters"}
    | {"side_per_image"}
)

#: What stands to the right of an operator, as YAML gives it; lists are tuples.
Operand: TypeAlias = "str | int | float | bool | tuple[Operand, ...] | Mapping[str, Operand] | None"


@frozen
class FactTest:
    """One fact and one operator, as in `{fact: tag.Modality, in: [CT, MR]}`."""

    fact: str
    operator: str
    operand: Operand


@frozen
class Registered:
    """A Python check by its registered name, with the options it was given."""

    name: str
    options: Mapping[str, Operand] = field(factory=dict)


@frozen
class AllOf:
    """Every one must hold."""

    conditions: "tuple[Condition, ...]"


@frozen
class AnyOf:
    """At least one must hold."""

    conditions: "tuple[Condition, ...]"


@frozen
class Not:
    """The one must not hold."""

    condition: "Condition"


@frozen
class Quantified:
    """A condition over many: `{every: instances, is: ...}`, `{some: tag.SEQUENCE, is: ...}`.

    Attributes
    ----------
    quantity
        `every`, `some`, `none`, `at_least` or `at_most`; the last two with a `number`.
    over
        `instances`, `frames`, `series`, or the fact of a sequence whose items are meant.
    where
        Only those for which this holds; None means all.
    """

    quantity: str
    over: str
    condition: "Condition"
    where: "Condition | None" = None
    number: int = 0


Condition: TypeAlias = FactTest | Registered | AllOf | AnyOf | Not | Quantified


@frozen
class Need:
    """A prediction without which the rule says nothing.

    Attributes
    ----------
    probability
        The least that counts.
    below
        From here on another rule speaks, and this one does not apply.
    part
        `turn` or `mirror`: only this half of an orientation is needed; "" means the whole.
    """

    prediction: str
    probability: float = 0.0
    part: str = ""
    below: float = 0.0


@frozen
class Suggest:
    """How a finding of this rule can be mended; the room `suggest` knows the ways.

    Attributes
    ----------
    way
        `registered`, `replace`, `remove` or `make_same`.
    subject
        The keyword, the path (`Sequence[1].Keyword`) to be replaced, or the registered name.
    scope
        instance, series or study.
    source
        Where the new value comes from: `from_prediction`, `with`, `upper_case`, `known_term`,
        `term_of_code`, `from_fact`, `from_table`, `from_check`; "" where nothing is replaced.
    argument
        What the source needs: the target of the prediction, or the value itself.
    table
        What is written for a label of the prediction; empty means the label itself.
    more
        Further changes of the same suggestion: all together make the check pass.
    """

    way: str
    subject: str
    scope: str = "series"
    source: str = ""
    argument: Operand = None
    table: Mapping[str, Operand] = field(factory=dict)
    more: "tuple[Suggest, ...]" = ()


#: What a case says of an order of the visit.
CASE_ORDER: Final = ("accession", "issuer", "procedure", "modality", "study", "procedure_id")


#: What a case says of the store, and how.
CASE_STORE: Final[Mapping[str, str]] = {
    "instances": "SOP Instance UIDs that another study holds, too",
    "studies": "other studies with a series of this UID",
    "strangers": "other patients under the Accession Number: study -> same or other person",
    "delays": "minutes from making to arrival, the latest first; [count, minutes] for many",
    "studies_before": "how many earlier studies of this kind",
    "series_before": "label of a series -> in how many of them",
}


@frozen
class CaseSeries:
    """One series of a case: tags that all instances have, and those of single instances.

    A value is a text, a number, a list of them, or None for an element that is present and empty;
    of a sequence it is a list of items, each a mapping of keywords to values. `frames` is None
    where the tags do not say it either: then it is one. `predictions` are those of this series,
    for rules of level visit.
    """

    tags: Mapping[str, Operand] = field(factory=dict)
    instances: tuple[Mapping[str, Operand], ...] = ()
    irregularities: tuple[str, ...] = ()
    transfer_syntax: str = ""
    frames: int | None = None
    predictions: Mapping[str, Mapping[str, float]] = field(factory=dict)


@frozen
class Case:
    """An example in the rule file, and what must come of it.

    Attributes
    ----------
    series
        One, or several of one study for rules of level study.
    predictions
        Target -> label -> probability.
    table_side
        Where the patient table is seen in the pictures, "" where it is not.
    received
        When the objects came, as a DT; "" where nobody knows.
    order
        What `order.NAME` says; None where no order is known.
    habits
        Keyword -> value -> how many earlier series of this station and protocol wrote it.
    orders
        The orders of the visit, for rules of level visit: `CASE_ORDER` and their texts.
    store
        What the store has of other series, by `CASE_STORE`; None where there is no store.
    severity
        Expected severity, "" = not asked.
    proposes
        Values that the first suggestion must contain, as text; None = not asked.
    """

    name: str
    outcome: Outcome
    series: tuple[CaseSeries, ...]
    predictions: Mapping[str, Mapping[str, float]] = field(factory=dict)
    table_side: str = ""
    received: str = ""
    order: Mapping[str, Operand] | None = None
    habits: Mapping[str, Mapping[str, int]] = field(factory=dict)
    orders: tuple[Mapping[str, str], ...] = ()
    store: Mapping[str, Operand] | None = None
    severity: str = ""
    proposes: tuple[str, ...] | None = None


@frozen
class Excepted:
    """Images that a site leaves out of a rule: where everything listed fits, by name -> patterns.

    `until` is the last day on which it counts, for those who read about it.
    """

    where: Mapping[str, tuple[str, ...]]
    reason: str
    owner: str
    until: str


@frozen(kw_only=True)
class Rule:
    """One rule file.

    Attributes
    ----------
    message
        What the technician reads; `{tag.Keyword}` and `{prediction.target}` are filled in. The
        title where it is "".
    quick
        Also part of `check --quick`.
    path
        The file it came from.
    is_on
        False for a rule that a site has to switch on: `enabled: false`.
    options
        Values that a site may set otherwise; conditions name them `$NAME`.
    exceptions
        Those of the site.
    """

    id: str
    title: str
    topic: Topic
    severity: Severity
    status: Status
    version: int
    level: Level
    rationale: str
    check: Condition
    applies_when: Condition | None = None
    needs: tuple[Need, ...] = ()
    suggest: Suggest | None = None
    alternatives: tuple[Suggest, ...] = ()
    message: str = ""
    quick: bool = False
    known_false_positives: tuple[str, ...] = ()
    cases: tuple[Case, ...] = ()
    path: str = ""
    is_on: bool = True
    options: Mapping[str, Operand] = field(factory=dict)
    exceptions: tuple[Excepted, ...] = ()

    @property
    def is_enabled(self) -> bool:
        """Whether the rule is evaluated."""
        return self.is_on and self.status in {Status.TEST, Status.STABLE}


@frozen
class RulePack:
    """The rules in force, by id, and the digest that stands for exactly these texts."""

    rules: Mapping[str, Rule]
    digest: str

    @property
    def enabled(self) -> tuple[Rule, ...]:
        """The rules that are evaluated, sorted by id."""
        return tuple(rule for _, rule in sorted(self.rules.items()) if rule.is_enabled)
