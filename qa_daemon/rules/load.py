"""Rule files become a `RulePack`, or every fault of all files at once."""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final, TypeVar

import yaml

from qa_daemon.errors import ConfigurationError
from qa_daemon.records.finding import Level, Severity, Topic
from qa_daemon.rules.evaluate import PLACE
from qa_daemon.rules.reading.cases import read_case
from qa_daemon.rules.reading.grammar import (
    Place,
    check_fact,
    check_target,
    place_of,
    read_check,
    read_condition,
)
from qa_daemon.rules.reading.keys import OPTIONAL, REQUIRED
from qa_daemon.rules.reading.options import with_options
from qa_daemon.rules.reading.proposals import read_suggest
from qa_daemon.rules.reading.source import (
    At,
    Raw,
    Reader,
    frozen_values,
    nearest,
    parse,
    unreadable,
)
from qa_daemon.rules.schema import Need, Rule, RulePack, Status


def load_pack(
    texts: Mapping[str, str],
    options: Mapping[str, Mapping[str, object]] | None = None,
    folders: Sequence[str] = (),
) -> RulePack:
    """Read rule files.

    Parameters
    ----------
    texts
        Path (as it should stand in messages) -> YAML text. What the site has outside `rules/`
        overrides shipped rules by id; an id twice in one folder is a fault.
    options
        Rule id -> option -> what the site gives it; None and {}: as the rules say.
    folders
        Those of the site, later ones override earlier ones; what lies in none of them is one more,
        before them.

    Raises
    ------
    ConfigurationError
        With every fault of every file: path, line, rule, what is wrong, the nearest known word.
    """
    faults: list[str] = []
    rules: dict[str, Rule] = {}
    digest = hashlib.sha256()
    ranks = {path: _rank(path, folders) for path in texts}
    for path, text in sorted(texts.items(), key=lambda item: (ranks[item[0]], item[0])):
        digest.update(f"{len(text)}:{text}".encode())
        reader = Reader(path)
        rule = _read_file(reader, text, options or {})
        faults.extend(reader.faults)
        if rule is None or reader.faults:
            continue
        other = rules.get(rule.id)
        if other is not None and ranks[other.path] == ranks[path]:
            faults.append(f"{path}:1: rule {rule.id}: the id is already that of {other.path}")
        rules[rule.id] = rule
    if faults:
        raise ConfigurationError("\n".join(faults))
    digest.update(repr(sorted((options or {}).items())).encode())
    return RulePack(rules, digest.hexdigest())


def is_shipped(path: str) -> bool:
    """Whether a rule file came with the release; those of a site stand under whole paths."""
    return path.startswith("rules/")


def _rank(path: str, folders: Sequence[str]) -> int:
    """Return which file overrides which: the greater one."""
    if is_shipped(path):
        return 0
    own = [number for number, folder in enumerate(folders, 2) if path.startswith(f"{folder}/")]
    return max(own, default=1)


def _read_file(
    reader: Reader, text: str, options: Mapping[str, Mapping[str, object]]
) -> Rule | None:
    try:
        raw = parse(reader, text)
    except yaml.YAMLError as error:
        unreadable(reader, text, error)
        return None
    if isinstance(raw, dict) and isinstance(raw.get("id"), str):
        reader.rule = raw["id"]
    if not reader.keys(raw, (), REQUIRED | OPTIONAL):
        return None
    for key in sorted(REQUIRED - set(raw)):
        reader.fault((), f"the key '{key}' is missing")
    if reader.faults:
        return None
    filled = with_options(reader, raw, options.get(reader.rule, {}))
    return None if reader.faults else _rule(reader, filled)


def _rule(reader: Reader, raw: Mapping[str, Raw]) -> Rule:
    level = reader.word(raw, "level", Level, Level.SERIES)
    severity = str(raw["severity"])
    if severity not in _SEVERITIES:
        reader.fault(
            ("severity",), f"unknown severity '{severity}'{nearest(severity, _SEVERITIES)}"
        )
    if not isinstance(raw["version"], int):
        reader.fault(("version",), "version must be a whole number")
    _check_message(reader, raw.get("message", ""), level)
    return Rule(
        id=reader.text(raw, "id"),
        title=reader.text(raw, "title"),
        topic=reader.word(raw, "topic", Topic, Topic.CONFORMANCE),
        severity=_SEVERITIES.get(severity, Severity.INFO),
        status=reader.word(raw, "status", Status, Status.DRAFT),
        version=raw["version"],
        level=level,
        rationale=reader.text(raw, "rationale"),
        check=read_check(reader, raw["check"], level),
        applies_when=(
            read_condition(reader, raw["applies_when"], ("applies_when",), place_of(level))
            if "applies_when" in raw
            else None
        ),
        needs=tuple(_list(reader, raw, "needs", _need)),
        suggest=read_suggest(reader, raw["suggest"], ("suggest",)) if "suggest" in raw else None,
        alternatives=tuple(_list(reader, raw, "alternatives", read_suggest)),
        message=reader.text(raw, "message"),
        quick=_flag(reader, raw, "quick", default=False),
        known_false_positives=tuple(_list(reader, raw, "known_false_positives", _words)),
        cases=tuple(_list(reader, raw, "cases", read_case)),
        path=reader.path,
        is_on=_flag(reader, raw, "enabled", default=True),
        options=frozen_values(raw.get("options", {})),
    )


def _flag(reader: Reader, raw: Mapping[str, Raw], key: str, *, default: bool) -> bool:
    value = raw.get(key, default)
    if not isinstance(value, bool):
        reader.fault((key,), f"{key} is true or false")
        return default
    return value


def _check_message(reader: Reader, message: Raw, level: Level) -> None:
    for place in PLACE.findall(str(message)):
        check_fact(reader, place, ("message",), Place(level))


_SEVERITIES: Final = {severity.word: severity for severity in Severity}

Item = TypeVar("Item")


def _list(
    reader: Reader,
    raw: Mapping[str, Raw],
    key: str,
    read: Callable[[Reader, Raw, At], Item | None],
) -> Iterator[Item]:
    values = raw.get(key, [])
    if not isinstance(values, list):
        reader.fault((key,), f"{key} must be a list")
        return
    for index, value in enumerate(values):
        item = read(reader, value, (key, index))
        if item is not None:
            yield item


def _need(reader: Reader, raw: Raw, at: At) -> Need | None:
    if not reader.keys(raw, at, {"prediction", "probability", "part", "below"}):
        return None
    if raw.get("part", "") not in ("", "turn", "mirror"):  # a list can be no member of a set
        reader.fault((*at, "part"), "part is turn or mirror")
    probability = _probability(reader, raw, (*at, "probability"))
    target = raw.get("prediction")
    if not isinstance(target, str):
        reader.fault(at, "a need names its prediction")
        return None
    check_target(reader, target, (*at, "prediction"))
    below = _probability(reader, raw, (*at, "below"))
    return Need(target, probability, str(raw.get("part", "")), below)


def _words(_: Reader, raw: Raw, __: At) -> str:
    return str(raw)


def _probability(reader: Reader, raw: Mapping[str, Raw], at: At) -> float:
    value = raw.get(str(at[-1]), 0.0)
    if not isinstance(value, int | float) or not 0 <= value <= 1:
        reader.fault(at, f"{at[-1]} lies between 0 and 1")
        return 0.0
    return float(value)
