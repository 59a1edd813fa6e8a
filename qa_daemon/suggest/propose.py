"""A series judged: what the rules find, each finding with the exact changes that would mend it."""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Final

from attrs import evolve

from qa_daemon.orders.asked import with_told
from qa_daemon.records.element import first_text
from qa_daemon.records.finding import Change, Finding, Suggestion, Verdict
from qa_daemon.records.inference import Inference
from qa_daemon.records.order import NamedRegion, Order
from qa_daemon.records.series import Series
from qa_daemon.rules.checks.orientation import Comparison, compared
from qa_daemon.rules.checks.projection.directions import expected_by, letters_of
from qa_daemon.rules.evaluate import evaluate, judged
from qa_daemon.rules.facts import Context, SeriesFacts, StudyFacts, VisitFacts
from qa_daemon.rules.schema import Outcome, Registered, Rule, RulePack, Suggest
from qa_daemon.suggest import sources
from qa_daemon.suggest.orientation import orientation_suggestions
from qa_daemon.suggest.radiograph import (
    letters_suggestions,
    patient_orientation_suggestions,
    photometric_suggestions,
    plane_letters_suggestions,
    with_confidence,
)
from qa_daemon.suggest.side import per_image_suggestions, side_suggestions
from qa_daemon.suggest.values import applied, majority, obeys_vr, removing, writing
from qa_daemon.suggest.visit.order import with_order


def judge(
    series: Series,
    inference: Inference,
    pack: RulePack,
    *,
    siblings: Sequence[Series] = (),
    context: Context = Context(),  # noqa: B008  frozen
) -> Verdict:
    """Return what the rules say about a series, suggestions attached.

    Parameters
    ----------
    siblings
        The other series of the study, for evidence about its frame of reference.
    context
        What is known besides the images.
    """
    facts = SeriesFacts(series, inference, tuple(siblings), context)
    return _with_suggestions(evaluate(pack, facts), pack, facts)


def judge_study(
    series: Sequence[Series],
    pack: RulePack,
    context: Context = Context(),  # noqa: B008  frozen
) -> Verdict:
    """Return what the rules of level study say about all series of one study."""
    facts = StudyFacts(tuple(series), context)
    return _with_suggestions(evaluate(pack, facts), pack, facts)


def judge_visit(
    series: Sequence[Series],
    inferences: Mapping[str, Inference],
    orders: Sequence[Order],
    pack: RulePack,
    usual: Mapping[str, tuple[NamedRegion, ...]] = MappingProxyType({}),
) -> Verdict:
    """Return what the rules of level visit say, with the changes that would mend it.

    Parameters
    ----------
    inferences
        By Series Instance UID.
    orders
        Those known of; what the images themselves tell is added.
    usual
        By Series Instance UID: what its station usually images under its protocol.
    """
    facts = visit_facts(series, inferences, orders, usual)
    return _with_suggestions(evaluate(pack, facts), pack, facts)


def visit_facts(
    series: Sequence[Series],
    inferences: Mapping[str, Inference],
    orders: Sequence[Order],
    usual: Mapping[str, tuple[NamedRegion, ...]] = MappingProxyType({}),
) -> VisitFacts:
    """Return what rules of level visit see: orders that the images tell of are among them.

    In one order, whichever series is judged: the same finding has to come out the same.
    """
    whole = tuple(sorted(series, key=lambda each: (each.study_instance_uid, _number(each))))
    known = with_told(sorted(orders, key=lambda each: str(each.key)), whole)
    return VisitFacts(whole, inferences=inferences, orders=known, usual=usual)


def _number(series: Series) -> tuple[int, str]:
    number = first_text(series.shared, "SeriesNumber")
    return (int(number) if number.isdecimal() else 0, series.series_instance_uid)


def _check(rule: Rule) -> str:
    return rule.check.name if isinstance(rule.check, Registered) else ""


def _with_suggestions(verdict: Verdict, pack: RulePack, facts: SeriesFacts | StudyFacts) -> Verdict:
    findings = tuple(propose(pack.rules[each.rule], each, facts) for each in verdict.findings)
    return evolve(verdict, findings=findings)


def propose(rule: Rule, finding: Finding, facts: SeriesFacts | StudyFacts) -> Finding:
    """Return the finding with its suggestions, the likeliest first."""
    if isinstance(facts, VisitFacts):
        return with_order(_check(rule), evolve(finding, proposed={}), facts)
    if rule.suggest is None or isinstance(facts, StudyFacts):
        return evolve(finding, proposed={})
    try:
        suggestions = _suggestions(rule, rule.suggest, finding, facts)
    except Exception as error:  # noqa: BLE001 the finding stands, whatever its suggestion does
        said = {"suggestion": f"could not be made ({type(error).__name__})"}
        return evolve(finding, evidence={**finding.evidence, **said}, proposed={})
    finding = evolve(finding, proposed={})
    if not suggestions:
        return finding
    evidence = {**finding.evidence, **_majorities(rule.suggest, facts)}
    return evolve(
        finding, evidence=evidence, suggestion=suggestions[0], alternatives=suggestions[1:]
    )


def _majorities(suggest: Suggest, facts: SeriesFacts) -> dict[str, str]:
    """Return, for what is made the same, how many images say so already."""
    return {
        f"most images, {each.subject}": str(majority(facts.series, each.subject))
        for each in (suggest, *suggest.more)
        if each.way == "make_same"
    }


def _suggestions(
    rule: Rule, suggest: Suggest, finding: Finding, facts: SeriesFacts
) -> tuple[Suggestion, ...]:
    made = _made(rule, suggest, finding, facts)
    if suggest.subject in {"orientation", *JUDGED_BY_PIXELS}:
        return made  # orientations are held by tests of their own, over every class
    return tuple(each for each in made if _mends(rule, each, facts))


def as_seen(rule: Rule, facts: SeriesFacts, seen: int) -> tuple[Suggestion, ...] | None:
    """Return what to write if the pixels lie as a person sees them, the likeliest cause first.

    Parameters
    ----------
    seen
        The class of `orientation_maths`, 0 to 7.

    Returns
    -------
    tuple of Suggestion or None
        `()` where the tags say so already; None where the rule is not about how a picture lies.
    """
    subject = "" if rule.suggest is None else rule.suggest.subject
    if subject == "orientation":
        return orientation_suggestions(
            facts.series,
            seen,
            1.0,
            siblings=facts.siblings,
            table_side=facts.inference.table_side,
            stack_direction=_stack_direction(facts),
        )
    if subject == "patient_orientation":
        stated = letters_of(facts.series.instances[0])
        expected = 0 if stated is None else expected_by(stated)
        return None if expected is None else letters_suggestions(facts, seen, expected, None)
    return None


def still_found(rule: Rule, suggestion: Suggestion, facts: SeriesFacts) -> str:
    """Return what the check would say after these changes; "" where it would pass.

    What pixels alone decide stays the same whatever is written, and is not asked.
    """
    if rule.suggest is not None and rule.suggest.subject in JUDGED_BY_PIXELS:
        return ""
    mended = judged(rule, evolve(facts, series=applied(facts.series, suggestion.changes)))
    if mended.outcome in {Outcome.PASSED, Outcome.NOT_APPLICABLE}:
        return ""
    return mended.findings[0].message if mended.findings else mended.reason or mended.outcome.value


def unfit(rule: Rule, finding: Finding, facts: SeriesFacts | StudyFacts) -> tuple[Suggestion, ...]:
    """Return the suggestions that were left out: with them the check would not pass either."""
    suggest = rule.suggest
    if suggest is None or isinstance(facts, StudyFacts) or suggest.subject == "orientation":
        return ()
    if suggest.subject in JUDGED_BY_PIXELS:
        return ()
    made = _made(rule, suggest, finding, facts)
    return tuple(each for each in made if not _mends(rule, each, facts))


def _made(
    rule: Rule, suggest: Suggest, finding: Finding, facts: SeriesFacts
) -> tuple[Suggestion, ...]:
    """Return what the rule would suggest, each different change once, fit or not."""
    if suggest.way == "registered":
        found = REGISTERED[suggest.subject](rule, facts)
        if suggest.subject in {"orientation", *JUDGED_BY_PIXELS}:
            return found
        made = [with_confidence(each, finding.confidence) for each in found]
    else:
        made = [
            Suggestion(changes_of(each, finding, facts), confidence=finding.confidence)
            for each in (suggest, *rule.alternatives)
        ]
    return tuple(each for at, each in enumerate(made) if each.changes and each not in made[:at])


def changes_of(suggest: Suggest, finding: Finding, facts: SeriesFacts) -> tuple[Change, ...]:
    """Return all changes of one suggestion; `()` where a value of it is not known."""
    changes: list[Change] = []
    for each in (suggest, *suggest.more):
        if each.way == "remove":
            changes.extend(removing(facts.series, each.subject))
            continue
        if each.way == "make_same":
            values = majority(facts.series, each.subject).values
        else:
            values = SOURCES[each.source](each, facts, finding)
        if not values:
            return ()
        changes.extend(writing(facts.series, each.subject, values))
    return tuple(changes)


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


#: Findings that pixels alone decide: they stay the same whatever is written.
JUDGED_BY_PIXELS: Final = frozenset({"other_grey"})

#: Where a replaced value comes from.
SOURCES: Final = sources.SOURCES

#: Ways too involved for one value, by the name that rules use.
REGISTERED: Final[Mapping[str, Callable[[Rule, SeriesFacts], tuple[Suggestion, ...]]]] = {
    "orientation": _orientation,
    "patient_orientation": patient_orientation_suggestions,
    "plane_letters": plane_letters_suggestions,
    "other_grey": photometric_suggestions,
    "one_side": lambda _, facts: side_suggestions(facts),
    "side_per_image": lambda _, facts: per_image_suggestions(facts),
}
