"""Findings of a series that a finding about its whole visit explains.

Images under a wrong order contradict it in many ways, and each would be a finding of its own. They
are one mistake: what its changes would mend is told as an info that names the cause.
"""

from collections.abc import Callable
from typing import Final

from attrs import evolve

from qa_daemon.records.finding import Change, Finding, Severity, Verdict
from qa_daemon.records.series import Series
from qa_daemon.suggest.values import applied

#: The evidence that names the cause.
EXPLAINED_BY: Final = "explained by"


def with_causes(
    verdict: Verdict, of_visit: Verdict, series: Series, judged: Callable[[Series], Verdict]
) -> Verdict:
    """Return the verdict about a series with what its visit explains told as an info.

    Parameters
    ----------
    judged
        Judges the series anew, as it would be after the changes.
    """
    own = {each.rule: _own(each, series) for each in of_visit.findings if _moves(each, series)}
    causes = {rule: changes for rule, changes in own.items() if changes}
    changes = [change for each in causes.values() for change in each]
    if not changes or not verdict.above_info:
        return verdict
    left = {each.rule for each in judged(applied(series, changes)).findings}
    rules = ", ".join(sorted(causes))
    findings = [
        each if each.severity is Severity.INFO or each.rule in left else _explained(each, rules)
        for each in verdict.findings
    ]
    findings.sort(key=lambda each: (-each.severity, each.rule))
    return evolve(verdict, findings=tuple(findings))


def _moves(finding: Finding, series: Series) -> bool:
    told = finding.assignment
    return told is not None and any(
        move.series_instance_uid == series.series_instance_uid for move in told.moves
    )


def _own(cause: Finding, series: Series) -> list[Change]:
    """Return the changes that a series can be judged anew with: no items, no other study."""
    uids = {None, *(each.sop_instance_uid for each in series.instances)}
    changes = () if cause.suggestion is None else cause.suggestion.changes
    return [
        change
        for change in changes
        if change.vr not in {"SQ", "UI"} and change.sop_instance_uid in uids
    ]


def _explained(finding: Finding, rules: str) -> Finding:
    told = {**finding.evidence, EXPLAINED_BY: rules}
    return evolve(finding, severity=Severity.INFO, evidence=told, suggestion=None, alternatives=())
