"""The rules in force: the shipped ones and those of the site, laid over each other."""

from qa_daemon.config.packs import rule_texts
from qa_daemon.config.settings import Settings
from qa_daemon.rules.load import load_pack, overlay
from qa_daemon.rules.schema import RulePack


def rules_in_force(settings: Settings) -> RulePack:
    """Return the shipped rules, overridden by those of the site's folders, in their order.

    Raises
    ------
    ConfigurationError
        If a rule file is wrong.
    """
    texts = dict(rule_texts(settings))
    packs = []
    for folder in reversed(settings.rules.folders):
        own = {path: texts.pop(path) for path in list(texts) if path.startswith(f"{folder}/")}
        packs.append(load_pack(own))
    packs.append(load_pack(texts))
    return overlay(packs[::-1], settings.rules.disabled)
