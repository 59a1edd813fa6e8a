"""Rules proven by the cases in their own files."""

from collections.abc import Callable
from typing import TypeAlias

from attrs import frozen

from qa_daemon.records.finding import Finding
from qa_daemon.rules.evaluate import judged
from qa_daemon.rules.facts import SeriesFacts, StudyFacts
from qa_daemon.rules.reading.example import case_prediction, case_series, facts_of
from qa_daemon.rules.schema import Case, Rule, RulePack

__all__ = ["Failure", "Propose", "case_prediction", "case_series", "facts_of", "prove"]

#: Attaches suggestions to a finding; lives in the room `suggest`, which stands above this one.
Propose: TypeAlias = Callable[[Rule, Finding, SeriesFacts | StudyFacts], Finding]


@frozen
class Failure:
    """A case that did not come out as it says."""

    rule: str
    case: str
    path: str
    wanted: str
    got: str

    def __str__(self) -> str:
        """Return the line that `rules test` shows."""
        return (
            f"{self.path}: rule {self.rule}: case '{self.case}': "
            f"wanted {self.wanted}, got {self.got}"
        )


def prove(pack: RulePack, propose: Propose | None = None) -> tuple[Failure, ...]:
    """Run all cases of all rules, drafts included; return those that failed."""
    failures = []
    for _, rule in sorted(pack.rules.items()):
        for case in rule.cases:
            failures.extend(_proven(rule, case, propose))
    return tuple(failures)


def _proven(rule: Rule, case: Case, propose: Propose | None) -> list[Failure]:
    facts = facts_of(rule, case)
    judgement = judged(rule, facts)

    def failure(wanted: str, got: str) -> Failure:
        return Failure(rule.id, case.name, rule.path, wanted, got)

    if judgement.outcome is not case.outcome:
        reason = f" ({judgement.reason})" if judgement.reason else ""
        return [failure(case.outcome, f"{judgement.outcome}{reason}")]
    failures = []
    severities = sorted({finding.severity.word for finding in judgement.findings})
    if case.severity and severities != [case.severity]:
        failures.append(failure(f"severity {case.severity}", ", ".join(severities) or "none"))
    if case.proposes is not None and propose is not None:
        findings = [propose(rule, finding, facts) for finding in judgement.findings]
        proposed = [text for finding in findings for text in _proposed(finding)]
        if not set(case.proposes) <= set(proposed) or (proposed and not case.proposes):
            failures.append(failure(f"proposes {list(case.proposes)}", str(sorted(set(proposed)))))
    return failures


def _proposed(finding: Finding) -> list[str]:
    if finding.suggestion is None:
        return []
    return [
        "\\".join(str(value) for value in change.proposed or ())
        for change in finding.suggestion.changes
    ]
