"""Rule files become a `RulePack`, or every fault of all files at once."""

import hashlib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Final, TypeVar

import yaml

from qa_daemon.dicom.elements import KEYWORDS
from qa_daemon.errors import ConfigurationError
from qa_daemon.records.finding import Level, Scope, Severity, Topic
from qa_daemon.records.prediction import TARGETS
from qa_daemon.rules.checks.registry import SERIES_CHECKS, STUDY_CHECKS
from qa_daemon.rules.operators import FACT, FREE_OF, OPERATORS
from qa_daemon.rules.prove import read_case
from qa_daemon.rules.schema import (
    REGISTERED_SUGGESTIONS,
    AllOf,
    AnyOf,
    Condition,
    FactTest,
    Need,
    Not,
    Registered,
    Rule,
    RulePack,
    Status,
    Suggest,
)
from qa_daemon.rules.source import At, Raw, Reader, frozen_values, nearest, parse

_REQUIRED: Final = frozenset(
    {"id", "title", "topic", "severity", "status", "version", "level", "rationale", "check"}
)
_OPTIONAL: Final = frozenset(
    {"applies_when", "needs", "suggest", "message", "quick", "cases"} | {"known_false_positives"}
)
_SUGGEST_WAYS: Final = ("replace", "remove", "registered")
_SUGGEST_SOURCES: Final = ("from_prediction", "with", "upper_case", "known_term", "term_of_code")


def load_pack(texts: Mapping[str, str]) -> RulePack:
    """Read rule files.

    Parameters
    ----------
    texts
        Path (as it should stand in messages) -> YAML text. What the site has outside `rules/`
        overrides shipped rules by id; an id twice on one side is a fault.

    Raises
    ------
    ConfigurationError
        With every fault of every file: path, line, rule, what is wrong, the nearest known word.
    """
    faults: list[str] = []
    rules: dict[str, Rule] = {}
    digest = hashlib.sha256()
    for path, text in sorted(texts.items(), key=lambda item: (not _is_shipped(item[0]), item[0])):
        digest.update(f"{len(text)}:{text}".encode())
        reader = Reader(path)
        rule = _read_file(reader, text)
        faults.extend(reader.faults)
        if rule is None or reader.faults:
            continue
        other = rules.get(rule.id)
        if other is not None and _is_shipped(other.path) == _is_shipped(path):
            faults.append(f"{path}:1: rule {rule.id}: the id is already that of {other.path}")
        rules[rule.id] = rule
    if faults:
        raise ConfigurationError("\n".join(faults))
    return RulePack(rules, digest.hexdigest())


def _is_shipped(path: str) -> bool:
    return path.startswith("rules/")


def _read_file(reader: Reader, text: str) -> Rule | None:
    try:
        raw = parse(reader, text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        reader.lines = {(): mark.line + 1 if mark else 1}
        reader.fault((), f"this is not YAML: {getattr(error, 'problem', error)}")
        return None
    if isinstance(raw, dict) and isinstance(raw.get("id"), str):
        reader.rule = raw["id"]
    if not reader.keys(raw, (), _REQUIRED | _OPTIONAL):
        return None
    for key in sorted(_REQUIRED - set(raw)):
        reader.fault((), f"the key '{key}' is missing")
    return None if reader.faults else _rule(reader, raw)


def _rule(reader: Reader, raw: Mapping[str, Raw]) -> Rule:
    level = reader.word(raw, "level", Level, Level.SERIES)
    severity = str(raw["severity"])
    if severity not in _SEVERITIES:
        reader.fault(
            ("severity",), f"unknown severity '{severity}'{nearest(severity, _SEVERITIES)}"
        )
    if not isinstance(raw["version"], int):
        reader.fault(("version",), "version must be a whole number")
    return Rule(
        id=reader.text(raw, "id"),
        title=reader.text(raw, "title"),
        topic=reader.word(raw, "topic", Topic, Topic.CONFORMANCE),
        severity=_SEVERITIES.get(severity, Severity.INFO),
        status=reader.word(raw, "status", Status, Status.DRAFT),
        version=raw["version"],
        level=level,
        rationale=reader.text(raw, "rationale"),
        check=_check(reader, raw["check"], level),
        applies_when=(
            _condition(reader, raw["applies_when"], ("applies_when",))
            if "applies_when" in raw
            else None
        ),
        needs=tuple(_list(reader, raw, "needs", _need)),
        suggest=_suggest(reader, raw["suggest"]) if "suggest" in raw else None,
        message=reader.text(raw, "message"),
        quick=raw.get("quick", False) is True,
        known_false_positives=tuple(_list(reader, raw, "known_false_positives", _words)),
        cases=tuple(_list(reader, raw, "cases", read_case)),
        path=reader.path,
    )


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


def _check(reader: Reader, raw: Raw, level: Level) -> Condition:
    at = ("check",)
    if isinstance(raw, dict) and FREE_OF in raw:
        kinds = raw[FREE_OF]
        is_right = raw.get("fact") == "irregularities" and isinstance(kinds, list) and bool(kinds)
        if not (reader.keys(raw, at, {"fact", FREE_OF}) and is_right):
            reader.fault(at, f"write {{fact: irregularities, {FREE_OF}: [KIND, ...]}}")
        return FactTest("irregularities", FREE_OF, frozen_values(kinds))
    if level in {Level.STUDY, Level.VISIT}:
        return _registered(reader, raw, at, STUDY_CHECKS)
    return _condition(reader, raw, at)


def _registered(reader: Reader, raw: Raw, at: At, known: Collection[str]) -> Condition:
    if not isinstance(raw, dict) or "registered" not in raw:
        reader.fault(at, "a rule of this level needs {registered: NAME}")
        return Registered("?")
    name = str(raw["registered"])
    if name not in known:
        reader.fault((*at, "registered"), f"unknown check '{name}'{nearest(name, known)}")
    return Registered(name, {str(k): frozen_values(v) for k, v in raw.items() if k != "registered"})


def _condition(reader: Reader, raw: Raw, at: At) -> Condition:
    match raw:
        case {"all": list(parts), **rest} if not rest:
            return AllOf(_conditions(reader, parts, (*at, "all")))
        case {"any": list(parts), **rest} if not rest:
            return AnyOf(_conditions(reader, parts, (*at, "any")))
        case {"not": inner, **rest} if not rest:
            return Not(_condition(reader, inner, (*at, "not")))
        case {"registered": _}:
            return _registered(reader, raw, at, SERIES_CHECKS)
        case {"fact": _}:
            return _test(reader, raw, at)
        case _:
            reader.fault(
                at, "a condition is {fact: ..., OPERATOR: ...}, all, any, not or registered"
            )
            return AllOf(())


def _conditions(reader: Reader, parts: Sequence[Raw], at: At) -> tuple[Condition, ...]:
    return tuple(_condition(reader, part, (*at, index)) for index, part in enumerate(parts))


def _test(reader: Reader, raw: Mapping[str, Raw], at: At) -> Condition:
    fact, words = str(raw["fact"]), [key for key in raw if key != "fact"]
    match = FACT.fullmatch(fact)
    if not match or fact == "irregularities":
        reader.fault(
            (*at, "fact"),
            f"unknown fact '{fact}'; use tag.KEYWORD, series.instances or series.orientations",
        )
    elif match[1] and match[1] not in KEYWORDS:
        reader.fault((*at, "fact"), f"'{match[1]}' is not read{nearest(match[1], KEYWORDS)}")
    if len(words) != 1:
        reader.fault(at, "exactly one operator belongs to a fact")
        return AllOf(())
    name = words[0]
    if name not in OPERATORS:
        reader.fault((*at, name), f"unknown operator '{name}'{nearest(name, OPERATORS)}")
        return AllOf(())
    operand = frozen_values(raw[name])
    if not OPERATORS[name].accepts(operand):
        reader.fault((*at, name), f"'{name}' takes {OPERATORS[name].takes}")
    elif isinstance(operand, Mapping) and "prediction" in operand:
        _target(reader, operand["prediction"], (*at, name))
    return FactTest(fact, name, operand)


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
    _target(reader, target, (*at, "prediction"))
    below = _probability(reader, raw, (*at, "below"))
    return Need(target, probability, str(raw.get("part", "")), below)


def _target(reader: Reader, target: object, at: At) -> None:
    """Refuse a misspelt target: it is never predicted, and its rule would be silent for good."""
    if not isinstance(target, str) or target not in TARGETS:
        reader.fault(at, f"unknown prediction '{target}'{nearest(str(target), TARGETS)}")


def _words(_: Reader, raw: Raw, __: At) -> str:
    return str(raw)


def _probability(reader: Reader, raw: Mapping[str, Raw], at: At) -> float:
    value = raw.get(str(at[-1]), 0.0)
    if not isinstance(value, int | float) or not 0 <= value <= 1:
        reader.fault(at, f"{at[-1]} lies between 0 and 1")
        return 0.0
    return float(value)


def _suggest(reader: Reader, raw: Raw) -> Suggest | None:
    at = ("suggest",)
    if not reader.keys(raw, at, {*_SUGGEST_WAYS, *_SUGGEST_SOURCES, "scope"}):
        return None
    ways = [way for way in _SUGGEST_WAYS if way in raw]
    sources = [source for source in _SUGGEST_SOURCES if source in raw]
    if len(ways) != 1 or len(sources) != (ways[0] == "replace"):
        reader.fault(at, f"one of {', '.join(_SUGGEST_WAYS)}; replace with one source")
        return None
    subject = str(raw[ways[0]])
    known = REGISTERED_SUGGESTIONS if ways == ["registered"] else KEYWORDS
    if subject not in known:
        reader.fault((*at, ways[0]), f"'{subject}' is not known{nearest(subject, known)}")
    scope = str(raw.get("scope", Scope.SERIES))
    if scope not in set(Scope):
        reader.fault((*at, "scope"), f"unknown scope '{scope}'{nearest(scope, list(Scope))}")
    source = sources[0] if sources else ""
    if source == "from_prediction":
        _target(reader, raw[source], (*at, source))
    return Suggest(ways[0], subject, scope, source, frozen_values(raw.get(source)))
