"""Each word of conditions, over a series and over an instance."""

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa_daemon.records.inference import Inference
from qa_daemon.rules.facts import NotEvaluated, SeriesFacts
from qa_daemon.rules.operators import OPERATORS, Answered, Look
from qa_daemon.rules.prove import case_prediction, case_series
from qa_daemon.rules.schema import CaseSeries, FactTest, Operand


def asked(
    fact: str,
    operator: str,
    operand: Operand,
    tags: Mapping[str, Operand],
    regions: Mapping[str, float] | None = None,
) -> Answered:
    predictions = () if regions is None else (case_prediction("body_region", regions),)
    look = Look(SeriesFacts(case_series(CaseSeries(tags)), Inference(predictions)))
    return OPERATORS[operator].apply(look, FactTest(fact, operator, operand))


@pytest.mark.parametrize(
    ("fact", "operator", "operand", "tags", "answer"),
    [
        ("tag.Modality", "present", True, {"Modality": None}, True),
        ("tag.Modality", "present", True, {}, False),
        ("tag.Modality", "present", False, {}, True),
        ("tag.Modality", "filled", True, {"Modality": None}, False),
        ("tag.Modality", "filled", True, {"Modality": "CT"}, True),
        ("tag.Modality", "filled", False, {}, True),
        ("tag.Modality", "equals", "CT", {"Modality": "CT"}, True),
        ("tag.ImageType", "equals", "CT", {"ImageType": ("CT", "MR")}, False),
        ("tag.ImageType[2]", "equals", "MR", {"ImageType": ("CT", "MR")}, True),
        ("tag.ImageType[3]", "equals", "MR", {"ImageType": ("CT", "MR")}, False),
        ("tag.Rows", "equals", 512, {"Rows": 512}, True),
        ("tag.ImageType", "in", ("CT", "MR"), {"ImageType": ("CT", "MR")}, True),
        ("tag.ImageType", "in", ("CT",), {"ImageType": ("CT", "MR")}, False),
        ("tag.ImageType", "in", ("CT",), {}, False),
        ("tag.ImageType", "contains", "MR", {"ImageType": ("CT", "MR")}, True),
        ("tag.ImageType", "contains", "MR", {}, False),
        ("tag.Rows", "at_least", 10, {"Rows": 10}, True),
        ("tag.Rows", "at_least", 11, {"Rows": 10}, False),
        ("tag.Rows", "at_least", 11, {}, False),
        ("series.instances", "at_least", 1, {}, True),
        ("series.instances", "at_least", 2, {}, False),
        ("series.orientations", "at_least", 1, {}, False),
        ("tag.SOPClassUID", "equals", "1.2.3", {"SOPClassUID": "1.2.3"}, True),
    ],
)
def test_an_operator_answers_by_its_word(
    *, fact: str, operator: str, operand: Operand, tags: Mapping[str, Operand], answer: bool
) -> None:
    assert asked(fact, operator, operand, tags) is answer


def test_a_number_that_is_none_is_unknown() -> None:
    assert isinstance(asked("tag.KVP", "at_least", 1, {"KVP": "many"}), NotEvaluated)


@pytest.mark.parametrize(
    ("term", "regions", "answer"),
    [
        ("CHEST", {"CHEST": 0.99}, True),
        ("THORAX", {"CHEST": 0.99}, True),
        ("LUNG", {"ABDOMEN": 0.99, "CHEST": 0.02}, False),
        ("LUNG", {"ABDOMEN": 0.99, "CHEST": 0.06}, True),
        ("KNEE", {"CHEST": 0.99}, False),
        ("chest", {"CHEST": 0.99}, True),
        ("WHOLEBODY", {"CHEST": 0.99}, True),
        ("HEADNECK", {"NECK": 0.99}, True),
    ],
)
def test_a_body_part_is_compared_as_a_set_of_regions(
    *, term: str, regions: Mapping[str, float], answer: bool
) -> None:
    operand = {"prediction": "body_region"}
    tags = {"BodyPartExamined": term}
    assert asked("tag.BodyPartExamined", "overlaps_region", operand, tags, regions) is answer


def test_a_body_part_that_no_table_knows_is_unknown() -> None:
    operand, regions = {"prediction": "body_region"}, {"CHEST": 0.99}
    # The model has no class for upper limbs, so it cannot deny one either.
    for tags in ({"BodyPartExamined": "MRI LWK"}, {"BodyPartExamined": "HAND"}, {}):
        answer = asked("tag.BodyPartExamined", "overlaps_region", operand, tags, regions)
        assert isinstance(answer, NotEvaluated)
    assert isinstance(
        asked("tag.BodyPartExamined", "overlaps_region", operand, {"BodyPartExamined": "CHEST"}),
        NotEvaluated,
    )


def test_an_instance_is_looked_at_by_itself() -> None:
    series = case_series(CaseSeries({}, ({"Modality": "CT"}, {"Modality": "MR"}, {})))
    facts = SeriesFacts(series)
    seen = [Look(facts, each).values("tag.Modality") for each in series.instances]
    assert seen == [("CT",), ("MR",), None]


def test_a_series_shows_what_the_first_filled_instance_says() -> None:
    series = case_series(
        CaseSeries({}, ({"BodyPartExamined": None}, {"BodyPartExamined": "CHEST"}, {}))
    )
    facts = SeriesFacts(series)
    assert Look(facts).values("tag.BodyPartExamined") == ("CHEST",)
    assert facts.text("BodyPartExamined") == "CHEST"
    assert facts.text("Laterality") == ""
    only_empty = SeriesFacts(case_series(CaseSeries({}, ({"BodyPartExamined": None}, {}))))
    assert Look(only_empty).values("tag.BodyPartExamined") == ()


OPERANDS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=4),
    lambda inner: st.tuples(inner) | st.dictionaries(st.text(max_size=4), inner, max_size=2),
    max_leaves=3,
)


@given(name=st.sampled_from(sorted(OPERATORS)), operand=OPERANDS)
def test_an_operand_that_is_accepted_never_breaks_its_operator(name: str, operand: Operand) -> None:
    if OPERATORS[name].accepts(operand):
        answer = asked("tag.Rows", name, operand, {"Rows": 5}, {"CHEST": 0.9})
        assert answer in {True, False} or isinstance(answer, NotEvaluated)
