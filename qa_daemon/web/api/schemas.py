"""JSON Schemas (2020-12) of what the API takes and gives, by name.

Answers are closed (`additionalProperties: false`) so that the test against the running service
finds what nobody has written down; clients should ignore members that they do not know.
"""

from typing import Any, Final

from qa_daemon.records.decision import RejectReason, Standing, Verb
from qa_daemon.records.finding import Hypothesis, Level, Severity, Topic
from qa_daemon.records.issue import IssueState, RulingKind
from qa_daemon.records.states import SeriesState, SuggestionState
from qa_daemon.web.api.parameters import NUMBER_MAX

Schema = dict[str, Any]

_TEXT: Final[Schema] = {"type": "string"}
_TIME: Final[Schema] = {"type": "string", "format": "date-time"}
_COUNT: Final[Schema] = {"type": "integer", "minimum": 0}
_ID: Final[Schema] = {"type": "integer", "minimum": 1, "maximum": NUMBER_MAX}
_SHARE: Final[Schema] = {"type": ["number", "null"], "minimum": 0, "maximum": 1}


def _words(kind: Any) -> Schema:
    return {"type": "string", "enum": [each.value for each in kind]}


def _or_null(schema: Schema) -> Schema:
    return {"anyOf": [schema, {"type": "null"}]}


def _object(members: Schema, *, optional: tuple[str, ...] = ()) -> Schema:
    return {
        "type": "object",
        "properties": members,
        "required": [name for name in members if name not in optional],
        "additionalProperties": False,
    }


def _list(schema: Schema) -> Schema:
    return {"type": "array", "items": schema}


def _named(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def _page(name: str) -> Schema:
    return _object({"items": _list(_named(name)), "next": _or_null(_TEXT)})


_VALUES: Final[Schema] = {"type": ["array", "null"]}
_SEVERITY: Final[Schema] = {"type": "string", "enum": [each.word for each in Severity]}

SCHEMAS: Final[dict[str, Schema]] = {
    "Problem": {
        "type": "object",
        "description": "RFC 9457.",
        "properties": {
            "type": _TEXT, "title": _TEXT, "status": {"type": "integer"}, "detail": _TEXT,
        },
        "required": ["type", "title", "status", "detail"],
    },
    "Change": _object(
        {
            "scope": {"type": "string", "enum": ["instance", "series", "study"]},
            "sop_instance_uid": _or_null(_TEXT),
            "action": {"type": "string", "enum": ["add", "replace", "remove"]},
            "attribute": _TEXT,
            "tag": _TEXT,
            "path": _TEXT,
            "vr": _TEXT,
            "current": _VALUES,
            "proposed": _VALUES,
        }
    ),
    "Suggestion": _object(
        {
            "hypothesis": _or_null(_TEXT),
            "confidence": _SHARE,
            "changes": _list(_named("Change")),
            "display": _object({"image_rotation": _COUNT, "image_horizontal_flip": _TEXT}),
        },
        optional=("display",),
    ),
    "Finding": _object(
        {
            "rule": _TEXT,
            "topic": _words(Topic),
            "severity": _SEVERITY,
            "level": _words(Level),
            "message": _TEXT,
            "confidence": _SHARE,
            "sop_instance_uids": _list(_TEXT),
            "evidence": {"type": "object", "additionalProperties": _TEXT},
            "suggestion": _or_null(_named("Suggestion")),
            "alternatives": _list(_named("Suggestion")),
            "assignment": {"type": "object", "description": "Of visits: what moves where."},
        },
        optional=("assignment",),
    ),
    "FindingRow": _object(
        {
            "id": _ID,
            "revision": _COUNT,
            "series_key": _or_null(_TEXT),
            "study_instance_uid": _or_null(_TEXT),
            "series_instance_uid": _or_null(_TEXT),
            "modality": _TEXT,
            "calling_ae": _TEXT,
            "created_at": _TIME,
            "state": _or_null(_words(SuggestionState)),
            "finding": _named("Finding"),
        }
    ),
    "FindingPage": _page("FindingRow"),
    "DataSets": _list({"type": "object"}),
    "Ruling": _object(
        {
            "kind": _words(RulingKind),
            "reason": _TEXT,
            "who": _TEXT,
            "at": _TIME,
            "until": _or_null(_TIME),
        }
    ),
    "NewRuling": _object(
        {
            "kind": _words(RulingKind),
            "reason": {"type": "string", "minLength": 1, "maxLength": 1000},
            "until": {**_TIME, "description": "Of a mute: within 366 days."},
        },
        optional=("until",),
    ),
    "Issue": _object(
        {
            "key": _TEXT,
            "rule": _TEXT,
            "change": _TEXT,
            "modality": _TEXT,
            "station": _TEXT,
            "protocol": _TEXT,
            "severity": _SEVERITY,
            "state": _words(IssueState),
            "findings": _COUNT,
            "recent": {**_COUNT, "description": "Of the last 7 days."},
            "first_at": _TIME,
            "last_at": _TIME,
            "ruling": _or_null(_named("Ruling")),
        }
    ),
    "IssueList": _object({"items": _list(_named("Issue"))}),
    "Seen": _object({"id": _ID, "revision": {**_COUNT, "maximum": NUMBER_MAX}}),
    "Edit": _object(
        {
            "path": {"type": "string", "maxLength": 4096},
            "values": {"type": "array", "items": {"type": "string"}},
            "sop_instance_uid": {"type": "string", "maxLength": 64},
        },
        optional=("sop_instance_uid",),
    ),
    "NewDecision": _object(
        {
            "findings": {
                "type": "array", "items": _named("Seen"), "minItems": 1, "maxItems": 500,
            },
            "verb": {"type": "string", "enum": ["accept", "reject", "defer", "ask"]},
            "rank": {"type": "integer", "minimum": 0, "maximum": 1000},
            "reason": _words(RejectReason),
            "words": {"type": "string", "maxLength": 4096},
            "until": _TIME,
            "of": {"type": "string", "maxLength": 4096},
            "label": {"type": "string", "enum": list("01234567")},
            "hypothesis": _words(Hypothesis),
            "edits": {"type": "array", "items": _named("Edit"), "maxItems": 1000},
        },
        optional=(
            "rank", "reason", "words", "until", "of", "label", "hypothesis", "edits",
        ),
    ),
    "Outcome": _object(
        {
            "act_id": _ID,
            "findings": _list(_ID),
            "verb": _words(Verb),
            "standing": _words(Standing),
            "undo_until": _or_null(_TIME),
        }
    ),
    "Undone": _object({"act_id": _ID, "findings": _list(_ID), "verb": _words(Verb)}),
    "Decision": _object(
        {
            "id": _ID,
            "act_id": _or_null(_ID),
            "verb": _words(Verb),
            "who": _TEXT,
            "at": _TIME,
            "revision": _COUNT,
            "reason": _or_null(_words(RejectReason)),
            "words": _TEXT,
            "undone_at": _or_null(_TIME),
            "undone_by": _or_null(_TEXT),
        }
    ),
    "DecisionList": _object({"items": _list(_named("Decision"))}),
    "Series": _object(
        {
            "key": _TEXT,
            "study_instance_uid": _TEXT,
            "series_instance_uid": _TEXT,
            "modality": _TEXT,
            "calling_ae": _TEXT,
            "state": _words(SeriesState),
            "state_since": _TIME,
            "revision": _COUNT,
            "instances": _COUNT,
            "first_received_at": _TIME,
            "last_received_at": _TIME,
            "viewer": _or_null(_TEXT),
        }
    ),
    "SeriesList": _object({"items": _list(_named("Series"))}),
    "Frame": _object(
        {
            "position": _COUNT,
            "sop_instance_uid": _TEXT,
            "frame": _COUNT,
            "width": _COUNT,
            "height": _COUNT,
            "tells": {"type": "boolean"},
            "presets": _list(_TEXT),
        }
    ),
    "FrameList": _object(
        {"frames": _COUNT, "reason": _TEXT, "items": _list(_named("Frame"))}
    ),
    "Event": _object(
        {
            "kind": _TEXT,
            "at": _TIME,
            "finding_id": _or_null(_ID),
            "issue_key": _or_null(_TEXT),
            "who": _or_null(_TEXT),
        }
    ),
    "EventPage": _object({"items": _list(_named("Event")), "next": _TEXT}),
    "AuditEntry": _object(
        {"id": _ID, "at": _TIME, "who": _TEXT, "action": _TEXT, "subject": _TEXT, "detail": _TEXT}
    ),
    "AuditPage": _page("AuditEntry"),
}  # fmt: skip
