"""The reference in docs/ is what the engine does."""

import re
from pathlib import Path
from typing import Any

import yaml

from qa_daemon.rules.catalogue.lint import lint
from qa_daemon.rules.catalogue.reference import reference
from qa_daemon.rules.load import load_pack
from qa_daemon.rules.operators import OPERATORS
from qa_daemon.rules.prove import prove
from qa_daemon.suggest.propose import propose, unfit

PAGE = Path(__file__).resolve().parents[3] / "docs" / "rules.md"


def test_the_page_is_made_from_the_tables() -> None:
    assert PAGE.read_text() == reference(), "make it anew: qa-daemon rules docs --reference"


def test_every_example_of_a_word_is_read_and_takes_what_it_shows() -> None:
    for operator in OPERATORS.values():
        (operand,) = yaml.safe_load(operator.example).values()
        assert operator.accepts(frozen(operand)), operator.example


def frozen(raw: Any) -> Any:
    if isinstance(raw, list):
        return tuple(map(frozen, raw))
    return {key: frozen(value) for key, value in raw.items()} if isinstance(raw, dict) else raw


def test_the_rule_of_the_page_holds_its_cases() -> None:
    readme = PAGE.parents[1] / "README.md"
    texts = re.findall(
        r"```yaml\n(id: SITE.*?)```", PAGE.read_text() + readme.read_text(), re.DOTALL
    )
    assert len(texts) == 2
    for text in texts:
        pack = load_pack({"site/a.yaml": text})
        assert not prove(pack, propose)
        assert not lint(pack, unfit)
        assert len(pack.rules["SITE-001"].cases) == 2
