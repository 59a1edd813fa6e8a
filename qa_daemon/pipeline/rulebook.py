"""The rules in force: the shipped ones, those of the site, less what the site switched off."""

import hashlib
from difflib import get_close_matches

from attrs import evolve

from qa_daemon.config.packs import rule_texts
from qa_daemon.config.settings import Settings
from qa_daemon.dicom.elements import BASIC, Vocabulary, vocabulary
from qa_daemon.errors import ConfigurationError
from qa_daemon.rules.elements import elements_of
from qa_daemon.rules.load import load_pack
from qa_daemon.rules.schema import RulePack, Status


def vocabulary_in_force(settings: Settings) -> Vocabulary:
    """Return which elements have to be read of every object for the rules in force.

    Where the rules are wrong it is what is read anyway: objects still come in while a site mends
    them, and what is lacking then is read from the spool when the series is judged.
    """
    try:
        return vocabulary(elements_of(rules_in_force(settings)))
    except ConfigurationError:
        return BASIC


def rules_in_force(settings: Settings) -> RulePack:
    """Read all rule files; a rule of the site overrides the shipped one of the same id.

    Raises
    ------
    ConfigurationError
        If a rule file is wrong, or a rule that does not exist is to be switched off.
    """
    pack = load_pack(rule_texts(settings))
    rules = dict(pack.rules)
    for name in settings.rules.disabled:
        if name not in rules:
            near = get_close_matches(name, rules, n=1)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise ConfigurationError(f"rules.disabled: there is no rule {name}{hint}")
        rules[name] = evolve(rules[name], status=Status.RETIRED)
    switched_off = "\n".join(sorted(settings.rules.disabled))
    digest = hashlib.sha256(f"{pack.digest}\n{switched_off}".encode()).hexdigest()
    return RulePack(rules, digest)
