"""The rules in force: the shipped ones and those of the site, as the site has changed them."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime
from difflib import get_close_matches

from attrs import evolve, frozen

from qa_daemon.config.given import Fault, FaultyConfigurationError
from qa_daemon.config.packs import rule_texts
from qa_daemon.config.settings import RuleException, RuleSettings, Settings
from qa_daemon.dicom.elements import BASIC, Vocabulary, vocabulary
from qa_daemon.errors import ConfigurationError
from qa_daemon.records.finding import Severity
from qa_daemon.rules.elements import elements_of
from qa_daemon.rules.load import load_pack
from qa_daemon.rules.schema import Excepted, Rule, RulePack, Status
from qa_daemon.rules.site import AE_TITLE, MATCHED, Change, changed


@frozen
class Rulebook:
    """The rules in force on a day.

    Attributes
    ----------
    expired
        Changes and exceptions of the site whose last day is over, for people: they do not count.
    until
        The last day on which this holds: the next day something expires.
    """

    pack: RulePack
    expired: tuple[str, ...] = ()
    until: date = date.max


def today() -> date:
    """Return the day by the clock of the site."""
    return datetime.now(UTC).astimezone().date()


def vocabulary_in_force(settings: Settings) -> Vocabulary:
    """Return which elements have to be read of every object for the rules in force.

    Where the rules are wrong it is what is read anyway: objects still come in while a site mends
    them, and what is lacking then is read from the spool when the series is judged.
    """
    try:
        return vocabulary(elements_of(rules_in_force(settings)))
    except ConfigurationError:
        return BASIC


def rules_as_written(settings: Settings) -> RulePack:
    """Read all rule files; a rule of the site overrides the shipped one of the same id.

    Raises
    ------
    ConfigurationError
        If a rule file is wrong.
    """
    return load_pack(rule_texts(settings), folders=_folders(settings))


def _folders(settings: Settings) -> tuple[str, ...]:
    return tuple(map(str, settings.rules.folders))


def rules_in_force(settings: Settings) -> RulePack:
    """Return the rules as the site has changed them, today; raises as `rulebook` does."""
    return rulebook(settings, today()).pack


def rulebook(settings: Settings, day: date) -> Rulebook:
    """Return the rules in force on a day.

    Raises
    ------
    ConfigurationError
        If a rule file is wrong, or a rule is to be changed that does not exist.
    """
    site = settings.rules
    counting = {name: each for name, each in site.changes.items() if _counts(each.until, day)}
    excepting = [each for each in site.exceptions if _counts(each.until, day)]
    options = {name: each.options for name, each in counting.items() if each.options}
    pack = load_pack(rule_texts(settings), options, _folders(settings))
    rules = dict(pack.rules)
    _check_names(site, rules)
    for name in site.disabled:
        rules[name] = evolve(rules[name], status=Status.RETIRED)
    for name, each in counting.items():
        rules[name] = _checked(
            changed(rules[name], Change(each.enabled, _severity(each.severity), each.thresholds))
        )
    exceptions = tuple((each, _excepted(each)) for each in excepting)
    for name, rule in rules.items():
        rules[name] = evolve(rule, exceptions=tuple(_of_rule(name, exceptions)))
    ends = [each.until for each in counting.values()] + [each.until for each in excepting]
    return Rulebook(
        RulePack(rules, _digest(pack, site, day)),
        tuple(_expired(site, day)),
        min(map(date.fromisoformat, ends), default=date.max),
    )


def _counts(until: str, day: date) -> bool:
    return date.fromisoformat(until) >= day


def _checked(rule: Rule) -> Rule:
    """Refuse to switch on what was withdrawn."""
    if rule.is_on and rule.status is Status.RETIRED:
        return evolve(rule, is_on=False)
    return rule


def _severity(word: str) -> Severity | None:
    return Severity[word.upper()] if word else None


def _excepted(exception: RuleException) -> Excepted:
    where = {
        name: patterns for name in (AE_TITLE, *MATCHED) if (patterns := getattr(exception, name))
    }
    if not where:
        raise ConfigurationError(
            f"rules.exceptions: '{exception.reason}' leaves everything out; name at least one of "
            f"{', '.join((AE_TITLE, *MATCHED))}, or switch the rules off in rules.disabled"
        )
    return Excepted(where, exception.reason, exception.owner, exception.until)


def _of_rule(name: str, exceptions: Iterable[tuple[RuleException, Excepted]]) -> Iterator[Excepted]:
    for given, excepted in exceptions:
        if name in given.rules or "*" in given.rules:
            yield excepted


def _check_names(site: RuleSettings, rules: Mapping[str, Rule]) -> None:
    named: list[tuple[str, str]] = [("disabled", name) for name in site.disabled]
    named += [("changes", name) for name in site.changes]
    named += [("exceptions", name) for each in site.exceptions for name in each.rules]
    faults = []
    for key, name in dict.fromkeys(named):
        if name not in rules and (key, name) != ("exceptions", "*"):
            near = get_close_matches(name, rules, n=1)
            hint = f"; did you mean {near[0]}?" if near else ""
            where = site.places.get(f"{key} {name}", "")
            line = int(where.rpartition(":")[2]) if where else 0
            faults.append(Fault(where, f"rules.{key}", f"there is no rule {name}{hint}", line=line))
    if faults:
        raise FaultyConfigurationError(tuple(sorted(faults, key=lambda each: each.line)))


def _digest(pack: RulePack, site: RuleSettings, day: date) -> str:
    """Return what stands for exactly these rules: other values, another verdict."""
    counting = [
        *(f"off {name}" for name in site.disabled),
        *(f"{name} {each}" for name, each in site.changes.items() if _counts(each.until, day)),
        *(str(each) for each in site.exceptions if _counts(each.until, day)),
    ]
    return hashlib.sha256("\n".join([pack.digest, *sorted(counting)]).encode()).hexdigest()


def _expired(site: RuleSettings, day: date) -> Iterator[str]:
    for name, change in site.changes.items():
        if not _counts(change.until, day):
            yield f"rules.changes.{name}: ended on {change.until}, ask {change.owner}"
    for each in site.exceptions:
        if not _counts(each.until, day):
            yield (
                f"rules.exceptions: {', '.join(each.rules)} ({each.reason}) ended on {each.until}, "
                f"ask {each.owner}"
            )
