"""The schema for editors, the catalogue, and the words in which rules are shown."""

from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from hypothesis import given

from qa_daemon.rules.catalogue.json_schema import rule_schema
from qa_daemon.rules.catalogue.page import page
from qa_daemon.rules.catalogue.wording import condition_text, suggest_text
from qa_daemon.rules.load import load_pack
from qa_daemon.rules.operators import OPERATORS
from qa_daemon.rules.schema import FactTest, Rule, RulePack
from tests.rules.test_conditions import CONDITIONS

Text = Callable[..., str]
Maker = Callable[..., Rule]


@pytest.fixture(scope="session")
def validator() -> Any:
    schema = rule_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def test_every_shipped_rule_obeys_the_schema(shipped_pack: RulePack, validator: Any) -> None:
    for rule in shipped_pack.rules.values():
        raw = yaml.safe_load(Path(rule.path).read_text())
        assert [error.message for error in validator.iter_errors(raw)] == [], rule.path


@pytest.mark.parametrize(
    "other",
    [
        {"severity": "loud"},
        {"rational": "x"},
        {"check": {"fact": "tag.Modality", "equal": "CT"}},
        {"check": {"fact": "tag.Modality", "filled": "yes"}},
        {"check": {"every": "instances"}},
        {"needs": [{"prediction": "veiw"}]},
        {"suggest": {"replace": "Modality", "from_nowhere": 1}},
        {"cases": [{"name": "a", "outcome": "silent"}]},
        {"check": None},
    ],
)
def test_what_is_no_rule_does_not(rule_text: Text, validator: Any, other: dict[str, Any]) -> None:
    assert list(validator.iter_errors(yaml.safe_load(rule_text(**other))))


def test_the_example_of_every_word_obeys_the_schema(rule_text: Text, validator: Any) -> None:
    for operator in OPERATORS.values():
        check = {"fact": "tag.Modality", **yaml.safe_load(operator.example)}
        raw = yaml.safe_load(rule_text(check=check))
        assert [error.message for error in validator.iter_errors(raw)] == [], operator.name


class Tags(HTMLParser):
    """Checks that what is opened is closed."""

    EMPTY = frozenset({"meta", "input", "br"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.ids += [value for name, value in attrs if name == "id" and value]
        if tag not in self.EMPTY:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_catalogue_is_whole(shipped_pack: RulePack) -> None:
    tags = Tags()
    tags.feed(page(shipped_pack))
    assert tags.open == []
    assert set(shipped_pack.rules) <= set(tags.ids)
    assert len(tags.ids) == len(set(tags.ids))


def test_nothing_of_a_rule_is_markup(rule_text: Text) -> None:
    mark = "<script>alert(1)</script>"
    text = rule_text(
        title=mark,
        rationale=mark,
        message=mark,
        check={"fact": "tag.Modality", "equals": mark},
        known_false_positives=[mark],
        cases=[{"name": mark, "tags": {"Modality": mark}, "outcome": "passed"}],
    )
    assert mark not in page(load_pack({"rules/a.yaml": text}))


@given(condition=CONDITIONS)
def test_a_condition_is_written_as_it_is_read(condition: Any) -> None:
    text = condition_text(condition)
    assert "\n" not in text
    if not isinstance(condition, FactTest):
        assert len(yaml.safe_load(text)) in {1, 2, 3, 4}


def test_written_rules_are_read_back_the_same(shipped_pack: RulePack, rule_text: Text) -> None:
    for rule in shipped_pack.rules.values():
        other = {"level": rule.level.value, "check": yaml.safe_load(condition_text(rule.check))}
        if rule.suggest is not None:
            other["suggest"] = yaml.safe_load(suggest_text(rule.suggest))
        read = load_pack({"rules/a.yaml": rule_text(**other)}).rules["TEST-001"]
        assert (read.check, read.suggest) == (rule.check, rule.suggest), rule.path
