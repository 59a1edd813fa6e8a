"""Conditions over many, whom a no is about, and traces that answer as the conditions do."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa_daemon.records.finding import Finding
from qa_daemon.rules.conditions import holds, traced
from qa_daemon.rules.evaluate import judged
from qa_daemon.rules.facts import NotEvaluated, SeriesFacts, StudyFacts
from qa_daemon.rules.looks.look import Look
from qa_daemon.rules.prove import case_series
from qa_daemon.rules.schema import (
    AllOf,
    AnyOf,
    CaseSeries,
    Condition,
    FactTest,
    Not,
    Operand,
    Outcome,
    Quantified,
    Rule,
)

Maker = Callable[..., Rule]

IS_FILLED = {"fact": "item.AccessionNumber", "filled": True}
REQUESTS = {
    "RequestAttributesSequence": (
        {"AccessionNumber": "A1", "RequestedProcedureID": "1"},
        {"AccessionNumber": None, "RequestedProcedureID": "2"},
    )
}


def series_facts(*rows: Mapping[str, Operand], **tags: Operand) -> SeriesFacts:
    return SeriesFacts(case_series(CaseSeries(tags, rows)))


def outcome(made: Rule, facts: SeriesFacts | StudyFacts) -> str:
    judgement = judged(made, facts)
    assert judgement.outcome is not Outcome.FAULT, judgement.reason
    return judgement.outcome.value


def found(made: Rule, facts: SeriesFacts | StudyFacts) -> Finding:
    (finding,) = judged(made, facts).findings
    return finding


@pytest.mark.parametrize(
    ("check", "expected"),
    [
        ({"every": "tag.RequestAttributesSequence", "is": IS_FILLED}, "finding"),
        ({"some": "tag.RequestAttributesSequence", "is": IS_FILLED}, "passed"),
        ({"none": "tag.RequestAttributesSequence", "is": IS_FILLED}, "finding"),
        ({"at_least": 1, "of": "tag.RequestAttributesSequence", "is": IS_FILLED}, "passed"),
        ({"at_least": 2, "of": "tag.RequestAttributesSequence", "is": IS_FILLED}, "finding"),
        ({"at_most": 1, "of": "tag.RequestAttributesSequence", "is": IS_FILLED}, "passed"),
        (
            {
                "every": "tag.RequestAttributesSequence",
                "where": {"fact": "item.RequestedProcedureID", "equals": 1},
                "is": IS_FILLED,
            },
            "passed",
        ),
        ({"every": "tag.ProcedureCodeSequence", "is": IS_FILLED}, "passed"),
        ({"some": "tag.ProcedureCodeSequence", "is": IS_FILLED}, "finding"),
        (
            {
                "some": "tag.RequestAttributesSequence",
                "is": {"fact": "item.RequestedProcedureID", "above": {"fact": "tag.Rows"}},
            },
            "not_evaluated",
        ),
    ],
)  # fmt: skip
def test_items_are_counted(rule: Maker, check: object, expected: str) -> None:
    assert outcome(rule(check=check), series_facts(**REQUESTS)) == expected


def test_items_within_items(rule: Maker) -> None:
    steps: Mapping[str, Operand] = {"ScheduledProtocolCodeSequence": ({"CodeValue": "1"}, {})}
    facts = series_facts(RequestAttributesSequence=(steps, {}))
    code = {"fact": "item.CodeValue", "filled": True}
    inner = {"every": "item.ScheduledProtocolCodeSequence", "is": code}
    asked = rule(check={"every": "tag.RequestAttributesSequence", "is": inner})
    assert outcome(asked, facts) == "finding"
    inner = {"some": "item.ScheduledProtocolCodeSequence", "is": code}
    asked = rule(check={"at_least": 1, "of": "tag.RequestAttributesSequence", "is": inner})
    assert outcome(asked, facts) == "passed"


def test_the_instances_that_are_to_blame_are_named(rule: Maker) -> None:
    facts = series_facts(*({"Laterality": side} for side in ("L", "L", "R", None)))
    uids = [each.sop_instance_uid for each in facts.series.instances]
    left = {"fact": "tag.Laterality", "equals": "L"}
    for check, blamed in (
        ({"every": "instances", "is": left}, uids[2:]),
        ({"none": "instances", "is": left}, uids[:2]),
        ({"fact": "tag.Laterality", "same_in": "series"}, uids[2:3]),
        ({"fact": "tag.Laterality", "unique_in": "series"}, uids[:2]),
        ({"all": [{"fact": "tag.Laterality", "same_in": "series"}]}, uids[2:3]),
        ({"at_least": 3, "of": "instances", "is": left}, []),
    ):
        assert list(found(rule(check=check), facts).sop_instance_uids) == blamed, check


def test_frames_are_gone_over(rule: Maker) -> None:
    frames = tuple({"FrameContentSequence": ({"StackID": stack},)} for stack in ("1", "1", "2"))
    facts = series_facts(PerFrameFunctionalGroupsSequence=frames, NumberOfFrames=3)
    stack = {"fact": "frame.StackID", "equals": "1"}
    assert outcome(rule(check={"every": "frames", "is": stack}), facts) == "finding"
    assert outcome(rule(check={"at_least": 2, "of": "frames", "is": stack}), facts) == "passed"


def test_a_rule_of_a_study_needs_no_python(rule: Maker) -> None:
    series = tuple(
        case_series(CaseSeries({"PatientID": name, "Modality": "CT"}), number)
        for number, name in enumerate(("A", "a ", "A", "B"), start=1)
    )
    facts = StudyFacts(series)
    same = {"fact": "tag.PatientID", "same_in": {"scope": "study", "ignoring": ["case"]}}
    finding = found(rule(level="study", check=same), facts)
    assert finding.sop_instance_uids == (series[3].instances[0].sop_instance_uid,)
    assert outcome(rule(level="study", check=same), StudyFacts(series[:3])) == "passed"
    wanted = {"some": "series", "is": {"fact": "tag.Modality", "equals": "MR"}}
    assert outcome(rule(level="study", check=wanted), facts) == "finding"
    when = {"fact": "study.series", "at_least": 5}
    assert outcome(rule(level="study", applies_when=when, check=same), facts) == "not_applicable"


def test_a_series_is_compared_with_its_study(rule: Maker) -> None:
    one, other = (case_series(CaseSeries({"StudyID": name}), n) for n, name in enumerate("AB"))
    same = rule(check={"fact": "tag.StudyID", "same_in": "study"})
    assert outcome(same, SeriesFacts(one, siblings=(other,))) == "finding"
    assert outcome(same, SeriesFacts(one, siblings=(one,))) == "passed"


# --- three values, and traces --------------------------------------------------------------------

YES = FactTest("tag.Rows", "equals", 1)
NO = FactTest("tag.Rows", "equals", 2)
UNKNOWN = FactTest("prediction.view", "equals", "AP")

CONDITIONS: st.SearchStrategy[Any] = st.recursive(
    st.sampled_from([YES, NO, UNKNOWN]),
    lambda inner: (
        st.builds(Not, inner)
        | st.builds(AllOf, st.lists(inner, min_size=1, max_size=3).map(tuple))
        | st.builds(AnyOf, st.lists(inner, min_size=1, max_size=3).map(tuple))
        | st.builds(
            Quantified,
            st.sampled_from(["every", "some", "none", "at_least", "at_most"]),
            st.just("instances"),
            inner,
            st.none() | inner,
            st.integers(0, 3),
        )
    ),
    max_leaves=6,
)


def possible(condition: Condition, world: Mapping[Condition, bool], count: int) -> bool:
    """Return the answer in plain logic, where every unknown has been settled."""
    match condition:
        case FactTest():
            return world[condition]
        case Not(inner):
            return not possible(inner, world, count)
        case AllOf(parts):
            return all(possible(each, world, count) for each in parts)
        case AnyOf(parts):
            return any(possible(each, world, count) for each in parts)
        case Quantified(quantity, _, inner, where, number):
            # Below, one instance is in view.
            chosen = count if where is None or possible(where, world, 1) else 0
            yes = chosen if possible(inner, world, 1) else 0
            verdicts: dict[str, bool] = {
                "every": yes == chosen,
                "some": yes > 0,
                "none": yes == 0,
                "at_least": yes >= number,
                "at_most": yes <= number,
            }
            return verdicts[quantity]
        case _:
            raise AssertionError


@given(condition=CONDITIONS, count=st.integers(1, 2))
def test_an_answer_holds_whatever_the_unknown_would_be(condition: Condition, count: int) -> None:
    facts = series_facts(*({"InstanceNumber": n} for n in range(count)), Rows=1)
    answer = holds(condition, Look(facts))
    worlds: list[dict[Condition, bool]] = [
        {YES: True, NO: False, UNKNOWN: settled} for settled in (True, False)
    ]
    if not isinstance(answer, NotEvaluated):
        assert [possible(condition, world, count) for world in worlds] == [answer, answer]
    trace = traced(condition, Look(facts))
    assert trace.answer == answer
    assert trace.condition is condition


def test_a_trace_tells_what_was_seen() -> None:
    test = FactTest("tag.Rows", "at_most", {"fact": "tag.Columns"})
    condition = AllOf((Not(test), Quantified("every", "instances", YES)))
    trace = traced(condition, Look(series_facts({}, {}, Rows=1, Columns=2)))
    denied, every = trace.below
    assert denied.below[0].seen == (("tag.Rows", ("1",)), ("tag.Columns", ("2",)))
    assert [each.count for each in every.below] == [2]


def test_unknown_names_are_no_rows() -> None:
    rows: Sequence[Mapping[str, Operand]] = ({"Laterality": "L"}, {"Laterality": "R"})
    facts = series_facts(*rows)
    where = FactTest("tag.Laterality", "equals", "L")
    every = Quantified("every", "instances", UNKNOWN, where)
    assert isinstance(holds(every, Look(facts)), NotEvaluated)
    none_left = Quantified("every", "instances", UNKNOWN, FactTest("tag.Rows", "equals", 1))
    assert holds(none_left, Look(facts)) is True
