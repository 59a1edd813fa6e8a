"""What a site makes otherwise: rules on and off, severities, thresholds, options, exceptions."""

from collections.abc import Mapping, Sequence
from typing import Final

from attrs import evolve, frozen

from qa_daemon.records.element import first_text
from qa_daemon.records.finding import Severity
from qa_daemon.records.instance import Instance
from qa_daemon.rules.facts import SeriesFacts, StudyFacts
from qa_daemon.rules.schema import Excepted, Rule, Status

#: Attributes by which a site can leave images out.
MATCHED: Final[Mapping[str, str]] = {
    "station": "StationName",
    "modality": "Modality",
    "protocol": "ProtocolName",
    "patient_id": "PatientID",
    "patient_name": "PatientName",
}
#: Not an attribute: who sent the images.
AE_TITLE: Final = "ae_title"


@frozen
class Change:
    """What is otherwise in one rule of a site; None and empty mean as the rule says."""

    is_enabled: bool | None = None
    severity: Severity | None = None
    thresholds: Mapping[str, float] | None = None


def changed(rule: Rule, change: Change) -> Rule:
    """Return the rule with the changes of a site."""
    thresholds = change.thresholds or {}
    is_tried = change.is_enabled is True and rule.status is Status.DRAFT
    return evolve(
        rule,
        status=Status.TEST if is_tried else rule.status,
        severity=rule.severity if change.severity is None else change.severity,
        is_on=rule.is_on if change.is_enabled is None else change.is_enabled,
        needs=tuple(
            evolve(need, probability=thresholds.get(need.prediction, need.probability))
            for need in rule.needs
        ),
    )


def exception_for(rule: Rule, facts: SeriesFacts | StudyFacts) -> Excepted | None:
    """Return the exception of the site that leaves these images out of a rule."""
    if not rule.exceptions:
        return None
    series = facts.series if isinstance(facts, StudyFacts) else (facts.series,)
    instance = next((each.instances[0] for each in series if each.instances), None)
    if instance is None:
        return None
    sender = facts.context.calling_ae
    return next((each for each in rule.exceptions if _fits(each, instance, sender)), None)


def _fits(exception: Excepted, instance: Instance, calling_ae: str) -> bool:
    return all(
        _is_one_of(
            calling_ae if name == AE_TITLE else first_text(instance.elements, MATCHED[name]),
            patterns,
        )
        for name, patterns in exception.where.items()
    )


def _is_one_of(text: str, patterns: Sequence[str]) -> bool:
    return any(_matches(text.casefold(), pattern.casefold()) for pattern in patterns)


def _matches(text: str, pattern: str) -> bool:
    """Whether a text is the pattern, in which each `*` stands for any text; in linear time."""
    first, *rest = pattern.split("*")
    if not rest:
        return text == pattern
    *middle, last = rest
    if not text.startswith(first):
        return False
    at = len(first)
    for piece in middle:
        found = text.find(piece, at)
        if found < 0:
            return False
        at = found + len(piece)
    return len(text) - at >= len(last) and text.endswith(last)
