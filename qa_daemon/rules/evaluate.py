"""Rules over facts: every enabled rule ends in exactly one of five outcomes."""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Final

from attrs import frozen

from qa_daemon.records.finding import Finding, Level, Outcomes, Unjudged, Verdict
from qa_daemon.records.instance import Instance, Irregularity
from qa_daemon.records.prediction import Abstention, Part, Prediction
from qa_daemon.rules.checks.registry import SERIES_CHECKS, STUDY_CHECKS
from qa_daemon.rules.conditions import blamed, holds, names
from qa_daemon.rules.facts import (
    PASSED,
    Answer,
    Hit,
    NotApplicable,
    NotEvaluated,
    SeriesFacts,
    StudyFacts,
    decided,
    uids,
)
from qa_daemon.rules.looks.columns import groups
from qa_daemon.rules.looks.look import FRAMES, Look, Said, labels_of
from qa_daemon.rules.looks.names import Kind, fact_name
from qa_daemon.rules.operators.table import FREE_OF
from qa_daemon.rules.schema import Condition, FactTest, Need, Outcome, Registered, Rule, RulePack
from qa_daemon.rules.site import exception_for

#: A fact in a message: `{tag.A[1].B}`, `{prediction.view}`.
PLACE: Final = re.compile(
    r"\{((?:tag|frame|private|series|study|prediction|order|side|text)\.[^{}]+|transfer_syntax|frames|side|received)\}"
)

# A message is one or two lines on a screen; hostile values reach 64 KiB.
_VALUE_LENGTH_MAX: Final = 64


@frozen
class Judged:
    """What became of one rule."""

    rule: Rule
    outcome: Outcome
    reason: str = ""
    findings: tuple[Finding, ...] = ()


def evaluate(pack: RulePack, facts: SeriesFacts | StudyFacts) -> Verdict:
    """Evaluate every enabled rule that looks at such a subject."""
    return verdict_of([judged(rule, facts) for rule in pack.enabled if rule.level in facts.levels])


def verdict_of(judgements: Sequence[Judged]) -> Verdict:
    """Gather single judgements: findings worst first, then by rule."""
    findings = [finding for judgement in judgements for finding in judgement.findings]
    findings.sort(
        key=lambda each: (-each.severity, each.rule, each.message, each.sop_instance_uids)
    )
    return Verdict(tuple(findings), _outcomes(judgements))


def _outcomes(judgements: Sequence[Judged]) -> Outcomes:
    ids: dict[Outcome, list[str]] = defaultdict(list)
    unjudged: dict[Outcome, list[Unjudged]] = defaultdict(list)
    for judgement in sorted(judgements, key=lambda each: each.rule.id):
        ids[judgement.outcome].append(judgement.rule.id)
        unjudged[judgement.outcome].append(Unjudged(judgement.rule.id, judgement.reason))
    return Outcomes(
        passed=tuple(ids[Outcome.PASSED]),
        finding=tuple(ids[Outcome.FINDING]),
        not_applicable=tuple(ids[Outcome.NOT_APPLICABLE]),
        not_evaluated=tuple(unjudged[Outcome.NOT_EVALUATED]),
        fault=tuple(unjudged[Outcome.FAULT]),
    )


def judged(rule: Rule, facts: SeriesFacts | StudyFacts) -> Judged:
    """Evaluate one rule. Whatever breaks in it becomes the outcome `fault`."""
    try:
        match _answer(rule, facts):
            case NotApplicable(reason):
                return Judged(rule, Outcome.NOT_APPLICABLE, reason)
            case NotEvaluated(reason):
                return Judged(rule, Outcome.NOT_EVALUATED, reason)
            case ():
                return Judged(rule, Outcome.PASSED)
            case hits:
                findings = tuple(_finding(rule, hit, facts) for hit in hits)
                return Judged(rule, Outcome.FINDING, findings=findings)
    except Exception as error:  # noqa: BLE001 one broken rule must not silence the others
        return Judged(rule, Outcome.FAULT, _place_of(error))


def _answer(rule: Rule, facts: SeriesFacts | StudyFacts) -> Answer:
    exception = exception_for(rule, facts)
    if exception is not None:
        return NotApplicable(
            f"left out by the site until {exception.until}: {exception.reason} ({exception.owner})"
        )
    return _of_study(rule, facts) if isinstance(facts, StudyFacts) else _of_series(rule, facts)


def _place_of(error: Exception) -> str:
    """Name the kind and the place of a bug; its text may hold a patient's value and is left out."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    where = "" if trace is None else f" in {trace.tb_frame.f_code.co_name}:{trace.tb_lineno}"
    return f"{type(error).__name__}{where}"


def _of_study(rule: Rule, facts: StudyFacts) -> Answer:
    if not isinstance(rule.check, Registered):
        return _of_look(rule, Look(facts))
    applies = _applies(rule, Look(facts))
    return STUDY_CHECKS[rule.check.name](facts, rule.check.options) if applies is None else applies


def _of_series(rule: Rule, facts: SeriesFacts) -> Answer:
    if rule.level is Level.INSTANCE and not _looks_at_all(rule.check):
        return _each_instance(rule, facts)
    return _of_look(rule, Look(facts))


def _looks_at_all(check: Condition) -> bool:
    return isinstance(check, Registered) or (
        isinstance(check, FactTest) and check.operator == FREE_OF
    )


def _of_look(rule: Rule, look: Look) -> Answer:
    reason = _applies(rule, look)
    return _checked(rule.check, look) if reason is None else reason


def _applies(rule: Rule, look: Look) -> NotApplicable | NotEvaluated | None:
    """Return why the check of a rule is not asked; None if it is."""
    applies = True if rule.applies_when is None else holds(rule.applies_when, look)
    if isinstance(applies, NotEvaluated):
        return applies
    if not applies:
        return NotApplicable()
    for need in rule.needs:
        assert isinstance(look.facts, SeriesFacts), "the loader lets only series rules need one"
        reason = lacking(need, look.facts)
        if reason is not None:
            return reason
    return None


def _checked(check: Condition, look: Look) -> Answer:
    if isinstance(check, Registered):
        assert isinstance(look.facts, SeriesFacts)
        return SERIES_CHECKS[check.name](look.facts, check.options)
    if isinstance(check, FactTest) and check.operator == FREE_OF:
        assert isinstance(check.operand, tuple)
        assert isinstance(look.facts, SeriesFacts)
        return _irregular(look.facts, [str(kind) for kind in check.operand])
    answer = holds(check, look)
    if isinstance(answer, NotEvaluated):
        return answer
    if answer:
        return PASSED
    return (Hit(sop_instance_uids=blamed(check, look), evidence=_evidence(check, look)),)


def _each_instance(rule: Rule, facts: SeriesFacts) -> Answer:
    """Evaluate once per distinct tuple of the values that the rule looks at."""
    hits, concerned, unknown, passed = list[Hit](), list[Instance](), "", False
    for group in groups(facts, _names(rule)):
        match _of_look(rule, Look(facts, group[0])):
            case NotApplicable():
                continue
            case NotEvaluated(reason):
                unknown = reason
            case ():
                passed = True
            case found:
                hits.extend(found)
                concerned.extend(group)
    if hits:
        first = hits[0]
        return (Hit(first.message, uids(concerned, facts.series.instances), first.evidence),)
    if unknown:
        return NotEvaluated(unknown)
    return PASSED if passed else NotApplicable()


def _names(rule: Rule) -> frozenset[str]:
    own = names(rule.check)
    return own if rule.applies_when is None else own | names(rule.applies_when)


#: Reasons of a model that the question does not arise, rather than that it has no answer.
_DOES_NOT_ARISE: Final = frozenset({Abstention.NOT_APPLICABLE, Abstention.NOT_AXIAL})


def lacking(need: Need, facts: SeriesFacts) -> NotApplicable | NotEvaluated | None:
    """Return why the rule cannot be judged without its prediction; None if it can."""
    usable = decided(facts.inference.of(need.prediction), need.part)
    if isinstance(usable, str):
        if usable in _DOES_NOT_ARISE:
            return NotApplicable()
        return NotEvaluated(f"{need.prediction}: {usable}")
    probability = usable.probability or 0.0
    if probability < need.probability:
        return NotEvaluated(f"{need.prediction}: {Abstention.LOW_PROBABILITY}")
    return NotApplicable() if need.below and probability >= need.below else None


def _irregular(facts: SeriesFacts, kinds: Sequence[str]) -> Answer:
    """One hit per kind, with what was noted first and the instances concerned."""
    hits = []
    for kind in kinds:
        noted = facts.irregularities.get(kind, ())
        if noted:
            concerned = tuple(sorted({uid for uid, _ in noted}))
            everywhere = len(concerned) == len(facts.series.instances)
            first = noted[0][1]
            others = len({each.message for _, each in noted}) - 1
            hits.append(
                Hit(
                    message=_said(first, others, len(concerned)),
                    sop_instance_uids=() if everywhere else concerned,
                    evidence={"kind": kind, **({"path": first.path} if first.path else {})},
                )
            )
    return tuple(hits)


def _said(irregularity: Irregularity, others: int, instances: int) -> str:
    more = f", and {others} more like it" if others else ""
    where = f" (in {instances} instances)" if instances > 1 else ""
    said = irregularity.message
    return f"{said[:1].upper()}{said[1:]}{more}{where}"


def _finding(rule: Rule, hit: Hit, facts: SeriesFacts | StudyFacts) -> Finding:
    message = hit.message or rule.message or rule.title
    evidence, confidence = dict(hit.evidence), hit.confidence
    look = Look(facts, _first_concerned(hit, facts))
    message = PLACE.sub(lambda place: _told_in_message(place[1], look), message)
    if isinstance(facts, SeriesFacts):
        for need in rule.needs:
            prediction = facts.inference.of(need.prediction)
            if prediction is not None:
                asked = f"{need.prediction} {need.part}".strip()
                evidence.setdefault(asked, _told(prediction, need.part))
        if confidence is None:
            confidence = _least(rule.needs, facts)
    return Finding(
        rule=rule.id,
        topic=rule.topic,
        severity=rule.severity if hit.severity is None else hit.severity,
        level=rule.level,
        message=message,
        confidence=confidence,
        sop_instance_uids=hit.sop_instance_uids,
        evidence=evidence,
        proposed=hit.proposed,
        assignment=hit.assignment,
    )


def _told_in_message(name: str, look: Look) -> str:
    """Return a fact for a message; what a model said reads as words, abstained or not."""
    read = fact_name(name)
    if (
        read.kind is Kind.PREDICTION
        and read.part == "label"
        and isinstance(look.facts, SeriesFacts)
    ):
        prediction = look.facts.inference.of(read.word)
        labels = () if prediction is None else labels_of(prediction)
        return " and ".join(labels) or "nothing"
    return shown(look.values(name))


def _first_concerned(hit: Hit, facts: SeriesFacts | StudyFacts) -> Instance | None:
    wanted = set(hit.sop_instance_uids[:1])
    for instance in Look(facts).instances if wanted else ():
        if instance.sop_instance_uid in wanted:
            return instance
    return None


def _least(needs: Sequence[Need], facts: SeriesFacts) -> float | None:
    found: list[float] = []
    for need in needs:
        usable: Part | Prediction | str = decided(facts.inference.of(need.prediction), need.part)
        if not isinstance(usable, str) and usable.probability is not None:
            found.append(usable.probability)
    return min(found, default=None)


def _evidence(condition: Condition, look: Look) -> Mapping[str, str]:
    return {
        name: shown(look.values(name))
        for name in sorted(names(condition) - {FRAMES})
        if fact_name(name).kind is not Kind.ITEM
    }


def shown(said: Said) -> str:
    """Return the values of a fact for a reader, cut to a readable length."""
    if isinstance(said, NotEvaluated):
        return f"({said.reason})"
    if said is None:
        return "(absent)"
    text = "\\".join(said) or "(empty)"
    return text if len(text) <= _VALUE_LENGTH_MAX else f"{text[:_VALUE_LENGTH_MAX]}..."


def _told(prediction: Prediction, part: str = "") -> str:
    half = decided(prediction, part) if part else None
    if isinstance(half, Part):
        return f"{int(half.value)} {half.probability:.3f}"
    said = [
        f"{name} {prediction.probabilities.get(name, 0.0):.3f}" for name in labels_of(prediction)
    ]
    return ", ".join(said) or str(prediction.reason or "nothing")
