"""The shipped rules."""

from pathlib import Path

import pytest

from qa_daemon.rules.load import load_pack
from qa_daemon.rules.schema import RulePack

AT_THE_TOP = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def shipped_pack() -> RulePack:
    """The rules as they are shipped."""
    files = sorted((AT_THE_TOP / "rules").rglob("*.yaml"))
    return load_pack({str(file.relative_to(AT_THE_TOP)): file.read_text() for file in files})
