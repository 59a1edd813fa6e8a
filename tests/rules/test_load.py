"""Rule files are read strictly, and everything wrong with them is said at once."""

from collections.abc import Callable
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from qa_daemon.errors import ConfigurationError
from qa_daemon.records.finding import Level, Severity, Topic
from qa_daemon.rules.load import load_pack
from qa_daemon.rules.schema import (
    AllOf,
    AnyOf,
    FactTest,
    Need,
    Not,
    Registered,
    Suggest,
)

Text = Callable[..., str]


def faults_of(text: str, path: str = "rules/a.yaml") -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        load_pack({path: text})
    return str(caught.value).splitlines()


def test_the_form_of_the_contract_is_read() -> None:
    text = """
id: REGION-900
title: Body Part Examined disagrees with the pixels
topic: body_part
severity: major
status: stable            # draft, test, stable, retired
version: 1
level: series             # instance, series, study, visit
rationale: Archives route, hang and bill by this attribute (PS3.16 Annex L).
known_false_positives: [organ names used for the region around them]
applies_when:
  {all: [{fact: tag.Modality, in: [CT, MR]}, {fact: tag.BodyPartExamined, filled: true}]}
needs: [{prediction: body_region, probability: 0.97}]
check: {fact: tag.BodyPartExamined, overlaps_region: {prediction: body_region}}
suggest: {replace: BodyPartExamined, from_prediction: body_region, scope: series}
cases:
  - name: knee tag on a chest
    tags: {Modality: CT, BodyPartExamined: KNEE}
    predictions: {body_region: {CHEST: 0.99}}
    outcome: finding
    proposes: [CHEST]
  - name: an unsure model
    tags: {Modality: CT, BodyPartExamined: KNEE}
    predictions: {body_region: {CHEST: 0.80}}
    outcome: not_evaluated
"""
    read = load_pack({"rules/a.yaml": text}).rules["REGION-900"]
    assert (read.topic, read.severity, read.level) == (
        Topic.BODY_PART,
        Severity.MAJOR,
        Level.SERIES,
    )
    assert read.is_enabled
    assert read.applies_when == AllOf(
        (
            FactTest("tag.Modality", "in", ("CT", "MR")),
            FactTest("tag.BodyPartExamined", "filled", operand=True),
        )
    )
    assert read.needs == (Need("body_region", 0.97),)
    assert read.suggest == Suggest(
        "replace", "BodyPartExamined", "series", "from_prediction", "body_region"
    )
    assert [case.proposes for case in read.cases] == [("CHEST",), None]


def test_conditions_nest(rule_text: Text) -> None:
    modality = {"fact": "tag.Modality", "equals": "CT"}
    text = rule_text(check={"any": [{"not": modality}, {"registered": "planes_same"}]})
    read = load_pack({"rules/a.yaml": text}).rules["TEST-001"]
    assert read.check == AnyOf(
        (Not(FactTest("tag.Modality", "equals", "CT")), Registered("planes_same"))
    )


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ({"severity": "mayor"}, "unknown severity 'mayor'; the nearest known is 'major'"),
        ({"topic": "geometrie"}, "unknown topic 'geometrie'; the nearest known is 'geometry'"),
        ({"status": "on"}, "unknown status 'on'; use one of draft"),
        ({"level": "image"}, "unknown level 'image'"),
        ({"title": ""}, "title must be a text"),
        ({"version": "one"}, "version must be a whole number"),
        ({"rational": "x"}, "unknown word 'rational'; the nearest known is 'rationale'"),
        ({"rationale": None}, "the key 'rationale' is missing"),
        ({"check": {"fact": "tag.Modality", "is": "CT"}}, "unknown operator 'is'"),
        (
            {"check": {"fact": "tag.Modality", "equal": "CT"}},
            "unknown operator 'equal'; the nearest known is 'equals'",
        ),
        ({"check": {"fact": "tag.Modality", "in": "CT"}}, "'in' takes a list of values"),
        ({"check": {"fact": "tag.Modality", "filled": "yes"}}, "'filled' takes true or false"),
        ({"check": {"fact": "tag.Modality"}}, "exactly one operator"),
        ({"check": {"fact": "Modality", "filled": True}}, "element write tag.Modality"),
        ({"check": {"fact": "tag.(0008,0050)", "filled": True}}, "eight digits, tag.00080050"),
        ({"check": {"fact": "tag.Modality", "is": "CT"}}, "those most used are filled, present"),
        ({"check": [{"fact": "tag.Modality", "filled": True}]}, "a list below all: or any:"),
        (
            {"check": {"fact": "tag.Modalitty", "filled": True}},
            "'Modalitty' is not read; the nearest known is 'Modality'",
        ),
        ({"check": {"registered": "plane_same"}}, "the nearest known is 'planes_same'"),
        ({"check": "Modality == 'CT'"}, "a condition is"),
        ({"check": {"fact": "tag.Modality", "free_of": ["a"]}}, "write {fact: irregularities"),
        ({"check": {"fact": "irregularities", "filled": True}}, "unknown fact 'irregularities'"),
        (
            {"level": "study", "check": {"fact": "series.instances", "at_least": 2}},
            "'series.instances' is a fact of one series; this rule looks at a study",
        ),
        (
            {"level": "study", "check": {"registered": "planes_same"}},
            "unknown check 'planes_same'",
        ),
        ({"check": {"all": []}}, "'all' of nothing"),
        ({"check": {"fact": "item.CodeValue", "filled": True}}, "has no item to look at"),
        ({"check": {"fact": "tag.Modality.CodeValue", "filled": True}}, "is no sequence"),
        ({"check": {"fact": "tag.PixelData", "filled": True}}, "holds bytes"),
        ({"check": {"fact": "private.X.0008xx01", "filled": True}}, "the group odd"),
        ({"check": {"fact": "order.acession", "filled": True}}, "order has count, accession"),
        ({"check": {"fact": "prediction.view.labels", "filled": True}}, "a prediction has label"),
        ({"check": {"fact": "prediction.veiw", "filled": True}}, "the nearest known is 'view'"),
        ({"check": {"every": "instances", "is": {"fact": "tag.Modality"}}}, "exactly one operator"),
        ({"check": {"every": "tag.Modality", "is": {}}}, "'tag.Modality' is no sequence"),
        ({"check": {"every": "series", "is": {}}}, "in rules of level study"),
        (
            {"level": "instance", "check": {"fact": "tag.Rows", "unique_in": "series"}},
            "'unique_in' asks about many instances",
        ),
        (
            {
                "level": "study",
                "check": {"every": "instances", "is": {"fact": "series.gaps", "equals": 0}},
            },
            "'series.gaps' is a fact of one series",
        ),
        (
            {"level": "instance", "check": {"every": "instances", "is": {}}},
            "one instance is in view here",
        ),
        ({"check": {"each": "instances", "is": {}}}, "exactly one of every, some"),
        ({"check": {"at_least": "two", "of": "instances", "is": {}}}, "takes a whole number"),
        ({"check": {"fact": "tag.StudyID", "matches": "(a"}}, "'matches' takes a regular"),
        ({"check": {"fact": "tag.StudyID", "matches": "(?=a)"}}, "no look-around"),
        ({"check": {"fact": "tag.Rows", "near": {"value": 1}}}, "'near' takes"),
        (
            {"check": {"fact": "tag.Rows", "at_most": {"fact": "tag.Row"}}},
            "nearest known is",
        ),
        ({"check": {"fact": "tag.Rows", "is_term_of": "modalities"}}, "'is_term_of' takes"),
        ({"message": "It is {tag.Modalitty}"}, "the nearest known is 'Modality'"),
        ({"suggest": []}, "at least one change"),
        ({"suggest": {"replace": "Rows", "from_fact": 5}}, "from_fact names a fact"),
        ({"suggest": {"replace": "Rows", "with": 5, "table": {"a": 1}}}, "belongs to from_pred"),
        ({"needs": {"prediction": "x"}}, "needs must be a list"),
        ({"needs": [{"prediction": "x", "probability": 2}]}, "lies between 0 and 1"),
        ({"needs": [{"prediction": "x", "part": "half"}]}, "part is turn or mirror"),
        ({"needs": [{"prediction": "view", "part": ["half"]}]}, "part is turn or mirror"),
        ({"suggest": {"replace": "Modality", "from_prediction": ["view"]}}, "unknown prediction"),
        ({"needs": [{"probability": 0.5}]}, "a need names its prediction"),
        ({"needs": [{"prediction": "body_regoin"}]}, "the nearest known is 'body_region'"),
        (
            {"check": {"fact": "tag.Modality", "overlaps_region": {"prediction": "body_regoin"}}},
            "unknown prediction 'body_regoin'",
        ),
        (
            {"suggest": {"replace": "Modality", "from_prediction": "veiw"}},
            "the nearest known is 'view'",
        ),
        ({"needs": [{"prediction": "x", "below": -1}]}, "below lies between 0 and 1"),
        ({"suggest": {"replace": "Modality"}}, "replace with one source"),
        ({"suggest": {"replace": "Modalitty", "with": "CT"}}, "the nearest known is 'Modality'"),
        ({"suggest": {"registered": "orientations"}}, "the nearest known is 'orientation'"),
        ({"suggest": {"make_same": "Modalitty"}}, "the nearest known is 'Modality'"),
        ({"suggest": {"make_same": "Modality", "with": "CT"}}, "replace with one source"),
        ({"suggest": {"replace": "Modality.CodeValue", "with": "1"}}, "is no sequence"),
        (
            {"suggest": {"replace": "ProcedureCodeSequence[*].CodeValue", "with": "1"}},
            "number each item",
        ),
        ({"suggest": {"remove": "Laterality", "scope": "all"}}, "unknown scope 'all'"),
        ({"known_false_positives": "none"}, "known_false_positives must be a list"),
        ({"cases": [{"name": "x", "outcome": "silent"}]}, "outcome is one of"),
        ({"cases": [{"nam": "x", "outcome": "passed"}]}, "unknown word 'nam'"),
        ({"cases": [{"series": 5, "outcome": "passed"}]}, "a list of series"),
        ({"cases": [{"tags": ["Modality"], "outcome": "passed"}]}, "a mapping"),
        ({"cases": [{"tags": {"Modalitty": "CT"}, "outcome": "passed"}]}, "no such keyword"),
    ],
)
def test_a_fault_is_told_with_its_place_and_the_nearest_word(
    rule_text: Text, other: dict[str, object], said: str
) -> None:
    faults = faults_of(rule_text(**other))
    assert any(said in fault for fault in faults), faults
    assert all(fault.startswith("rules/a.yaml:") for fault in faults)
    assert all("rule TEST-001: " in fault for fault in faults)


def test_a_fault_names_its_line(rule_text: Text) -> None:
    text = rule_text(check=None) + "check:\n  fact: tag.Modality\n  is: CT\n"
    assert faults_of(text)[0].startswith(f"rules/a.yaml:{len(text.splitlines())}: rule TEST-001")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "the file is empty"),
        ("id: [", "this is not YAML"),
        ("id: A\nid: B\n", "the key 'id' stands twice"),
        ("a: &x [1]\nb: *x\n", "anchors and aliases"),
        ("check: " + "[" * 100_000, "nest"),
        ("- id: A\n", "a mapping with the keys"),
        ("? [id]\n: A\n", "a key is a word"),
        ("title: 2027-02-30\n", "put it in quotes"),
        ("version: " + "9" * 5_000, "put it in quotes"),
        ("id: !!python/object/apply:os.getcwd []\n", "this is not YAML"),
        ("id: A\n title: B\n", "rule A: this is not YAML: a colon and a blank"),
        ("id: A\na: [1]\n b: 2\n", "a.yaml:3: rule A: this is not YAML: keys of one level begin"),
        ("id: A\n\ttitle: B\n", "a tab stands here"),
        ("id: A\ncheck: {fact: tag.StudyID, matches: [A-Z]{2}}\n", "without quotes, as in matches"),
        ("id: A\ntitle: no: yes\n", "put the text into quotes"),
        ("id: A\n---\nid: B\n", "a file holds one rule"),
    ],
)
def test_what_is_no_rule_file_is_refused_with_the_reason(text: str, said: str) -> None:
    assert said in faults_of(text)[0]


def test_all_faults_of_all_files_are_told_at_once(rule_text: Text) -> None:
    with pytest.raises(ConfigurationError) as caught:
        load_pack(
            {
                "rules/a.yaml": rule_text(severity="loud", topic="noise"),
                "rules/b.yaml": rule_text(level="body"),
            }
        )
    said = str(caught.value).splitlines()
    assert [line.partition(":")[0] for line in said] == ["rules/a.yaml"] * 2 + ["rules/b.yaml"]


def test_a_later_folder_of_the_site_overrides_an_earlier_one(rule_text: Text) -> None:
    texts = {
        "/site/b/rule.yaml": rule_text(title="of b"),
        "/site/a/rule.yaml": rule_text(title="of a"),
        "rules/rule.yaml": rule_text(title="shipped"),
    }
    for folders, title in ((["/site/a", "/site/b"], "of b"), (["/site/b", "/site/a"], "of a")):
        assert load_pack(texts, folders=folders).rules["TEST-001"].title == title
    with pytest.raises(ConfigurationError, match="the id is already that of"):
        load_pack(texts, folders=["/site"])


def test_an_id_stands_for_one_rule(rule_text: Text) -> None:
    with pytest.raises(ConfigurationError, match=r"rules/b\.yaml:1: rule TEST-001: the id is"):
        load_pack({"rules/a.yaml": rule_text(), "rules/b.yaml": rule_text(version=2)})


def test_the_site_overrides_a_shipped_rule_by_its_id(rule_text: Text) -> None:
    pack = load_pack({"/etc/site/a.yaml": rule_text(version=2), "rules/a.yaml": rule_text()})
    assert pack.rules["TEST-001"].version == 2


def test_drafts_and_retired_rules_are_not_evaluated(rule_text: Text) -> None:
    pack = load_pack(
        {
            f"rules/{status}.yaml": rule_text(id=f"X-{status}", status=status)
            for status in ("draft", "test", "stable", "retired")
        }
    )
    assert [rule.id for rule in pack.enabled] == ["X-stable", "X-test"]


def test_the_digest_changes_with_the_text_only(rule_text: Text) -> None:
    one, other = load_pack({"rules/a.yaml": rule_text()}), load_pack({"rules/b.yaml": rule_text()})
    assert one.digest == other.digest
    assert one.digest != load_pack({"rules/a.yaml": rule_text(version=2)}).digest


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=6,
)


@given(data=st.data())
def test_no_file_brings_anything_but_a_configuration_error(data: st.DataObject) -> None:
    text = yaml.safe_dump(_changed(data.draw(st.sampled_from(SAMPLES)), data))
    told = ""
    try:
        assert len(load_pack({"rules/x.yaml": text}).rules) == 1
    except ConfigurationError as error:
        told = str(error)
    assert not told or told.startswith("rules/x.yaml:")


SAMPLES: list[dict[str, Any]] = [
    {
        "id": "X-1", "title": "x", "topic": "order", "severity": "info", "status": "test",
        "version": 1, "level": "series", "rationale": "x", "quick": True,
        "applies_when": {"all": [{"not": {"fact": "tag.Modality", "in": ["CT"]}}]},
        "check": {"fact": "tag.BodyPartExamined", "overlaps_region": {"prediction": "r"}},
        "needs": [{"prediction": "r", "probability": 0.5, "part": "turn"}],
        "suggest": {"replace": "Modality", "with": "CT", "scope": "series"},
        "known_false_positives": ["x"],
        "cases": [
            {"name": "x", "outcome": "passed", "tags": {"Modality": ["CT"]}, "severity": "info",
             "instances": [{"Rows": 5}], "irregularities": ["x"], "proposes": ["x"],
             "predictions": {"r": {"CHEST": 0.5}}, "table_side": "top"}
        ],
    },
    {
        "id": "X-2", "title": "x", "topic": "identity", "severity": "info", "status": "test",
        "version": 1, "level": "study", "rationale": "x",
        "check": {"registered": "patient_identity_same", "option": [1]},
        "cases": [{"name": "x", "outcome": "passed", "series": [{"tags": {"PatientID": None}}]}],
    },
]  # fmt: skip


def _changed(raw: Any, data: st.DataObject) -> Any:
    """Return the value with one part, at any depth, replaced by something else."""
    if isinstance(raw, dict) and raw and data.draw(st.booleans()):
        key = data.draw(st.sampled_from(sorted(raw)))
        return {**raw, key: _changed(raw[key], data)}
    if isinstance(raw, list) and raw and data.draw(st.booleans()):
        return [_changed(raw[0], data), *raw[1:]]
    return data.draw(JSON)
