"""Explanations tell the outcome that the engine gives, and what it rests on."""

from collections.abc import Callable, Mapping

from attrs import evolve

from qa_daemon.records.inference import Inference
from qa_daemon.rules.catalogue.explain import explained, seen_text
from qa_daemon.rules.evaluate import judged
from qa_daemon.rules.facts import SeriesFacts
from qa_daemon.rules.prove import case_prediction, case_series, facts_of
from qa_daemon.rules.schema import CaseSeries, Operand, Outcome, Rule, RulePack

Maker = Callable[..., Rule]


def facts(*rows: Mapping[str, Operand], view: Mapping[str, float] | None = None) -> SeriesFacts:
    seen = () if view is None else (case_prediction("view", view),)
    return SeriesFacts(case_series(CaseSeries({"Modality": "CR"}, rows)), Inference(seen))


def test_every_case_of_every_shipped_rule_is_explained(shipped_pack: RulePack) -> None:
    for rule in shipped_pack.rules.values():
        for case in rule.cases:
            subject = facts_of(rule, case)
            told = explained(rule, subject)
            assert told.outcome is judged(rule, subject).outcome
            for part in told.parts:
                if part.check is not None and told.outcome is Outcome.PASSED:
                    assert part.applies is None or part.applies.answer is True


def test_the_conditions_are_told_with_the_values_seen(rule: Maker) -> None:
    made = rule(
        applies_when={"fact": "tag.Modality", "equals": "CR"},
        check={"fact": "tag.Rows", "at_most": {"fact": "tag.Columns"}},
    )
    told = explained(made, facts({"Rows": 3, "Columns": 2}))
    (part,) = told.parts
    assert part.applies is not None
    assert part.check is not None
    assert seen_text(part.applies) == "tag.Modality = CR"
    assert seen_text(part.check) == "tag.Rows = 3, tag.Columns = 2"
    assert told.outcome is Outcome.FINDING


def test_a_check_that_was_not_asked_is_not_told(rule: Maker) -> None:
    made = rule(applies_when={"fact": "tag.Modality", "equals": "CT"})
    told = explained(made, facts({}))
    assert (told.outcome, told.parts[0].check) == (Outcome.NOT_APPLICABLE, None)


def test_instances_that_say_the_same_are_told_once(rule: Maker) -> None:
    made = rule(level="instance", check={"fact": "tag.Laterality", "in": ["L", "R"]})
    told = explained(made, facts(*({"Laterality": side} for side in "LLRX")))
    assert [part.instances for part in told.parts] == [2, 1, 1]


def test_what_a_rule_needs_is_told(rule: Maker) -> None:
    made = rule(needs=[{"prediction": "view", "probability": 0.95}])
    sure, unsure = (explained(made, facts({}, view={"AP": p, "PA": 1 - p})) for p in (0.99, 0.6))
    assert [each.is_met for each in sure.needs] == [True]
    assert sure.needs[0].seen == "AP, 0.990 sure"
    assert [each.is_met for each in unsure.needs] == [False]
    assert unsure.needs[0].seen == "AP, 0.600 sure, abstained: low_probability"
    assert explained(made, facts({})).needs[0].seen == "view: not asked for"
    assert explained(evolve(made, needs=()), facts({})).needs == ()
