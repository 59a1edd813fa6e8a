"""The rule behind a finding, in its own words: title, version, rationale, when it errs."""

import re
from functools import cache
from pathlib import Path
from typing import Final

from attrs import evolve, frozen

from qa_daemon.config.packs import rule_texts
from qa_daemon.config.settings import RuleSettings, Settings
from qa_daemon.errors import ConfigurationError
from qa_daemon.rules.load import load_pack
from qa_daemon.rules.schema import RulePack

#: Sections that rationales name: PS3.3 C.7.6.2.1.1, PS3.16 Annex L; or C.7.6.2 alone.
_SECTION: Final = re.compile(r"(PS3\.\d+ (?:Annex [A-Z]+|[A-Z]?[.0-9]*\d)|\bC\.\d[.\d]*\d)")


@frozen(kw_only=True)
class RuleWords:
    """What a page says of a rule; empty texts where it is in force no more."""

    id: str
    title: str = ""
    version: int = 0
    rationale: str = ""
    section: str = ""
    errs: tuple[str, ...] = ()


def rule_words(settings: Settings, rule: str) -> RuleWords:
    """Return what the rule files say of a rule. They are read once in the life of a process."""
    pack = _pack(settings.rules.shipped, tuple(map(str, settings.rules.folders)))
    found = None if pack is None else pack.rules.get(rule)
    if found is None:
        return RuleWords(id=rule)
    section = _SECTION.search(found.rationale)
    return RuleWords(
        id=rule,
        title=found.title,
        version=found.version,
        rationale=" ".join(found.rationale.split()),
        section="" if section is None else section[0],
        errs=found.known_false_positives,
    )


@cache
def _pack(shipped: bool, folders: tuple[str, ...]) -> RulePack | None:  # noqa: FBT001  the key of a cache
    rules = evolve(RuleSettings(), shipped=shipped, folders=tuple(map(Path, folders)))
    try:
        return load_pack(rule_texts(evolve(Settings(), rules=rules)), folders=folders)
    except (
        ConfigurationError
    ):  # somebody is at work on them; the page shows the finding all the same
        return None
