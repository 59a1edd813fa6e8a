"""What another set of rules or models would say otherwise about what was received."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import StrEnum

from attrs import define, field, frozen

from qa_daemon.records.finding import Finding, Severity, Suggestion, above_info


class Way(StrEnum):
    """How a finding differs between the two."""

    NEW = "new"
    GONE = "gone"
    CHANGED = "changed"


@frozen
class Differing:
    """The findings of one rule over one subject, before and after.

    Attributes
    ----------
    subject
        The key of the series, or the study's UID.
    """

    subject: str
    rule: str
    way: Way
    before: tuple[Finding, ...]
    after: tuple[Finding, ...]

    @property
    def shown(self) -> Finding:
        """The finding to be told: the new one, else the one that is gone."""
        return (self.after or self.before)[0]


@define
class Difference:
    """All that differs, and how much was looked at.

    Attributes
    ----------
    alarmed
        Subjects with a finding above info, before and after.
    """

    subjects: int = 0
    alarmed: list[int] = field(factory=lambda: [0, 0])
    found: list[Differing] = field(factory=list)
    counts: dict[str, list[int]] = field(factory=dict)

    def add(self, subject: str, before: Sequence[Finding], after: Sequence[Finding]) -> None:
        """Note what was found over one subject."""
        self.subjects += 1
        self.alarmed[0] += bool(above_info(before))
        self.alarmed[1] += bool(above_info(after))
        for place, findings in enumerate((before, after)):
            for rule, count in Counter(each.rule for each in findings).items():
                self.counts.setdefault(rule, [0, 0])[place] += count
        self.found.extend(differing(subject, before, after))

    def of_rule(self, rule: str) -> Iterator[Differing]:
        """Yield what differs in one rule."""
        return (each for each in self.found if each.rule == rule)


def differing(
    subject: str, before: Iterable[Finding], after: Iterable[Finding]
) -> Iterator[Differing]:
    """Yield, by rule, the findings over one subject that are not said alike by both."""
    ours, theirs = _by_rule(before), _by_rule(after)
    for rule in sorted({*ours, *theirs}):
        one, other = ours.get(rule, ()), theirs.get(rule, ())
        if [_said(each) for each in one] == [_said(each) for each in other]:
            continue
        way = Way.CHANGED if one and other else Way.NEW if other else Way.GONE
        yield Differing(subject, rule, way, one, other)


def _by_rule(findings: Iterable[Finding]) -> Mapping[str, tuple[Finding, ...]]:
    found: dict[str, list[Finding]] = defaultdict(list)
    for finding in findings:
        found[finding.rule].append(finding)
    return {rule: tuple(each) for rule, each in found.items()}


def _said(
    finding: Finding,
) -> tuple[Severity, str, tuple[str, ...], Suggestion | None]:
    """Return what a person would notice; how sure the models are may differ in the last digit."""
    suggestion = finding.suggestion
    plain = None if suggestion is None else Suggestion(suggestion.changes, suggestion.hypothesis)
    return finding.severity, finding.message, finding.sop_instance_uids, plain
