"""Which elements the rules in force look at, so that they are read and kept."""

from collections.abc import Iterator, Mapping
from typing import Final

from qa_daemon.dicom.elements import KEYWORDS
from qa_daemon.dicom.encoding.dictionary import tag_of
from qa_daemon.errors import ConfigurationError
from qa_daemon.rules.conditions import names, registered
from qa_daemon.rules.evaluate import PLACE
from qa_daemon.rules.looks.look import FRAMES
from qa_daemon.rules.looks.names import fact_name
from qa_daemon.rules.schema import Operand, Rule, RulePack, Suggest

# Each element costs some bytes in every row of the store; a pack that names more than this wants
# the whole data set.
ELEMENTS_MAX: Final = 500


def elements_of(pack: RulePack) -> frozenset[str]:
    """Return what the enabled rules name besides what is read anyway (`dicom.elements`).

    Raises
    ------
    ConfigurationError
        If it is more than `ELEMENTS_MAX`.
    """
    named = frozenset(name for rule in pack.enabled for name in elements_of_rule(rule))
    more = named - set(KEYWORDS)
    if len(more) > ELEMENTS_MAX:
        raise ConfigurationError(
            f"the rules name {len(more)} elements that are not read otherwise; at most "
            f"{ELEMENTS_MAX} are kept: switch some rules off"
        )
    return more


def elements_of_rule(rule: Rule) -> Iterator[str]:
    """Yield every element that a rule looks at, tells of or writes."""
    conditions = [rule.check, *([] if rule.applies_when is None else [rule.applies_when])]
    facts = {name for condition in conditions for name in names(condition)} - {FRAMES}
    facts.update(PLACE.findall(rule.message))
    for suggest in (rule.suggest, *rule.alternatives):
        for change in () if suggest is None else (suggest, *suggest.more):
            if change.way != "registered":
                yield from fact_name(f"tag.{change.subject}").keywords
            facts.update(_named_by(change))
    for fact in facts:
        yield from fact_name(fact).keywords
    for condition in conditions:
        for check in registered(condition):
            yield from (each for each in _texts(check.options) if tag_of(each) is not None)


def _named_by(change: Suggest) -> Iterator[str]:
    if change.source == "from_fact":
        wanted = change.argument
        yield str(wanted["fact"] if isinstance(wanted, Mapping) else wanted)


def _texts(value: Operand) -> Iterator[str]:
    """Yield all texts in the options of a registered check; keywords are among them."""
    match value:
        case str():
            yield value
        case tuple():
            for each in value:
                yield from _texts(each)
        case Mapping():
            for each in value.values():
                yield from _texts(each)
        case _:
            return
