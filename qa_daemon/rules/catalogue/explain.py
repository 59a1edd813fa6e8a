"""Why a rule fired, passed, did not apply or could not be evaluated, with the values it saw."""

from collections.abc import Iterator
from typing import Final

from attrs import frozen

from qa_daemon.records.finding import Finding, Level
from qa_daemon.records.prediction import Prediction
from qa_daemon.rules.conditions import Trace, names, traced
from qa_daemon.rules.evaluate import judged, lacking, shown
from qa_daemon.rules.facts import NotApplicable, NotEvaluated, SeriesFacts, StudyFacts, decided
from qa_daemon.rules.looks.columns import groups
from qa_daemon.rules.looks.look import Look, labels_of
from qa_daemon.rules.operators.table import FREE_OF
from qa_daemon.rules.schema import Condition, FactTest, Need, Outcome, Registered, Rule

# Groups of instances that are explained; a series that says ten things is told by the first ones.
_GROUPS_MAX: Final = 3


@frozen
class Needed:
    """What a rule needs of the models: what was seen, and whether that is enough."""

    need: Need
    seen: str
    is_met: bool


@frozen
class Part:
    """The conditions over the whole subject, or over instances that say the same.

    Attributes
    ----------
    instances
        How many; 0 means the subject as a whole.
    check
        None where it was not asked, or where a registered check answers for itself.
    """

    instances: int
    applies: Trace | None
    check: Trace | None


@frozen
class Explanation:
    """How a rule came to its outcome."""

    rule: Rule
    outcome: Outcome
    reason: str
    needs: tuple[Needed, ...]
    parts: tuple[Part, ...]
    findings: tuple[Finding, ...]


def explained(rule: Rule, facts: SeriesFacts | StudyFacts) -> Explanation:
    """Return how a rule came to its outcome over a series or a study."""
    judgement = judged(rule, facts)
    return Explanation(
        rule,
        judgement.outcome,
        judgement.reason,
        tuple(_needs(rule, facts)),
        tuple(_parts(rule, facts)),
        judgement.findings,
    )


def _needs(rule: Rule, facts: SeriesFacts | StudyFacts) -> Iterator[Needed]:
    if isinstance(facts, SeriesFacts):
        for need in rule.needs:
            reason = lacking(need, facts)
            yield Needed(need, _seen(need, facts, reason), reason is None)


def _seen(need: Need, facts: SeriesFacts, reason: NotApplicable | NotEvaluated | None) -> str:
    prediction = facts.inference.of(need.prediction)
    if prediction is None or prediction.probability is None:
        return reason.reason if reason is not None and reason.reason else "nothing"
    usable = decided(prediction, need.part)
    sure = prediction.probability if isinstance(usable, str | Prediction) else usable.probability
    labels = " and ".join(labels_of(prediction)) or str(prediction.label)
    abstained = f", abstained: {usable}" if isinstance(usable, str) else ""
    return f"{labels}, {sure or 0.0:.3f} sure{abstained}"


def _parts(rule: Rule, facts: SeriesFacts | StudyFacts) -> Iterator[Part]:
    if rule.level is not Level.INSTANCE or isinstance(facts, StudyFacts):
        yield _part(rule, Look(facts), 0)
        return
    own = names(rule.check)
    if rule.applies_when is not None:
        own |= names(rule.applies_when)
    for group in groups(facts, own)[:_GROUPS_MAX]:
        yield _part(rule, Look(facts, group[0]), len(group))


def _part(rule: Rule, look: Look, instances: int) -> Part:
    applies = None if rule.applies_when is None else traced(rule.applies_when, look)
    is_asked = applies is None or applies.answer is True
    check = traced(rule.check, look) if is_asked and _is_traced(rule.check) else None
    return Part(instances, applies, check)


def _is_traced(check: Condition) -> bool:
    """Whether the check is conditions, and no word or function that answers in hits."""
    return not isinstance(check, Registered) and not (
        isinstance(check, FactTest) and check.operator == FREE_OF
    )


def seen_text(trace: Trace) -> str:
    """Return what a test looked at, for a reader: `tag.Modality = CT, tag.Rows = 512`."""
    return ", ".join(f"{name} = {shown(said)}" for name, said in trace.seen)
