"""The JSON Schema of rule files, made from the engine's own tables; editors complete by it."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from qa_daemon.records.finding import Level, Scope, Severity, Topic
from qa_daemon.records.prediction import TARGETS
from qa_daemon.rules.checks.registry import SERIES_CHECKS, STUDY_CHECKS
from qa_daemon.rules.looks.names import ORDER_FACTS
from qa_daemon.rules.operators import FREE_OF, OPERATORS
from qa_daemon.rules.reading.cases import CASE_KEYS, SERIES_KEYS
from qa_daemon.rules.reading.grammar import COUNTED, QUANTITIES
from qa_daemon.rules.reading.keys import OPTIONAL, REQUIRED
from qa_daemon.rules.reading.proposals import SOURCES, WAYS
from qa_daemon.rules.schema import CASE_STORE, REGISTERED_SUGGESTIONS, Outcome, Status

_Schema = dict[str, Any]

#: An option of the rule in the place of a value.
_OPTION: Final[_Schema] = {"type": "string", "pattern": r"^\$[a-z][a-z0-9_]*$"}
_TEXT: Final[_Schema] = {"type": "string", "minLength": 1}
_PROBABILITY: Final[_Schema] = {"type": "number", "minimum": 0, "maximum": 1}
_CONDITION: Final[_Schema] = {"$ref": "#/$defs/condition"}


def rule_schema() -> _Schema:
    """Return the schema of one rule file (draft 2020-12)."""
    properties = {
        "id": {**_TEXT, "description": "permanent: capitals, a dash, three digits"},
        "title": _TEXT,
        "topic": _words(Topic),
        "severity": _words(severity.word for severity in Severity),
        "status": _words(Status),
        "version": {"type": "integer"},
        "level": _words(Level),
        "rationale": {**_TEXT, "description": "why, with the part of the standard: PS3.3 C.7.3.1"},
        "message": {
            **_TEXT,
            "description": "what the technician reads; {tag.Keyword} is filled in",
        },
        "quick": {"type": "boolean", "description": "part of `check --quick`, too"},
        "enabled": {"type": "boolean", "description": "false: a site has to switch it on"},
        "options": {"type": "object", "description": "values that a site may set otherwise"},
        "known_false_positives": _list(_TEXT),
        "applies_when": _CONDITION,
        "needs": _list({"$ref": "#/$defs/need"}),
        "check": {"anyOf": [_CONDITION, {"$ref": "#/$defs/free_of"}]},
        "suggest": {"$ref": "#/$defs/suggest"},
        "alternatives": _list({"$ref": "#/$defs/suggest"}),
        "cases": _list({"$ref": "#/$defs/case"}),
    }
    assert set(properties) == REQUIRED | OPTIONAL
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A rule of qa-daemon",
        **_object(properties, REQUIRED),
        "$defs": {
            "condition": _condition(),
            "free_of": _free_of(),
            "need": _need(),
            "change": _change(),
            "suggest": {"anyOf": [{"$ref": "#/$defs/change"}, _list({"$ref": "#/$defs/change"})]},
            "tags": _tags(),
            "case": _case(),
        },
    }


def _object(properties: Mapping[str, object], required: Iterable[str] = ()) -> _Schema:
    return {
        "type": "object",
        "properties": dict(properties),
        "required": sorted(required),
        "additionalProperties": False,
    }


def _list(items: _Schema) -> _Schema:
    return {"type": "array", "items": items}


def _words(words: Iterable[str]) -> _Schema:
    return {"enum": sorted(map(str, words))}


def _condition() -> _Schema:
    """Return the schema of a condition: one object, so that editors offer every word at once."""
    properties: dict[str, _Schema] = {
        "fact": {"type": "string", "description": "tag.Keyword, frame.Keyword, prediction.TARGET"},
        "all": {**_list(_CONDITION), "minItems": 1, "description": "every one holds"},
        "any": {**_list(_CONDITION), "minItems": 1, "description": "at least one holds"},
        "not": _CONDITION,
        "registered": _words({*SERIES_CHECKS, *STUDY_CHECKS}),
        "is": _CONDITION,
        "where": _CONDITION,
        "of": _TEXT,
    }
    for quantity in QUANTITIES:
        properties[quantity] = {**_TEXT, "description": "instances, frames, series, tag.SEQUENCE"}
    for name, operator in OPERATORS.items():
        properties[name] = {
            "description": f"{operator.means}; takes {operator.takes.words}",
            "anyOf": [dict(operator.takes.schema), _OPTION],
        }
    words = {*OPERATORS}
    forms = [
        {
            "required": ["fact"],
            "minProperties": 2,
            "maxProperties": 2,
            "propertyNames": _words({"fact", *words}),
        },
        *({"required": [name], "maxProperties": 1} for name in ("all", "any", "not")),
        *(
            {"required": [name, "is"], "propertyNames": _words({name, "is", "where"})}
            for name in QUANTITIES
        ),
        *(
            {"required": [name, "of", "is"], "propertyNames": _words({name, "of", "is", "where"})}
            for name in COUNTED
        ),
        {"required": ["registered"]},
    ]
    return {"type": "object", "properties": properties, "anyOf": forms}


def _free_of() -> _Schema:
    kinds = {**_list(_TEXT), "minItems": 1}
    return _object({"fact": {"const": "irregularities"}, FREE_OF: kinds}, ["fact", FREE_OF])


def _need() -> _Schema:
    number = {"anyOf": [_PROBABILITY, _OPTION]}
    part = _words(("turn", "mirror"))
    return _object(
        {"prediction": _words(TARGETS), "probability": number, "below": number, "part": part},
        ["prediction"],
    )


def _change() -> _Schema:
    takes: dict[str, _Schema] = {
        "from_prediction": _words(TARGETS),
        "from_table": {"type": "object", "minProperties": 1},
        "from_check": {"const": True},
    }
    ways = dict.fromkeys(WAYS, _TEXT) | {"registered": _words(REGISTERED_SUGGESTIONS)}
    sources = {name: {**takes.get(name, {}), "description": says} for name, says in SOURCES.items()}
    return {
        **_object({**ways, **sources, "scope": _words(Scope), "table": {"type": "object"}}),
        "anyOf": [{"required": [way]} for way in WAYS],
    }


def _tags() -> _Schema:
    scalar = {"type": ["string", "number", "null"]}
    value = {"anyOf": [scalar, _list({"anyOf": [scalar, {"$ref": "#/$defs/tags"}]})]}
    return {"type": "object", "additionalProperties": value}


def _case() -> _Schema:
    tags = {"$ref": "#/$defs/tags"}
    labels = {"type": "object", "additionalProperties": _PROBABILITY}
    predictions = {
        "type": "object",
        "properties": dict.fromkeys(TARGETS, labels),
        "additionalProperties": False,
    }
    known: dict[str, _Schema] = {
        "tags": tags,
        "instances": _list(tags),
        "irregularities": _list(_TEXT),
        "transfer_syntax": _TEXT,
        "frames": {"type": "integer", "minimum": 0},
        "predictions": predictions,
        "name": _TEXT,
        "outcome": _words(Outcome),
        "severity": _words(severity.word for severity in Severity),
        "proposes": {"type": "array"},
        "received": _TEXT,
        "order": _object({name: {} for name in ORDER_FACTS}),
        "store": _object({name: {"description": says} for name, says in CASE_STORE.items()}),
    }
    series = {key: known.get(key, {}) for key in SERIES_KEYS}
    known["series"] = {**_list(_object(series)), "minItems": 1}
    return _object({key: known.get(key, {}) for key in CASE_KEYS}, ["outcome"])
