"""The shipped rules, and shorthand for rules and series made on the spot."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
import yaml

from qa_daemon.rules.load import load_pack
from qa_daemon.rules.schema import Rule, RulePack

AT_THE_TOP = Path(__file__).resolve().parents[2]

MINIMAL: Mapping[str, object] = {
    "id": "TEST-001",
    "title": "A rule of a test",
    "topic": "conformance",
    "severity": "minor",
    "status": "test",
    "version": 1,
    "level": "series",
    "rationale": "PS3.3",
    "check": {"fact": "tag.Modality", "filled": True},
}


@pytest.fixture(scope="session")
def shipped_pack() -> RulePack:
    """The rules as they are shipped."""
    files = sorted((AT_THE_TOP / "rules").rglob("*.yaml"))
    return load_pack({str(file.relative_to(AT_THE_TOP)): file.read_text() for file in files})


@pytest.fixture(scope="session")
def rule() -> Callable[..., Rule]:
    """A maker of rules: the minimal one with other keys."""

    def made(**other: object) -> Rule:
        text = yaml.safe_dump({**MINIMAL, **other})
        return next(iter(load_pack({"rules/test.yaml": text}).rules.values()))

    return made


@pytest.fixture(scope="session")
def rule_text() -> Callable[..., str]:
    """A maker of rule files: the minimal one with other keys; None leaves a key out."""

    def made(**other: object) -> str:
        keys = {key: value for key, value in {**MINIMAL, **other}.items() if value is not None}
        return yaml.safe_dump(keys, sort_keys=False)

    return made
