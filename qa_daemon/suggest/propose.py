"""A series judged: what the rules find, each finding with the exact changes that would mend it."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

from attrs import evolve

from qa_daemon.dicom.regions import body_part, is_defined_term
from qa_daemon.records.finding import Finding, Suggestion, Verdict
from qa_daemon.records.inference import Inference
from qa_daemon.records.prediction import Prediction
from qa_daemon.records.series import Series
from qa_daemon.rules.checks.orientation import Comparison, compared
from qa_daemon.rules.checks.part.named import part_of_code
from qa_daemon.rules.evaluate import evaluate, judged
from qa_daemon.rules.facts import SeriesFacts, StudyFacts, texts_of
from qa_daemon.rules.schema import Outcome, Registered, Rule, RulePack, Suggest
from qa_daemon.suggest.orientation import orientation_suggestions
from qa_daemon.suggest.radiograph import (
    patient_orientation_suggestions,
    photometric_suggestions,
    plane_letters_suggestions,
    with_confidence,
)
from qa_daemon.suggest.region import body_part_for
from qa_daemon.suggest.side import per_image_suggestions, side_suggestions
from qa_daemon.suggest.values import applied, obeys_vr, removing, replacing


def judge(
    series: Series, inference: Inference, pack: RulePack, *, siblings: Sequence[Series] = ()
) -> Verdict:
    """Return what the rules say about a series, suggestions attached.

    Parameters
    ----------
    siblings
        The other series of the study, for evidence about its frame of reference.
    """
    facts = SeriesFacts(series, inference, tuple(siblings))
    return _with_suggestions(evaluate(pack, facts), pack, facts)


def judge_study(series: Sequence[Series], pack: RulePack) -> Verdict:
    """Return what the rules of level study say about all series of one study."""
    facts = StudyFacts(tuple(series))
    return _with_suggestions(evaluate(pack, facts), pack, facts)


def _with_suggestions(verdict: Verdict, pack: RulePack, facts: SeriesFacts | StudyFacts) -> Verdict:
    findings = tuple(propose(pack.rules[each.rule], each, facts) for each in verdict.findings)
    return evolve(verdict, findings=findings)


def propose(rule: Rule, finding: Finding, facts: SeriesFacts | StudyFacts) -> Finding:
    """Return the finding with its suggestions, the likeliest first."""
    if rule.suggest is None or isinstance(facts, StudyFacts):
        return finding
    try:
        suggestions = _suggestions(rule, rule.suggest, finding, facts)
    except Exception as error:  # noqa: BLE001 the finding stands, whatever its suggestion does
        said = {"suggestion": f"could not be made ({type(error).__name__})"}
        return evolve(finding, evidence={**finding.evidence, **said})
    if not suggestions:
        return finding
    return evolve(finding, suggestion=suggestions[0], alternatives=suggestions[1:])


def _suggestions(
    rule: Rule, suggest: Suggest, finding: Finding, facts: SeriesFacts
) -> tuple[Suggestion, ...]:
    if suggest.way == "registered":
        found = REGISTERED[suggest.subject](rule, facts)
        if suggest.subject in {"orientation", *JUDGED_BY_PIXELS}:
            return found  # orientations are held by tests of their own, over every class
        sure = [with_confidence(each, finding.confidence) for each in found]
        return _mending(rule, sure, facts)
    if suggest.way == "remove":
        changes = removing(facts.series, suggest.subject)
    else:
        values = SOURCES[suggest.source](suggest, facts)
        changes = replacing(facts.series, suggest.subject, values) if values else ()
    suggestion = Suggestion(changes, confidence=finding.confidence)
    return (suggestion,) if changes and _mends(rule, suggestion, facts) else ()


def _mending(
    rule: Rule, suggestions: Iterable[Suggestion], facts: SeriesFacts
) -> tuple[Suggestion, ...]:
    return tuple(each for each in suggestions if each.changes and _mends(rule, each, facts))


def _mends(rule: Rule, suggestion: Suggestion, facts: SeriesFacts) -> bool:
    """Whether the values may be written, and the check that fired passes with them."""
    if not all(obeys_vr(change.vr, change.proposed or ()) for change in suggestion.changes):
        return False
    mended = evolve(facts, series=applied(facts.series, suggestion.changes))
    return judged(rule, mended).outcome in {Outcome.PASSED, Outcome.NOT_APPLICABLE}


def _orientation(rule: Rule, facts: SeriesFacts) -> tuple[Suggestion, ...]:
    """Propose the tags under which the pixels would be right, one variant per hypothesis."""
    options = rule.check.options if isinstance(rule.check, Registered) else {}
    mirror_probability = options.get("mirror_probability", 0.0)
    assert isinstance(mirror_probability, int | float)
    comparison = compared(facts, mirror_probability)
    if not isinstance(comparison, Comparison) or comparison.turn == 0:
        return ()
    return orientation_suggestions(
        facts.series,
        comparison.predicted,
        comparison.confidence,
        siblings=facts.siblings,
        table_side=facts.inference.table_side,
        stack_direction=_stack_direction(facts),
    )


def _stack_direction(facts: SeriesFacts) -> str | None:
    prediction = facts.inference.of("stack_direction")
    return None if prediction is None or prediction.abstained else prediction.label


def _from_prediction(suggest: Suggest, facts: SeriesFacts) -> tuple[str, ...]:
    prediction = facts.inference.of(str(suggest.argument))
    if not isinstance(prediction, Prediction) or prediction.abstained:
        return ()
    accepted = prediction.labels if prediction.labels is not None else (prediction.label or "",)
    if suggest.subject in _WRITABLE_LABELS:
        return accepted if set(accepted) <= _WRITABLE_LABELS[suggest.subject] else ()
    term = body_part_for(accepted)
    if term is None and suggest.argument == "body_part" and accepted:
        term = accepted[0]  # of a hand with its wrist the surer is named
    # Sinuses and teeth have no term (PS3.16 Annex L).
    return () if term is None or not is_defined_term(term) else (term,)


def _given(suggest: Suggest, _: SeriesFacts) -> tuple[str, ...]:
    return (str(suggest.argument),)


def _upper_case(suggest: Suggest, facts: SeriesFacts) -> tuple[str, ...]:
    found = {
        tuple(value.upper() for value in texts_of(element))
        for instance in facts.series.instances
        if (element := instance.elements.get(suggest.subject)) is not None
    }
    # Instances that mean different things are not made to say one.
    return found.pop() if len(found) == 1 else ()


def _known_term(suggest: Suggest, facts: SeriesFacts) -> tuple[str, ...]:
    """Return the term of PS3.16 Annex L that a body part in other spelling means."""
    part = body_part(facts.text(suggest.subject))
    return () if part is None else (part.term,)


def _term_of_code(_: Suggest, facts: SeriesFacts) -> tuple[str, ...]:
    """Return the term for the code in Anatomic Region Sequence."""
    part = part_of_code(facts)
    return () if part is None else (part.term,)


#: Findings that pixels alone decide: they stay the same whatever is written.
JUDGED_BY_PIXELS: Final = frozenset({"other_grey"})
#: Labels that may be written where not all may: of a lateral view left or right is not known.
_WRITABLE_LABELS: Final = {"ViewPosition": frozenset({"AP", "PA"})}

#: Where a replaced value comes from.
SOURCES: Final[Mapping[str, Callable[[Suggest, SeriesFacts], tuple[str, ...]]]] = {
    "from_prediction": _from_prediction,
    "term_of_code": _term_of_code,
    "with": _given,
    "upper_case": _upper_case,
    "known_term": _known_term,
}

#: Ways too involved for one value, by the name that rules use.
REGISTERED: Final[Mapping[str, Callable[[Rule, SeriesFacts], tuple[Suggestion, ...]]]] = {
    "orientation": _orientation,
    "patient_orientation": patient_orientation_suggestions,
    "plane_letters": plane_letters_suggestions,
    "other_grey": photometric_suggestions,
    "one_side": lambda _, facts: side_suggestions(facts),
    "side_per_image": lambda _, facts: per_image_suggestions(facts),
}
