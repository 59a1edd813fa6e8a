"""What rules say: findings, outcomes, and the values that would mend them."""

from collections.abc import Iterable, Mapping
from enum import IntEnum, StrEnum
from typing import TypeAlias

from attrs import field, frozen

from qa_daemon.records.assignment import Assignment


class Severity(IntEnum):
    """How much a finding matters; greater is worse."""

    INFO = 0
    MINOR = 1
    MAJOR = 2
    CRITICAL = 3

    @property
    def word(self) -> str:
        """The word of the contract."""
        return self.name.lower()


class Topic(StrEnum):
    """What a finding is about (contract, section 2)."""

    ORIENTATION = "orientation"
    GEOMETRY = "geometry"
    COMPLETENESS = "completeness"
    BODY_PART = "body_part"
    VIEW = "view"
    LATERALITY = "laterality"
    ORDER = "order"
    IDENTITY = "identity"
    TIME = "time"
    UID = "uid"
    MODALITY = "modality"
    PIXEL = "pixel"
    CHARSET = "charset"
    CONFORMANCE = "conformance"
    INTAKE = "intake"


class Level(StrEnum):
    """What a rule looks at."""

    INSTANCE = "instance"
    SERIES = "series"
    STUDY = "study"
    VISIT = "visit"


class Hypothesis(StrEnum):
    """How a disagreement about orientation may have come about (H1a, H1b, H2)."""

    IOP_WRONG = "iop_wrong"
    FRAME_WRONG = "frame_wrong"
    PIXELS_TURNED = "pixels_turned"


class Scope(StrEnum):
    """Which instances a change concerns."""

    INSTANCE = "instance"
    SERIES = "series"
    STUDY = "study"


class Action(StrEnum):
    """What a change does to the element."""

    ADD = "add"
    REPLACE = "replace"
    REMOVE = "remove"


#: A value as in `Value` of the DICOM JSON model (PS3.18 F.2); DS and IS are strings.
JsonValue: TypeAlias = "str | int | float | Mapping[str, object] | None"


@frozen
class Change:
    """One element to be written.

    Attributes
    ----------
    current
        What stands there; None if absent, `()` if present and empty.
    proposed
        What would be written; None for `remove`.
    """

    scope: Scope
    action: Action
    attribute: str
    tag: str
    path: str
    vr: str
    current: tuple[JsonValue, ...] | None
    proposed: tuple[JsonValue, ...] | None
    sop_instance_uid: str | None = None


@frozen
class Display:
    """The same correction for the screen (PS3.3 C.10.6): rotation clockwise first, then flip."""

    image_rotation: int
    image_horizontal_flip: str


@frozen
class Suggestion:
    """A set of changes that belong together, under one hypothesis."""

    changes: tuple[Change, ...]
    hypothesis: Hypothesis | None = None
    confidence: float | None = None
    display: Display | None = None


@frozen
class Finding:
    """A rule fired.

    Attributes
    ----------
    message
        In plain words, for a technician.
    confidence
        0 to 1; None if no prediction or order took part.
    sop_instance_uids
        The instances concerned; `()` means all.
    evidence
        The facts that the rule looked at, by name, as text.
    suggestion, alternatives
        The likeliest change set and the others; filled in by the room `suggest`.
    proposed
        Values by keyword that the check hands to the room `suggest`, which takes them out again.
    assignment
        Of findings about series and orders of a visit: series, orders, moves and how well they fit.
    """

    rule: str
    topic: Topic
    severity: Severity
    level: Level
    message: str
    confidence: float | None = None
    sop_instance_uids: tuple[str, ...] = ()
    evidence: Mapping[str, str] = field(factory=dict)
    suggestion: Suggestion | None = None
    alternatives: tuple[Suggestion, ...] = ()
    proposed: Mapping[str, tuple[str, ...]] = field(factory=dict)
    assignment: Assignment | None = None


@frozen
class Unjudged:
    """A rule that gave no verdict, with the reason."""

    rule: str
    reason: str


@frozen
class Outcomes:
    """Every enabled rule stands in exactly one of the five (contract, section 2)."""

    passed: tuple[str, ...] = ()
    finding: tuple[str, ...] = ()
    not_applicable: tuple[str, ...] = ()
    not_evaluated: tuple[Unjudged, ...] = ()
    fault: tuple[Unjudged, ...] = ()

    def and_those(self, other: "Outcomes") -> "Outcomes":
        """Return both, of different rules."""
        return Outcomes(
            (*self.passed, *other.passed),
            (*self.finding, *other.finding),
            (*self.not_applicable, *other.not_applicable),
            (*self.not_evaluated, *other.not_evaluated),
            (*self.fault, *other.fault),
        )


@frozen
class Verdict:
    """All that rules said about one subject: findings sorted by severity, then rule id."""

    findings: tuple[Finding, ...]
    outcomes: Outcomes

    @property
    def above_info(self) -> tuple[Finding, ...]:
        """The findings that a person must decide."""
        return above_info(self.findings)


def above_info(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return the findings that a person must decide; info needs nobody."""
    return tuple(finding for finding in findings if finding.severity > Severity.INFO)


@frozen
class Rejection:
    """An object that could not be taken in, with a reason of the contract.

    `reason` is one of not_dicom, truncated, unreadable, unsupported, limit, vanished,
    not_regular; `kind` is the finer permanent name, such as `uid-missing`.
    """

    path: str
    reason: str
    message: str
    kind: str = ""
